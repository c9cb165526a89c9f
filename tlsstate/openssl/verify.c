//go:build openssl

// What is demanded of a peer's chain: libcrypto's check, then ours.

#include "domain.h"

#include <string.h>
#include <strings.h>
#include <openssl/x509v3.h>

// usages gives the accepted usages that a certificate carries; all of them when
// it has no such extension. *any tells whether it carries anyExtendedKeyUsage.
static int usages(X509 *x, int *any)
{
	uint32_t flags = X509_get_extended_key_usage(x);
	EXTENDED_KEY_USAGE *list;
	char oid[32];
	int has = 0;

	*any = 0;
	if (flags == UINT32_MAX)
		return ~0;
	if (flags & XKU_SSL_SERVER)
		has |= SC_SERVER_AUTH;
	if (flags & XKU_SSL_CLIENT)
		has |= SC_CLIENT_AUTH;
	if (flags & XKU_ANYEKU) {
		has |= SC_ANY;
		*any = 1;
	}
	list = X509_get_ext_d2i(x, NID_ext_key_usage, NULL, NULL);
	for (int i = 0; i < sk_ASN1_OBJECT_num(list); i++) {
		OBJ_obj2txt(oid, sizeof oid, sk_ASN1_OBJECT_value(list, i), 1);
		if (!strcmp(oid, "1.3.6.1.5.5.7.3.20")) // id-kp-sipDomain (RFC 5924 4)
			has |= SC_SIP_DOMAIN;
	}
	EXTENDED_KEY_USAGE_free(list);
	return has;
}

// usable tells whether one accepted usage runs through the whole path. The
// root's own does not count (RFC 5280 6.1: a trust anchor is a name and a key).
static int usable(int accept, STACK_OF(X509) *path)
{
	int n = sk_X509_num(path), any;

	for (int i = 0; i < (n > 1 ? n - 1 : n) && accept; i++) {
		int has = usages(sk_X509_value(path, i), &any);
		if (i == 0 || !any)
			accept &= has;
	}
	return accept != 0;
}

static int is_sip_domain(const ASN1_IA5STRING *uri)
{
	const char *p = (const char *)ASN1_STRING_get0_data(uri);
	int n = ASN1_STRING_length(uri);

	return n > 4 && !strncasecmp(p, "sip:", 4) && p[4] != '/' && !memchr(p, '@', n);
}

// limits tells whether a list of subtrees is about hosts, or about addresses
// where that matters.
static int limits(const STACK_OF(GENERAL_SUBTREE) *trees, int addr)
{
	for (int i = 0; i < sk_GENERAL_SUBTREE_num(trees); i++) {
		int type = sk_GENERAL_SUBTREE_value(trees, i)->base->type;
		if (type == GEN_DNS || type == GEN_URI || (addr && type == GEN_IPADD))
			return 1;
	}
	return 0;
}

// common_name tells whether a path's leaf has a common name that may stand for
// a domain: no authority above may vouch for some hosts only (RFC 5280
// 4.2.1.10), for the common name would escape that.
static int common_name(STACK_OF(X509) *path)
{
	X509_NAME *subject = X509_get_subject_name(sk_X509_value(path, 0));
	const ASN1_STRING *cn;
	ASN1_OCTET_STRING *addr;
	int at = -1, next, found = 0;

	while ((next = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0)
		at = next;
	if (at < 0)
		return 0;
	cn = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
	if (ASN1_STRING_length(cn) == 0)
		return 0;
	addr = a2i_IPADDRESS((const char *)ASN1_STRING_get0_data(cn));
	for (int i = 1; i < sk_X509_num(path) && !found; i++) {
		NAME_CONSTRAINTS *c = X509_get_ext_d2i(sk_X509_value(path, i), NID_name_constraints, NULL, NULL);
		found = c && (limits(c->permittedSubtrees, addr != NULL) || limits(c->excludedSubtrees, addr != NULL));
		NAME_CONSTRAINTS_free(c);
	}
	ASN1_OCTET_STRING_free(addr);
	return !found;
}

// speaks tells whether a path's leaf names a SIP domain at all (RFC 5922 7.1).
static int speaks(STACK_OF(X509) *path)
{
	X509 *x = sk_X509_value(path, 0);
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	int found = 0, any = X509_get_ext_by_NID(x, NID_subject_alt_name, -1) >= 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		found = name->type == GEN_DNS ||
		        (name->type == GEN_URI && is_sip_domain(name->d.uniformResourceIdentifier));
	}
	GENERAL_NAMES_free(names);
	return found || (!any && common_name(path));
}

