//go:build openssl

// What is noticed of a connection as it goes by: alerts, retries, secrets.

#include "conn.h"

#include <stdlib.h>
#include <string.h>

// The random of a ServerHello that is a HelloRetryRequest (RFC 8446 4.1.3).
static const unsigned char retry_random[32] = {
	0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
	0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
};

// watch notes alerts and HelloRetryRequests as they pass.
static void watch(int sent, int version, int type, const void *buf, size_t len, SSL *ssl, void *arg)
{
	sc_conn *c = SSL_get_app_data(ssl);
	const unsigned char *p = buf;

	(void)version;
	(void)arg;
	if (!c)
		return;
	if (type == SSL3_RT_ALERT && len == 2) {
		if (sent)
			c->alert_out = p[1];
		else
			c->alert_in = p[1];
	}
	if (type == SSL3_RT_HANDSHAKE && len >= 38 && p[0] == SSL3_MT_SERVER_HELLO &&
	    !memcmp(p + 6, retry_random, sizeof retry_random))
		c->retried = 1;
}

void sc_watch(SSL_CTX *ctx) { SSL_CTX_set_msg_callback(ctx, watch); }

void sc_log_secret(const SSL *ssl, const char *line)
{
	sc_conn *c = SSL_get_app_data(ssl);

	if (c && c->log) {
		sc_append(&c->secrets, &c->secrets_len, &c->secrets_cap, line, strlen(line));
		sc_append(&c->secrets, &c->secrets_len, &c->secrets_cap, "\n", 1);
	}
}

void sc_drop_secrets(sc_conn *c)
{
	if (c->secrets)
		OPENSSL_cleanse(c->secrets, c->secrets_cap);
	free(c->secrets);
	c->secrets = NULL;
	c->secrets_len = c->secrets_cap = 0;
}
