/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The forge: certificates, lists and documents. The quote itself is put together in tdx-forge-quote.c.
 */

#include "config.h"

#include "support/tdx-forge.h"

#include <string.h>

#include <json-glib/json-glib.h>

#include "base/autoptr.h"
#include "base/hex.h"
#include "support/pki.h"
#include "support/tdx-forge-internal.h"

#define DAY	      G_GINT64_CONSTANT(86400)
#define SGX_EXTENSION "1.2.840.113741.1.13.1"

/* serial number of the root; the others follow in the order of DstackForgeItem, so that lists can name them */
#define SERIAL_ROOT 0x101

static void
fill_levels(DstackForge *self)
{
	DstackForgeLevel *best = &self->levels[0];
	DstackForgeLevel *old = &self->levels[1];

	memset(best->sgx, 5, sizeof(best->sgx));
	best->pcesvn = 11;
	best->tdx[0] = 3;
	best->tdx[2] = 5;
	best->status = "UpToDate";
	best->date = "2025-05-01T00:00:00Z";
	*old = *best;
	memset(old->sgx, 2, sizeof(old->sgx));
	old->pcesvn = 5;
	old->tdx[0] = 1;
	old->tdx[2] = 1;
	old->status = "OutOfDate";
	old->date = "2024-01-01T00:00:00Z";
	old->advisories = "[\"INTEL-SA-00001\"]";
	self->qe_levels[0] = (DstackForgeIsvLevel){8, "UpToDate", "2025-04-01T00:00:00Z", NULL};
	self->qe_levels[1] = (DstackForgeIsvLevel){4, "OutOfDate", "2023-01-01T00:00:00Z", "[\"INTEL-SA-00003\"]"};
	self->modules[0].id = "TDX_01";
	self->modules[0].levels[0] = (DstackForgeIsvLevel){3, "UpToDate", "2025-06-01T00:00:00Z", NULL};
	self->modules[0].levels[1] =
	    (DstackForgeIsvLevel){2, "OutOfDate", "2023-06-01T00:00:00Z", "[\"INTEL-SA-00002\"]"};
}

static void
fill_platform(DstackForge *self)
{
	static const guint8 fmspc[6] = {0x00, 0x80, 0x6f, 0x05, 0x00, 0x00};

	memset(self->pck.ppid, 0x99, sizeof(self->pck.ppid));
	memset(self->pck.components, 5, sizeof(self->pck.components));
	memset(self->pck.cpusvn, 5, sizeof(self->pck.cpusvn));
	self->pck.pcesvn = 11;
	memcpy(self->pck.fmspc, fmspc, sizeof(fmspc));
	self->pck.sgx_type = DSTACK_SGX_SCALABLE;
	self->pck.has_platform_instance_id = TRUE;
	memset(self->pck.platform_instance_id, 0x77, sizeof(self->pck.platform_instance_id));
	self->pck.dynamic_platform = DSTACK_FLAG_TRUE;
	self->pck.cached_keys = DSTACK_FLAG_FALSE;
	self->pck.smt_enabled = DSTACK_FLAG_TRUE;
}

static void
fill_quote(DstackForge *self)
{
	self->version = 4;
	self->body_type = DSTACK_QUOTE_TD10;
	self->td.tee_tcb_svn[0] = 3;
	self->td.tee_tcb_svn[1] = 1;
	self->td.tee_tcb_svn[2] = 5;
	memcpy(self->td.tee_tcb_svn2, self->td.tee_tcb_svn, sizeof(self->td.tee_tcb_svn2));
	self->td.tdattributes[3] = 0x10; /* SEPT_VE_DISABLE */
	self->td.xfam[0] = 0xe7;
	memset(self->qe_mrsigner, 0xdc, sizeof(self->qe_mrsigner));
	memcpy(self->qe_report.mrsigner, self->qe_mrsigner, sizeof(self->qe_mrsigner));
	self->qe_report.attributes[0] = 0x11;
	self->qe_prodid = 2;
	self->qe_report.isvprodid[0] = 2;
	self->qe_report.isvsvn[0] = 8;
	self->sgx.attributes[0] = 0x05;
	self->certification_type = DSTACK_CERTIFICATION_PCK_CHAIN;
}

