/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Four requests make collateral: TCB info, QE identity, PCK revocation list, root revocation list. Issuer chains
 * come in headers, as URL-encoded PEM (evidence.md part A, section 8).
 */

#include "config.h"

#include "fetch/pccs.h"

#include <string.h>

#include <json-glib/json-glib.h>

#include "base/autoptr.h"
#include "base/error.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/x509.h"
#include "dcap/chain.h"
#include "dcap/collateral-parts.h"

/* Intel serves its root's list from another host; a caching service has it beside the rest */
#define INTEL_ROOT_CRL "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"
#define PROCESSOR_CA   "Intel SGX PCK Processor CA"
#define PLATFORM_CA    "Intel SGX PCK Platform CA"

/* a fetch under way */
typedef struct {
	gchar *base; /* no slash at its end */
	const DstackPlatformId *id;
	const DstackFetchOptions *options;
	DstackCollateralParts parts;
} Fetch;

const gchar *
dstack_pck_ca_to_string(DstackPckCa ca)
{
	switch (ca) {
	case DSTACK_PCK_CA_PLATFORM:
		return "platform";
	case DSTACK_PCK_CA_PROCESSOR:
		return "processor";
	}
	g_return_val_if_reached(NULL);
}

/**
 * dstack_pck_ca_parse:
 * @text: "platform" or "processor"
 * @out: (out): the CA
 * @error: (out) (optional): %DSTACK_ERROR_INVALID_ARGUMENT on any other text
 *
 * Returns: %TRUE when @text names one of Intel's two PCK CAs
 */
gboolean
dstack_pck_ca_parse(const gchar *text, DstackPckCa *out, GError **error)
{
	for (guint ca = DSTACK_PCK_CA_PLATFORM; ca <= DSTACK_PCK_CA_PROCESSOR; ca++) {
		if (g_str_equal(text, dstack_pck_ca_to_string(ca))) {
			*out = ca;
			return TRUE;
		}
	}
	return dstack_throw(error, DSTACK_ERROR_INVALID_ARGUMENT, "expected CA platform or processor, found '%s'",
			    text);
}

static gboolean
ca_from_certificate(X509 *cert, DstackPckCa *out, GError **error)
{
	g_autofree gchar *cn = dstack_x509_dup_subject_cn(cert);

	if (g_strcmp0(cn, PLATFORM_CA) != 0 && g_strcmp0(cn, PROCESSOR_CA) != 0)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND, "quote: its PCK CA is neither of Intel's two");
	*out = g_str_equal(cn, PLATFORM_CA) ? DSTACK_PCK_CA_PLATFORM : DSTACK_PCK_CA_PROCESSOR;
	return TRUE;
}

/**
 * dstack_platform_id_from_quote:
 * @self: (out caller-allocates): whose collateral to ask for
 * @quote: a parsed quote
 * @error: (out) (optional): when the quote carries no PCK certificate chain that can be read
 *
 * Returns: %TRUE when the quote says which platform it is of
 */
gboolean
dstack_platform_id_from_quote(DstackPlatformId *self, const DstackQuote *quote, GError **error)
{
	const DstackSlice *data = &quote->certification.data;
	g_autoptr(DstackChain) chain = NULL;
	DstackPck pck;

	if (quote->certification.type != DSTACK_CERTIFICATION_PCK_CHAIN)
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "quote: carries no PCK certificate chain, so that its platform is unknown");
	chain =
	    dstack_chain_parse(DSTACK_CHAIN_PCK, (const gchar *)data->data, data->size, "PCK certificate chain", error);
	if (chain == NULL || !dstack_pck_from_certificate(&pck, chain->leaf, error) ||
	    !ca_from_certificate(chain->ca, &self->ca, error))
		return FALSE;
	memcpy(self->fmspc, pck.fmspc, sizeof(self->fmspc));
	self->is_tdx = dstack_quote_is_tdx(quote);
	return TRUE;
}

/**
 * dstack_platform_id_to_file_name:
 * @self: a platform
 *
 * Returns: (transfer full): the name its collateral is kept under
 */
gchar *
dstack_platform_id_to_file_name(const DstackPlatformId *self)
{
	g_autofree gchar *fmspc = dstack_hex_encode(self->fmspc, sizeof(self->fmspc));

	return g_strdup_printf("%s-%s-%s.json", self->is_tdx ? "tdx" : "sgx", fmspc, dstack_pck_ca_to_string(self->ca));
}

/* the chain in a header, under its present name or its former one */
static GBytes *
take_chain(DstackFetchAnswer *answer, const gchar *name, const gchar *former, GError **error)
{
	const gchar *value = dstack_fetch_answer_peek_header(answer, name);
	gchar *pem = NULL;

	if (value == NULL && former != NULL)
		value = dstack_fetch_answer_peek_header(answer, former);
	if (value != NULL)
		pem = g_uri_unescape_string(value, NULL);
	if (pem == NULL) {
		dstack_throw(error, DSTACK_ERROR_MALFORMED, "answer: header %s is missing or not URL-encoded", name);
		return NULL;
	}
	return g_bytes_new_take(pem, strlen(pem));
}

static DstackFetchAnswer *
ask(const Fetch *self, const gchar *tee, const gchar *path, GError **error)
{
	g_autofree gchar *url = g_strdup_printf("%s/%s/certification/v4/%s", self->base, tee, path);

	return dstack_fetch_get(url, self->options, error);
}

