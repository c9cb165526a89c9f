//go:build openssl

// Chains of certificates: how long one is, and that of a session.

#include "shim.h"

// sc_chain_size gives the bytes of a chain, DER.
size_t sc_chain_size(const STACK_OF(X509) *chain)
{
	size_t len = 0;

	for (int i = 0; i < sk_X509_num(chain); i++)
		len += i2d_X509(sk_X509_value(chain, i), NULL);
	return len;
}

// sc_session_chain gives what a ticket holds of the chain above the leaf (ticket.c: add_chain); the caller frees it.
STACK_OF(X509) *sc_session_chain(SSL_SESSION *s)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	void *data;
	size_t len;
	X509 *x;

	if (chain && s && SSL_SESSION_get0_ticket_appdata(s, &data, &len)) {
		const unsigned char *p = data, *end = p + len;
		while (p < end && (x = d2i_X509(NULL, &p, end - p)))
			if (!sk_X509_push(chain, x))
				X509_free(x);
	}
	return chain;
}