void
dstack_forge_init(DstackForge *self)
{
	guint8 auth[32];

	memset(self, 0, sizeof(*self));
	for (guint i = 0; i < G_N_ELEMENTS(self->keys); i++)
		self->keys[i] = dstack_pki_key_new("P-256");
	self->attestation_key = dstack_pki_key_new("P-256");
	self->evil_key = dstack_pki_key_new("P-256");
	self->names[DSTACK_FORGE_ROOT] = "Intel SGX Root CA";
	self->names[DSTACK_FORGE_PCK_CA] = "Intel SGX PCK Platform CA";
	self->names[DSTACK_FORGE_PCK] = "Intel SGX PCK Certificate";
	self->names[DSTACK_FORGE_SIGNER] = "Intel SGX TCB Signing";
	for (guint i = 0; i < DSTACK_FORGE_N_DATED; i++) {
		self->dates[i].from = DSTACK_FORGE_NOW - (i <= DSTACK_FORGE_SIGNER ? 700 : 10) * DAY;
		self->dates[i].to = DSTACK_FORGE_NOW + (i <= DSTACK_FORGE_SIGNER ? 3000 : 20) * DAY;
	}
	fill_platform(self);
	fill_levels(self);
	fill_quote(self);
	self->tcb_info_id = "TDX";
	self->tcb_evaluation_number = 17;
	self->qe_id = "TD_QE";
	self->qe_evaluation_number = 18;
	for (guint i = 0; i < sizeof(auth); i++)
		auth[i] = (guint8)i;
	self->qe_auth_data = g_bytes_new(auth, sizeof(auth));
}

void
dstack_forge_clear(DstackForge *self)
{
	for (guint i = 0; i < G_N_ELEMENTS(self->keys); i++)
		EVP_PKEY_free(self->keys[i]);
	EVP_PKEY_free(self->attestation_key);
	EVP_PKEY_free(self->evil_key);
	g_clear_pointer(&self->pck_extension, g_bytes_unref);
	g_clear_pointer(&self->qe_auth_data, g_bytes_unref);
	g_clear_pointer(&self->certification_data, g_bytes_unref);
}

void
dstack_forge_make_sgx(DstackForge *self, guint16 version)
{
	self->version = version;
	self->body_type = DSTACK_QUOTE_SGX;
	self->tcb_info_id = "SGX";
	self->qe_id = "QE";
}

void
dstack_forged_clear(DstackForged *self)
{
	g_clear_pointer(&self->quote, g_bytes_unref);
	g_clear_pointer(&self->collateral, g_free);
	g_clear_pointer(&self->root_der, g_bytes_unref);
}

/* who signs an item: the one who should, or nobody anyone knows */
EVP_PKEY *
dstack_forge_signing_key(const DstackForge *self, DstackForgeItem item, EVP_PKEY *rightful)
{
	return (self->evil & 1u << item) != 0 ? self->evil_key : rightful;
}

/* --- DER of the SGX extension --- */

static GByteArray *
der(guint8 tag, const guint8 *content, gsize size)
{
	GByteArray *out = g_byte_array_new();
	guint8 head[4] = {tag};
	gsize n = 0;

	if (size < 0x80) {
		head[1] = (guint8)size;
		n = 2;
	} else if (size < 0x100) {
		head[1] = 0x81;
		head[2] = (guint8)size;
		n = 3;
	} else {
		head[1] = 0x82;
		head[2] = (guint8)(size >> 8);
		head[3] = (guint8)size;
		n = 4;
	}
	g_byte_array_append(out, head, (guint)n);
	if (size > 0)
		g_byte_array_append(out, content, (guint)size);
	return out;
}

static void
append_der(GByteArray *out, guint8 tag, const guint8 *content, gsize size)
{
	g_autoptr(GByteArray) value = der(tag, content, size);

	g_byte_array_append(out, value->data, value->len);
}

/* SEQUENCE { OID prefix.parent.number, value } */
static void
append_pair(GByteArray *out, guint8 parent, guint8 number, guint8 tag, const guint8 *content, gsize size)
{
	guint8 oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01, parent, number};
	g_autoptr(GByteArray) pair = g_byte_array_new();

	if (parent == 0)
		oid[9] = number;
	append_der(pair, 0x06, oid, parent == 0 ? 10 : 11);
	append_der(pair, tag, content, size);
	append_der(out, 0x30, pair->data, pair->len);
}

