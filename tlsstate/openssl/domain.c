//go:build openssl

// A domain: an SSL_CTX that is made once and then only used.

#include "domain.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static atomic_long live;

long sc_domains_live(void) { return atomic_load(&live); }

SSL_CTX *sc_domain_ctx(sc_domain *d) { return d->ctx; }

// reason gives the text of what went wrong last.
static const char *reason(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return text ? text : "libssl refuses it";
}

// asked notes that the server wants a certificate of ours; on a server it is
// called for every certificate.
static int asked(SSL *ssl, void *arg)
{
	sc_conn *c = SSL_get_app_data(ssl);

	(void)arg;
	if (c)
		c->asked = 1;
	return 1;
}

// suites_13 are those of TLS 1.3, in the order of crypto/tls.
static const char suites_13[] = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

sc_domain *sc_domain_new(int server, int min_version, int max_version)
{
	sc_domain *d = calloc(1, sizeof *d);

	if (!d)
		return NULL;
	pthread_rwlock_init(&d->lock, NULL);
	atomic_fetch_add(&live, 1);
	d->server = server;
	d->ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
	if (!d->ctx || !SSL_CTX_set_min_proto_version(d->ctx, min_version) ||
	    !SSL_CTX_set_max_proto_version(d->ctx, max_version) ||
	    !SSL_CTX_set_ciphersuites(d->ctx, suites_13)) {
		sc_domain_free(d);
		return NULL;
	}
	// What is configured as our chain is what is shown: nothing is added to it
	// from the authorities that peers are checked against.
	SSL_CTX_set_mode(d->ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_options(d->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
	                            SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(d->ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(d->ctx, 0);
	SSL_CTX_set_cert_verify_callback(d->ctx, sc_verify, d);
	SSL_CTX_set_cert_cb(d->ctx, asked, NULL);
	sc_watch(d->ctx);
	return d;
}

void sc_domain_free(sc_domain *d)
{
	if (!d)
		return;
	SSL_CTX_free(d->ctx);
	pthread_rwlock_destroy(&d->lock);
	OPENSSL_clear_free(d->keys, d->keys_len * sizeof *d->keys);
	free(d);
	atomic_fetch_sub(&live, 1);
}

const char *sc_domain_ciphers(sc_domain *d, const char *list)
{
	ERR_clear_error();
	return SSL_CTX_set_cipher_list(d->ctx, list) ? NULL : reason();
}

const char *sc_domain_groups(sc_domain *d, const char *list)
{
	ERR_clear_error();
	return SSL_CTX_set1_groups_list(d->ctx, list) ? NULL : reason();
}

// no_passphrase keeps libcrypto from asking a terminal.
static int no_passphrase(char *buf, int size, int rwflag, void *u)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)u;
	return -1;
}

// sc_domain_pair adds a chain, leaf first, with its key. Of several pairs with
// one kind of key the last stays.
const char *sc_domain_pair(sc_domain *d, const void *chain, int chain_len, const void *key, int key_len)
{
	BIO *certs = BIO_new_mem_buf(chain, chain_len), *keys = BIO_new_mem_buf(key, key_len);
	X509 *leaf = NULL, *above;
	EVP_PKEY *private = NULL;
	int ok = 0;

	ERR_clear_error();
	if (certs && keys && (leaf = PEM_read_bio_X509(certs, NULL, no_passphrase, NULL)) &&
	    (private = PEM_read_bio_PrivateKey(keys, NULL, no_passphrase, NULL))) {
		ok = SSL_CTX_use_cert_and_key(d->ctx, leaf, private, NULL, 1);
		if (ok) {
			SSL_CTX_clear_chain_certs(d->ctx);
			while (ok && (above = PEM_read_bio_X509(certs, NULL, no_passphrase, NULL)))
				if (!(ok = SSL_CTX_add0_chain_cert(d->ctx, above)))
					X509_free(above);
		}
	}
	X509_free(leaf);
	EVP_PKEY_free(private);
	BIO_free(certs);
	BIO_free(keys);
	if (ok) {
		ERR_clear_error(); // the end of the PEM text is an error to its reader
		return NULL;
	}
	return reason();
}

const char *sc_domain_authority(sc_domain *d, const void *der, long len)
{
	const unsigned char *p = der;
	X509 *x = d2i_X509(NULL, &p, len);
	int ok = x && X509_STORE_add_cert(SSL_CTX_get_cert_store(d->ctx), x);

	X509_free(x);
	return ok ? NULL : reason();
}

const char *sc_domain_system(sc_domain *d)
{
	return SSL_CTX_set_default_verify_paths(d->ctx) ? NULL : reason();
}

const char *sc_domain_crl(sc_domain *d, const void *der, long len)
{
	const unsigned char *p = der;
	X509_CRL *crl = d2i_X509_CRL(NULL, &p, len);
	int ok = crl && X509_STORE_add_crl(SSL_CTX_get_cert_store(d->ctx), crl);

	X509_CRL_free(crl);
	return ok ? NULL : reason();
}

// sc_domain_verify says what is demanded of the peer. Any certificate among the
// authorities is a trust anchor, a leaf as well, and extended key usages are
// ours to check, so libcrypto looks at none (X509_PURPOSE_ANY).
void sc_domain_verify(sc_domain *d, int verify, int require, int accept, int named, int crl, int crl_all)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(d->ctx);
	int mode = SSL_VERIFY_NONE;

	d->verify = verify;
	d->accept = accept;
	d->named = named;
	X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_ANY);
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
	// What a common name may stand for is ours to check, too.
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	if (crl)
		X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_CRL_CHECK | (crl_all ? X509_V_FLAG_CRL_CHECK_ALL : 0));
	if (verify || (d->server && require))
		mode = SSL_VERIFY_PEER;
	if (d->server && require)
		mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	SSL_CTX_set_verify(d->ctx, mode, NULL);
}

// sc_domain_tickets lets sessions be resumed. context tells this domain's
// sessions from others.
void sc_domain_tickets(sc_domain *d, const void *context, unsigned len)
{
	SSL_CTX_clear_options(d->ctx, SSL_OP_NO_TICKET);
	SSL_CTX_set_session_id_context(d->ctx, context, len);
	sc_use_tickets(d->ctx, d->server);
}

void sc_domain_log(sc_domain *d) { SSL_CTX_set_keylog_callback(d->ctx, sc_log_secret); }
