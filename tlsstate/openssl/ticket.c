//go:build openssl

// Session tickets (RFC 8446 4.6.1, RFC 5077), both roles. A ticket holds the
// peer's leaf by libssl's doing; the certificates above it are added here, so
// that a resumed chain can be checked again.

#include "shim.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

// seal_or_open sets the keys of one ticket: 1 good, 2 good but to be replaced,
// 0 unknown, negative a fault.
static int seal_or_open(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int seal)
{
	sc_conn *c = SSL_get_app_data(ssl);
	sc_ticket_key key;
	OSSL_PARAM params[3];
	int place = sc_domain_ticket_key(c->domain, seal ? NULL : name, &key), ok;

	if (!place || (seal && c->no_ticket)) // to seal, that is an empty ticket (RFC 5077 3.3)
		return 0;
	if (seal) {
		for (size_t i = 0; i < sizeof key.name; i++)
			name[i] = key.name[i];
		if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) <= 0)
			return -1;
	}
	params[0] = OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.hmac, sizeof key.hmac);
	params[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, "SHA256", 0);
	params[2] = OSSL_PARAM_construct_end();
	ok = EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.aes, iv, seal) && EVP_MAC_CTX_set_params(mac, params);
	OPENSSL_cleanse(&key, sizeof key);
	if (!ok)
		return -1;
	return place > 1 ? 2 : 1;
}

// add_chain puts what the peer sent above its leaf into a new ticket. That of a
// resumed session stays as it is.
static int add_chain(SSL *ssl, void *arg)
{
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
	unsigned char *buf, *p;
	int len = 0, ok;

	(void)arg;
	if (SSL_session_reused(ssl) || sk_X509_num(chain) <= 0)
		return 1;
	len = sc_chain_size(chain);
	if (len > SC_TICKET_CHAIN || !(p = buf = OPENSSL_malloc(len)))
		return 1; // without it the session is verified by its leaf alone, or not resumed
	for (int i = 0; i < sk_X509_num(chain); i++)
		i2d_X509(sk_X509_value(chain, i), &p);
	ok = SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), buf, len);
	OPENSSL_free(buf);
	return ok;
}

// verify_ticket checks the chain of a ticket that opened. One that does not
// pass any more is passed over: the handshake is a full one and says why.
static SSL_TICKET_RETURN verify_ticket(SSL *ssl, SSL_SESSION *s, const unsigned char *name, size_t len,
                                       SSL_TICKET_STATUS status, void *arg)
{
	sc_conn *c = SSL_get_app_data(ssl);
	STACK_OF(X509) *chain;
	int good;

	(void)name;
	(void)len;
	(void)arg;
	if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
		return status == SSL_TICKET_EMPTY || status == SSL_TICKET_NO_DECRYPT ? SSL_TICKET_RETURN_IGNORE_RENEW
		                                                                      : SSL_TICKET_RETURN_ABORT;
	chain = sc_session_chain(s);
	good = sc_verify_again(c->domain, ssl, SSL_SESSION_get0_peer(s), chain);
	sk_X509_pop_free(chain, X509_free);
	if (!good)
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

// keep holds a client's new session until Go takes it.
static int keep(SSL *ssl, SSL_SESSION *s)
{
	sc_conn *c = SSL_get_app_data(ssl);

	SSL_SESSION_free(c->fresh);
	c->fresh = s;
	c->fresh_size = i2d_SSL_SESSION(s, NULL) + sc_chain_size(SSL_get_peer_cert_chain(ssl));
	return 1;
}

void sc_use_tickets(SSL_CTX *ctx, int server)
{
	if (server) {
		SSL_CTX_set_num_tickets(ctx, 1);
		SSL_CTX_set_timeout(ctx, 24 * 3600);
		SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, seal_or_open);
		SSL_CTX_set_session_ticket_cb(ctx, add_chain, verify_ticket, NULL);
		return;
	}
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, keep);
}

// sc_conn_resume offers a session, if its chain still passes. It is copied:
// several connections may offer it at once.
int sc_conn_resume(sc_conn *c, SSL_SESSION *s)
{
	SSL_SESSION *copy = SSL_SESSION_dup(s);
	int ok = 0;

	if (copy && SSL_set_session(c->ssl, copy)) {
		STACK_OF(X509) *chain = SSL_get_peer_cert_chain(c->ssl);
		ok = SSL_SESSION_is_resumable(copy) && sc_verify_again(c->domain, c->ssl, SSL_SESSION_get0_peer(copy), chain);
		if (!ok)
			SSL_set_session(c->ssl, NULL);
	}
	SSL_SESSION_free(copy);
	ERR_clear_error();
	return ok;
}