static void
append_uint_pair(GByteArray *out, guint8 parent, guint8 number, guint8 tag, guint value)
{
	const guint8 bytes[3] = {0, (guint8)(value >> 8), (guint8)value};
	gsize skip = value > 0x7fff ? 0 : value > 0x7f ? 1 : 2;

	append_pair(out, parent, number, tag, bytes + skip, sizeof(bytes) - skip);
}

static void
append_flag_pair(GByteArray *out, guint8 number, DstackFlag flag)
{
	const guint8 byte = flag == DSTACK_FLAG_TRUE ? 0xff : 0x00;

	if (flag != DSTACK_FLAG_ABSENT)
		append_pair(out, 7, number, 0x01, &byte, 1);
}

GBytes *
dstack_forge_pck_extension(const DstackPck *pck)
{
	g_autoptr(GByteArray) tcb = g_byte_array_new();
	g_autoptr(GByteArray) configuration = g_byte_array_new();
	g_autoptr(GByteArray) all = g_byte_array_new();

	for (guint8 i = 0; i < DSTACK_TCB_COMPONENTS; i++)
		append_uint_pair(tcb, 2, i + 1, 0x02, pck->components[i]);
	append_uint_pair(tcb, 2, 17, 0x02, pck->pcesvn);
	append_pair(tcb, 2, 18, 0x04, pck->cpusvn, sizeof(pck->cpusvn));
	append_flag_pair(configuration, 1, pck->dynamic_platform);
	append_flag_pair(configuration, 2, pck->cached_keys);
	append_flag_pair(configuration, 3, pck->smt_enabled);
	append_pair(all, 0, 1, 0x04, pck->ppid, sizeof(pck->ppid));
	append_pair(all, 0, 2, 0x30, tcb->data, tcb->len);
	append_pair(all, 0, 3, 0x04, pck->pceid, sizeof(pck->pceid));
	append_pair(all, 0, 4, 0x04, pck->fmspc, sizeof(pck->fmspc));
	append_uint_pair(all, 0, 5, 0x0a, pck->sgx_type);
	if (pck->has_platform_instance_id)
		append_pair(all, 0, 6, 0x04, pck->platform_instance_id, sizeof(pck->platform_instance_id));
	if (configuration->len > 0)
		append_pair(all, 0, 7, 0x30, configuration->data, configuration->len);
	return g_byte_array_free_to_bytes(der(0x30, all->data, all->len));
}

/* --- certificates and lists --- */

static X509 *
forge_certificate(DstackForge *self, DstackForgeItem item, const gchar *name, X509 *issuer, EVP_PKEY *issuer_key)
{
	DstackPkiSpec spec = {.cn = name,
			      .organization = "Intel Corporation",
			      .not_before = self->dates[item].from,
			      .not_after = self->dates[item].to,
			      .serial = SERIAL_ROOT + item,
			      .is_ca = item == DSTACK_FORGE_ROOT || item == DSTACK_FORGE_PCK_CA || self->leaf_is_ca};
	g_autoptr(GBytes) extension = NULL;

	if (item == DSTACK_FORGE_PCK) {
		extension = self->pck_extension != NULL ? g_bytes_ref(self->pck_extension)
							: dstack_forge_pck_extension(&self->pck);
		spec.extensions[0] = (DstackPkiExtension){.oid = SGX_EXTENSION, .content = extension};
	}
	return dstack_pki_cert_new(&spec, self->keys[item], issuer, dstack_forge_signing_key(self, item, issuer_key));
}

static void
forge_certificates(DstackForge *self, X509 *certs[DSTACK_FORGE_SIGNER + 1])
{
	EVP_PKEY *root_key = self->keys[DSTACK_FORGE_ROOT];
	X509 *root = forge_certificate(self, DSTACK_FORGE_ROOT, self->names[DSTACK_FORGE_ROOT], NULL, root_key);
	X509 *ca = forge_certificate(self, DSTACK_FORGE_PCK_CA, self->names[DSTACK_FORGE_PCK_CA], root, root_key);

	certs[DSTACK_FORGE_ROOT] = root;
	certs[DSTACK_FORGE_PCK_CA] = ca;
	certs[DSTACK_FORGE_PCK] = forge_certificate(self, DSTACK_FORGE_PCK, self->names[DSTACK_FORGE_PCK], ca,
						    self->keys[DSTACK_FORGE_PCK_CA]);
	certs[DSTACK_FORGE_SIGNER] =
	    forge_certificate(self, DSTACK_FORGE_SIGNER, self->names[DSTACK_FORGE_SIGNER], root, root_key);
}

