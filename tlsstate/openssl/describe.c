//go:build openssl

// What a connection has become: version, cipher, certificates.

#include "conn.h"

void sc_describe(sc_conn *c)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(c->ssl);

	c->version = SSL_version(c->ssl);
	c->cipher = cipher ? SSL_CIPHER_get_protocol_id(cipher) : 0;
	c->resumed = SSL_session_reused(c->ssl);
}

static int add_der(unsigned char **buf, size_t *len, size_t *cap, X509 *x)
{
	unsigned char *der = NULL;
	int n = i2d_X509(x, &der);
	int ok = n > 0 && sc_append(buf, len, cap, der, n);

	OPENSSL_free(der);
	return ok;
}

// sc_peers gives the peer's chain, leaf first, each certificate's DER behind
// the other; NULL when there is none.
unsigned char *sc_peers(sc_conn *c, size_t *len)
{
	X509 *leaf = SSL_get0_peer_certificate(c->ssl);
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(c->ssl), *stored = NULL;
	unsigned char *buf = NULL;
	size_t cap = 0;

	*len = 0;
	if (!leaf && chain && sk_X509_num(chain) > 0)
		leaf = sk_X509_value(chain, 0); // a client that is asked to judge
	if (!leaf) {
		if (c->refused_len)
			sc_append(&buf, len, &cap, c->refused, c->refused_len);
		return buf;
	}
	if (!chain && SSL_is_server(c->ssl))
		chain = stored = sc_session_chain(SSL_get_session(c->ssl));
	add_der(&buf, len, &cap, leaf);
	for (int i = SSL_is_server(c->ssl) ? 0 : 1; i < sk_X509_num(chain); i++)
		add_der(&buf, len, &cap, sk_X509_value(chain, i));
	sk_X509_pop_free(stored, X509_free);
	return buf;
}

// sc_note_refused keeps a chain that is not accepted: libssl forgets what a
// client has shown.
void sc_note_refused(sc_conn *c, STACK_OF(X509) *chain)
{
	c->refused_len = 0;
	for (int i = 0; i < sk_X509_num(chain); i++)
		add_der(&c->refused, &c->refused_len, &c->refused_cap, sk_X509_value(chain, i));
}

// sc_own gives the leaf certificate that was chosen; NULL for none.
unsigned char *sc_own(sc_conn *c, size_t *len)
{
	X509 *own = SSL_get_certificate(c->ssl);
	unsigned char *buf = NULL;
	size_t cap = 0;

	*len = 0;
	if (own)
		add_der(&buf, len, &cap, own);
	return buf;
}