static gboolean
fetch_document(Fetch *self, const gchar *path, const gchar *member, const gchar *header, const gchar *former,
	       DstackPart part, DstackPart chain, GError **error)
{
	g_autoptr(DstackFetchAnswer) answer = ask(self, self->id->is_tdx ? "tdx" : "sgx", path, error);

	if (answer == NULL ||
	    !dstack_collateral_split_document(dstack_fetch_answer_peek_body(answer), member, &self->parts.part[part],
					      &self->parts.part[part + 1], error))
		return FALSE;
	self->parts.part[chain] = take_chain(answer, header, former, error);
	return self->parts.part[chain] != NULL;
}

/* a list in DER, or in hex as caching services hand it out: in hex from here on */
static GBytes *
list_to_hex(GBytes *body)
{
	gsize size = 0;
	const guint8 *data = g_bytes_get_data(body, &size);
	gchar *hex = NULL;

	if (size == 0 || data[0] != 0x30)
		return g_bytes_ref(body);
	hex = dstack_hex_encode(data, size);
	return g_bytes_new_take(hex, strlen(hex));
}

static gboolean
fetch_pck_crl(Fetch *self, GError **error)
{
	g_autofree gchar *path = g_strdup_printf("pckcrl?ca=%s&encoding=der", dstack_pck_ca_to_string(self->id->ca));
	g_autoptr(DstackFetchAnswer) answer = ask(self, "sgx", path, error);
	GBytes *chain = NULL;

	if (answer == NULL)
		return FALSE;
	self->parts.part[DSTACK_PART_PCK_CRL] = list_to_hex(dstack_fetch_answer_peek_body(answer));
	chain = take_chain(answer, "SGX-PCK-CRL-Issuer-Chain", NULL, error);
	self->parts.part[DSTACK_PART_PCK_CRL_ISSUER_CHAIN] = chain;
	return chain != NULL;
}

static gboolean
fetch_root_crl(Fetch *self, GError **error)
{
	g_autoptr(DstackFetchAnswer) answer = NULL;

	if (g_str_equal(self->base, DSTACK_PCCS_INTEL))
		answer = dstack_fetch_get(INTEL_ROOT_CRL, self->options, error);
	else
		answer = ask(self, "sgx", "rootcacrl", error);
	if (answer == NULL)
		return FALSE;
	self->parts.part[DSTACK_PART_ROOT_CA_CRL] = list_to_hex(dstack_fetch_answer_peek_body(answer));
	return TRUE;
}

static gboolean
fetch_all(Fetch *self, GError **error)
{
	g_autofree gchar *fmspc = dstack_hex_encode(self->id->fmspc, sizeof(self->id->fmspc));
	g_autofree gchar *tcb_path = g_strdup_printf("tcb?fmspc=%s", fmspc);

	return fetch_document(self, tcb_path, "tcbInfo", "TCB-Info-Issuer-Chain", "SGX-TCB-Info-Issuer-Chain",
			      DSTACK_PART_TCB_INFO, DSTACK_PART_TCB_INFO_ISSUER_CHAIN, error) &&
	       fetch_document(self, "qe/identity", "enclaveIdentity", "SGX-Enclave-Identity-Issuer-Chain", NULL,
			      DSTACK_PART_QE_IDENTITY, DSTACK_PART_QE_IDENTITY_ISSUER_CHAIN, error) &&
	       fetch_pck_crl(self, error) && fetch_root_crl(self, error);
}

/* what a server sent becomes a JSON string only if it is text */
static gchar *
parts_to_json(const DstackCollateralParts *parts, GError **error)
{
	g_autoptr(JsonObject) object = json_object_new();
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);

	for (guint i = 0; i < DSTACK_N_PARTS; i++) {
		gsize size = 0;
		const gchar *data = g_bytes_get_data(parts->part[i], &size);
		g_autofree gchar *text = g_strndup(size > 0 ? data : "", size);

		if (strlen(text) != size || !g_utf8_validate(text, -1, NULL)) {
			dstack_throw(error, DSTACK_ERROR_MALFORMED, "answer: %s is not text", dstack_part_to_string(i));
			return NULL;
		}
		json_object_set_string_member(object, dstack_part_to_string(i), text);
	}
	json_node_set_object(node, object);
	return dstack_json_to_text(node, DSTACK_JSON_PRETTY);
}

/* people give the service's address with or without the version's path and a slash */
static gchar *
normalize_base(const gchar *base)
{
	static const gchar *const suffixes[] = {"/sgx/certification/v4", "/tdx/certification/v4"};
	gchar *result = g_strdup(base);

	while (g_str_has_suffix(result, "/"))
		result[strlen(result) - 1] = '\0';
	for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		if (g_str_has_suffix(result, suffixes[i]))
			result[strlen(result) - strlen(suffixes[i])] = '\0';
	}
	return result;
}

/**
 * dstack_pccs_fetch:
 * @base: the service's address
 * @id: whose collateral
 * @options: bounds of each of the four requests
 * @error: (out) (optional): as of dstack_fetch_get(), and %DSTACK_ERROR_MALFORMED on an answer that is none
 *
 * Nothing is verified here: hand the text to dstack_collateral_parse().
 *
 * Returns: (transfer full) (nullable): QuoteCollateralV3 as JSON text
 */
gchar *
dstack_pccs_fetch(const gchar *base, const DstackPlatformId *id, const DstackFetchOptions *options, GError **error)
{
	Fetch self = {.base = normalize_base(base), .id = id, .options = options};
	gchar *json = NULL;

	if (fetch_all(&self, error))
		json = parts_to_json(&self.parts, error);
	dstack_collateral_parts_clear(&self.parts);
	g_free(self.base);
	return json;
}