static gchar *
forge_crl(DstackForge *self, DstackForgeItem item, X509 *issuer, EVP_PKEY *key)
{
	guint64 revoked[DSTACK_FORGE_SIGNER + 2] = {0x999};
	DstackPkiCrlSpec spec = {.this_update = self->dates[item].from,
				 .next_update = self->dates[item].to,
				 .number = self->no_crl_number		   ? 0
					   : item == DSTACK_FORGE_ROOT_CRL ? 3
									   : 57,
				 .revoked = revoked,
				 .n_revoked = 1};
	X509_CRL *crl = NULL;
	g_autoptr(GBytes) bytes = NULL;

	for (guint i = 0; i <= DSTACK_FORGE_SIGNER; i++) {
		gboolean mine = (i == DSTACK_FORGE_PCK) == (item == DSTACK_FORGE_PCK_CRL);

		if (mine && (self->revoked & 1u << i) != 0)
			revoked[spec.n_revoked++] = SERIAL_ROOT + i;
	}
	crl = dstack_pki_crl_new(&spec, issuer, dstack_forge_signing_key(self, item, key));
	bytes = dstack_pki_crl_to_der(crl);
	X509_CRL_free(crl);
	return dstack_hex_encode_bytes(bytes);
}

/* --- documents --- */

static gchar *
format_date(gint64 when)
{
	g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(when);

	return g_date_time_format(date, "%Y-%m-%dT%H:%M:%SZ");
}

static void
append_hex(GString *out, const gchar *member, const guint8 *data, gsize size)
{
	g_autofree gchar *hex = dstack_hex_encode(data, size);

	g_string_append_printf(out, ",\"%s\":\"%s\"", member, hex);
}

static void
append_grade(GString *out, const gchar *status, const gchar *date, const gchar *advisories)
{
	g_string_append_printf(out, ",\"tcbDate\":\"%s\",\"tcbStatus\":\"%s\"", date, status);
	if (advisories != NULL)
		g_string_append_printf(out, ",\"advisoryIDs\":%s", advisories);
	g_string_append_c(out, '}');
}

static void
append_isv_levels(GString *out, const DstackForgeIsvLevel levels[DSTACK_FORGE_LEVELS])
{
	g_string_append(out, ",\"tcbLevels\":[");
	for (guint i = 0; i < DSTACK_FORGE_LEVELS && levels[i].status != NULL; i++) {
		g_string_append_printf(out, "%s{\"tcb\":{\"isvsvn\":%u}", i > 0 ? "," : "", levels[i].isvsvn);
		append_grade(out, levels[i].status, levels[i].date, levels[i].advisories);
	}
	g_string_append_c(out, ']');
}

static void
append_components(GString *out, const gchar *member, const guint8 *components)
{
	g_string_append_printf(out, "\"%s\":[", member);
	for (guint i = 0; i < DSTACK_TCB_COMPONENTS; i++)
		g_string_append_printf(out, "%s{\"svn\":%u}", i > 0 ? "," : "", components[i]);
	g_string_append_c(out, ']');
}

static void
append_platform_level(GString *out, const DstackForge *self, const DstackForgeLevel *level)
{
	g_string_append(out, "{\"tcb\":{");
	if (self->tcb_info_id == NULL) {
		for (guint i = 0; i < DSTACK_TCB_COMPONENTS; i++)
			g_string_append_printf(out, "\"sgxtcbcomp%02usvn\":%u,", i + 1, level->sgx[i]);
	} else {
		append_components(out, "sgxtcbcomponents", level->sgx);
		g_string_append_c(out, ',');
	}
	if (g_strcmp0(self->tcb_info_id, "TDX") == 0) {
		append_components(out, "tdxtcbcomponents", level->tdx);
		g_string_append_c(out, ',');
	}
	g_string_append_printf(out, "\"pcesvn\":%u}", level->pcesvn);
	append_grade(out, level->status, level->date, level->advisories);
}

static void
append_module(GString *out, const guint8 *mrsigner, const guint8 *attributes)
{
	static const guint8 mask[8] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	append_hex(out, "mrsigner", mrsigner, 48);
	append_hex(out, "attributes", attributes, 8);
	append_hex(out, "attributesMask", mask, sizeof(mask));
}