// anchored passes over what libcrypto says of lists for the last certificate of
// a path: it is ours to trust, and no list of anybody's is asked for.
static int anchored(int ok, X509_STORE_CTX *x)
{
	int depth = X509_STORE_CTX_get_error_depth(x);

	if (ok || depth + 1 < sk_X509_num(X509_STORE_CTX_get0_chain(x)))
		return ok;
	switch (X509_STORE_CTX_get_error(x)) {
	case X509_V_ERR_UNABLE_TO_GET_CRL:
	case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
	case X509_V_ERR_CRL_NOT_YET_VALID:
	case X509_V_ERR_CRL_HAS_EXPIRED:
	case X509_V_ERR_CRL_SIGNATURE_FAILURE:
	case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
	case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
	case X509_V_ERR_DIFFERENT_CRL_SCOPE:
	case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
	case X509_V_ERR_CERT_REVOKED:
		X509_STORE_CTX_set_error(x, X509_V_OK);
		return 1;
	default:
		return 0;
	}
}

// check gives 0 for a good chain, else why it is refused.
static int check(sc_domain *d, X509_STORE_CTX *x)
{
	X509_STORE_CTX_set_verify_cb(x, anchored);
	if (X509_verify_cert(x) <= 0) {
		int err = X509_STORE_CTX_get_error(x);
		return err != X509_V_OK ? err : X509_V_ERR_UNSPECIFIED;
	}
	if (!usable(d->accept, X509_STORE_CTX_get0_chain(x))) {
		X509_STORE_CTX_set_error(x, X509_V_ERR_INVALID_PURPOSE);
		return SC_REFUSED_USAGE;
	}
	if (d->server && d->named && !speaks(X509_STORE_CTX_get0_chain(x))) {
		X509_STORE_CTX_set_error(x, X509_V_ERR_APPLICATION_VERIFICATION);
		return SC_REFUSED_NAME;
	}
	return 0;
}

// sc_verify is called for the chain of a full handshake. A client stops there
// and asks Go whether the name is the one that was meant (SC_JUDGE); it is then
// called again.
int sc_verify(X509_STORE_CTX *x, void *domain)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(x, SSL_get_ex_data_X509_STORE_CTX_idx());
	sc_conn *c = SSL_get_app_data(ssl);
	sc_domain *d = domain;

	X509_STORE_CTX_set_error(x, X509_V_OK);
	// A ticket has no room for such a chain: there is none, and each handshake is a full one.
	if (d->server && sc_chain_size(X509_STORE_CTX_get0_untrusted(x)) > SC_TICKET_CHAIN)
		c->no_ticket = !SSL_set_num_tickets(ssl, 0) || SSL_version(ssl) < TLS1_3_VERSION;
	if (!d->verify || c->judge == 2)
		return 1;
	c->verify_error = c->judge == 3 ? SC_REFUSED_NAME : check(d, x);
	if (c->judge == 3)
		X509_STORE_CTX_set_error(x, X509_V_ERR_HOSTNAME_MISMATCH);
	if (c->verify_error) {
		sc_note_refused(c, X509_STORE_CTX_get0_untrusted(x));
		return 0;
	}
	if (c->judge == 1)
		SSL_set_retry_verify(ssl);
	return 1;
}

// sc_verify_again checks the chain of a session that is about to be resumed, by
// the authorities and lists of now.
int sc_verify_again(sc_domain *d, SSL *ssl, X509 *leaf, STACK_OF(X509) *chain)
{
	X509_STORE_CTX *x;
	int good = 0;

	if (!d->verify || !leaf)
		return 1;
	x = X509_STORE_CTX_new();
	if (x && X509_STORE_CTX_init(x, SSL_CTX_get_cert_store(d->ctx), leaf, chain)) {
		X509_STORE_CTX_set_default(x, d->server ? "ssl_client" : "ssl_server");
		X509_VERIFY_PARAM_set1(X509_STORE_CTX_get0_param(x), SSL_get0_param(ssl));
		good = check(d, x) == 0;
	}
	X509_STORE_CTX_free(x);
	return good;
}
