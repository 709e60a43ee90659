/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Parameters of RSASSA-PSS (RFC 4055, section 3.1). OpenSSL verifies with whatever parameters a
 * certificate states: a weaker hash or PKCS#1 v1.5 would pass without this check.
 */

#include "config.h"

#include "snp/pss.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "base/error.h"

#define SALT_LENGTH 48
#define RSA_BITS    4096

static int
algorithm_nid(const X509_ALGOR *algorithm)
{
	const ASN1_OBJECT *object = NULL;

	if (algorithm == NULL)
		return NID_undef;
	X509_ALGOR_get0(&object, NULL, NULL, algorithm);
	return OBJ_obj2nid(object);
}

/* an AlgorithmIdentifier whose parameters are another: MGF1 with its hash */
static int
mask_hash_nid(const X509_ALGOR *algorithm)
{
	const void *value = NULL;
	int type = V_ASN1_UNDEF;
	X509_ALGOR *hash = NULL;
	int nid = NID_undef;

	if (algorithm_nid(algorithm) != NID_mgf1)
		return NID_undef;
	X509_ALGOR_get0(NULL, &type, &value, algorithm);
	if (type != V_ASN1_SEQUENCE)
		return NID_undef;
	hash = ASN1_item_unpack(value, ASN1_ITEM_rptr(X509_ALGOR));
	nid = algorithm_nid(hash);
	X509_ALGOR_free(hash);
	return nid;
}

static gboolean
parameters_are_ours(const RSA_PSS_PARAMS *params)
{
	return algorithm_nid(params->hashAlgorithm) == NID_sha384 &&
	       mask_hash_nid(params->maskGenAlgorithm) == NID_sha384 && params->saltLength != NULL &&
	       ASN1_INTEGER_get(params->saltLength) == SALT_LENGTH &&
	       (params->trailerField == NULL || ASN1_INTEGER_get(params->trailerField) == 1);
}

/**
 * dstack_snp_pss_ensure:
 * @algorithm: signature algorithm of a certificate or revocation list
 * @what: name of that for errors
 * @error: (out) (optional): %DSTACK_ERROR_UNSOUND when it is another algorithm or has other parameters
 *
 * Returns: %TRUE when it is the one AMD uses
 */
gboolean
dstack_snp_pss_ensure(const X509_ALGOR *algorithm, const gchar *what, GError **error)
{
	const void *value = NULL;
	int type = V_ASN1_UNDEF;
	RSA_PSS_PARAMS *params = NULL;
	gboolean good = FALSE;

	if (algorithm_nid(algorithm) != NID_rsassaPss) {
		return dstack_throw(error, DSTACK_ERROR_UNSOUND,
				    "%s: signature algorithm: expected RSASSA-PSS, found %s", what,
				    OBJ_nid2sn(algorithm_nid(algorithm)));
	}
	X509_ALGOR_get0(NULL, &type, &value, algorithm);
	if (type == V_ASN1_SEQUENCE)
		params = ASN1_item_unpack(value, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
	good = params != NULL && parameters_are_ours(params);
	RSA_PSS_PARAMS_free(params);
	ERR_clear_error();
	if (good)
		return TRUE;
	return dstack_throw(error, DSTACK_ERROR_UNSOUND,
			    "%s: signature parameters: expected SHA-384, MGF1 with SHA-384 and 48 bytes of salt", what);
}

/**
 * dstack_snp_key_is_rsa4096:
 * @key: (nullable): a public key
 *
 * Returns: whether it is a plain RSA key of 4096 bits
 */
gboolean
dstack_snp_key_is_rsa4096(EVP_PKEY *key)
{
	return key != NULL && EVP_PKEY_is_a(key, "RSA") == 1 && EVP_PKEY_get_bits(key) == RSA_BITS;
}