static void
append_modules(GString *out, const DstackForge *self)
{
	static const guint8 attributes[8] = {0};

	g_string_append(out, ",\"tdxModule\":{\"x\":0");
	append_module(out, self->module_mrsigner, attributes);
	g_string_append_c(out, '}');
	if (self->modules[0].id == NULL)
		return;
	g_string_append(out, ",\"tdxModuleIdentities\":[");
	for (guint i = 0; i < DSTACK_FORGE_MODULES && self->modules[i].id != NULL; i++) {
		g_string_append_printf(out, "%s{\"id\":\"%s\"", i > 0 ? "," : "", self->modules[i].id);
		append_module(out, self->modules[i].mrsigner, self->modules[i].attributes);
		append_isv_levels(out, self->modules[i].levels);
		g_string_append_c(out, '}');
	}
	g_string_append_c(out, ']');
}

static void
append_dates(GString *out, const DstackForge *self, DstackForgeItem item)
{
	g_autofree gchar *from = format_date(self->dates[item].from);
	g_autofree gchar *to = format_date(self->dates[item].to);

	g_string_append_printf(out, ",\"issueDate\":\"%s\",\"nextUpdate\":\"%s\"", from, to);
}

gchar *
dstack_forge_tcb_info(const DstackForge *self)
{
	GString *out = g_string_new("{");
	g_autofree gchar *fmspc = dstack_hex_encode(self->pck.fmspc, sizeof(self->pck.fmspc));
	g_autofree gchar *pceid = dstack_hex_encode(self->pck.pceid, sizeof(self->pck.pceid));

	if (self->tcb_info_text != NULL) {
		g_string_free(out, TRUE);
		return g_strdup(self->tcb_info_text);
	}
	g_string_append_printf(out, "\"version\":%d", self->tcb_info_id != NULL ? 3 : 2);
	if (self->tcb_info_id != NULL)
		g_string_append_printf(out, ",\"id\":\"%s\"", self->tcb_info_id);
	append_dates(out, self, DSTACK_FORGE_TCB_INFO);
	g_string_append_printf(out, ",\"fmspc\":\"%s\",\"pceId\":\"%s\",\"tcbType\":0,\"tcbEvaluationDataNumber\":%u",
			       self->fmspc != NULL ? self->fmspc : fmspc, self->pceid != NULL ? self->pceid : pceid,
			       self->tcb_evaluation_number);
	if (g_strcmp0(self->tcb_info_id, "TDX") == 0)
		append_modules(out, self);
	g_string_append(out, ",\"tcbLevels\":[");
	for (guint i = 0; i < DSTACK_FORGE_LEVELS && self->levels[i].status != NULL; i++) {
		if (i > 0)
			g_string_append_c(out, ',');
		append_platform_level(out, self, &self->levels[i]);
	}
	g_string_append(out, "]}");
	return g_string_free(out, FALSE);
}

gchar *
dstack_forge_qe_identity(const DstackForge *self)
{
	GString *out = g_string_new(NULL);

	if (self->qe_identity_text != NULL) {
		g_string_free(out, TRUE);
		return g_strdup(self->qe_identity_text);
	}
	g_string_append_printf(out, "{\"id\":\"%s\",\"version\":2,\"tcbEvaluationDataNumber\":%u", self->qe_id,
			       self->qe_evaluation_number);
	append_dates(out, self, DSTACK_FORGE_QE_IDENTITY);
	g_string_append(out, ",\"miscselect\":\"00000000\",\"miscselectMask\":\"FFFFFFFF\"");
	g_string_append(out, ",\"attributes\":\"11000000000000000000000000000000\"");
	g_string_append(out, ",\"attributesMask\":\"FBFFFFFFFFFFFFFF0000000000000000\"");
	append_hex(out, "mrsigner", self->qe_mrsigner, sizeof(self->qe_mrsigner));
	g_string_append_printf(out, ",\"isvprodid\":%u", self->qe_prodid);
	append_isv_levels(out, self->qe_levels);
	g_string_append_c(out, '}');
	return g_string_free(out, FALSE);
}

static gchar *
sign_document(const DstackForge *self, DstackForgeItem item, const gchar *text)
{
	guint8 signature[64];

	dstack_pki_sign_raw(dstack_forge_signing_key(self, item, self->keys[DSTACK_FORGE_SIGNER]), (const guint8 *)text,
			    strlen(text), signature);
	return dstack_hex_encode(signature, sizeof(signature));
}

/* --- all of it --- */

static void
add_documents(JsonObject *object, const DstackForge *self)
{
	g_autofree gchar *tcb_info = dstack_forge_tcb_info(self);
	g_autofree gchar *qe_identity = dstack_forge_qe_identity(self);
	g_autofree gchar *tcb_signature = sign_document(self, DSTACK_FORGE_TCB_INFO, tcb_info);
	g_autofree gchar *qe_signature = sign_document(self, DSTACK_FORGE_QE_IDENTITY, qe_identity);

	json_object_set_string_member(object, "tcb_info", tcb_info);
	json_object_set_string_member(object, "tcb_info_signature", tcb_signature);
	json_object_set_string_member(object, "qe_identity", qe_identity);
	json_object_set_string_member(object, "qe_identity_signature", qe_signature);
}

static gchar *
forge_collateral(DstackForge *self, X509 *const certs[DSTACK_FORGE_SIGNER + 1])
{
	g_autoptr(JsonObject) object = json_object_new();
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
	EVP_PKEY *root_key = self->keys[DSTACK_FORGE_ROOT];
	EVP_PKEY *ca_key = self->keys[DSTACK_FORGE_PCK_CA];
	X509 *crl_ca = certs[DSTACK_FORGE_PCK_CA];
	g_autoptr(X509) other_ca = NULL;
	g_autofree gchar *signing_chain = dstack_pki_to_pem(certs[DSTACK_FORGE_SIGNER], certs[DSTACK_FORGE_ROOT], NULL);
	g_autofree gchar *ca_chain = NULL;
	g_autofree gchar *root_crl = forge_crl(self, DSTACK_FORGE_ROOT_CRL, certs[DSTACK_FORGE_ROOT], root_key);
	g_autofree gchar *pck_crl = NULL;

	if (self->crl_ca_name != NULL)
		crl_ca = other_ca =
		    forge_certificate(self, DSTACK_FORGE_PCK_CA, self->crl_ca_name, certs[DSTACK_FORGE_ROOT], root_key);
	ca_chain = dstack_pki_to_pem(crl_ca, certs[DSTACK_FORGE_ROOT], NULL);
	pck_crl = forge_crl(self, DSTACK_FORGE_PCK_CRL, crl_ca, ca_key);
	json_object_set_string_member(object, "pck_crl_issuer_chain", ca_chain);
	json_object_set_string_member(object, "root_ca_crl", root_crl);
	json_object_set_string_member(object, "pck_crl", pck_crl);
	json_object_set_string_member(object, "tcb_info_issuer_chain", signing_chain);
	json_object_set_string_member(object, "qe_identity_issuer_chain", signing_chain);
	add_documents(object, self);
	json_node_set_object(node, object);
	return json_to_string(node, FALSE);
}

void
dstack_forge_build(DstackForge *self, DstackForged *out)
{
	X509 *certs[DSTACK_FORGE_SIGNER + 1] = {NULL};
	g_autofree gchar *chain = NULL;

	forge_certificates(self, certs);
	chain = dstack_pki_to_pem(certs[DSTACK_FORGE_PCK], certs[DSTACK_FORGE_PCK_CA], certs[DSTACK_FORGE_ROOT], NULL);
	out->quote = dstack_forge_quote(self, chain);
	out->collateral = forge_collateral(self, certs);
	out->root_der = dstack_pki_cert_to_der(certs[DSTACK_FORGE_ROOT]);
	out->context = (DstackContext){.now = DSTACK_FORGE_NOW, .root_der = out->root_der};
	for (guint i = 0; i < G_N_ELEMENTS(certs); i++)
		X509_free(certs[i]);
}

void
dstack_forge_evidence(const DstackTdxRegisters *registers, const guint8 *report_data, const guint8 *mrconfigid,
		      DstackForged *out)
{
	g_auto(DstackForge) forge = {0};

	dstack_forge_init(&forge);
	memcpy(forge.td.mrtd, registers->mrtd.bytes, 48);
	memcpy(forge.td.rtmr0, registers->rtmr[0].bytes, 48);
	memcpy(forge.td.rtmr1, registers->rtmr[1].bytes, 48);
	memcpy(forge.td.rtmr2, registers->rtmr[2].bytes, 48);
	memcpy(forge.td.rtmr3, registers->rtmr[3].bytes, 48);
	memcpy(forge.td.report_data, report_data, 64);
	if (mrconfigid != NULL)
		memcpy(forge.td.mrconfigid, mrconfigid, 48);
	dstack_forge_build(&forge, out);
}
