//go:build openssl

// A connection: an SSL between two pieces of memory, and its steps.

#include "conn.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/bio.h>
#include <openssl/err.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static SSL_CTX *probe; // whose connections stop at the ClientHello

// peek stops the probe at the ClientHello and takes its server_name
// (RFC 6066 3). The connection is then made anew with the domain's SSL_CTX and
// given the same bytes again, so that all of the domain's settings hold as they
// are: SSL_set_SSL_CTX would carry over only some of them.
static int peek(SSL *ssl, int *alert, void *arg)
{
	sc_conn *c = SSL_get_app_data(ssl);
	const unsigned char *p;
	size_t n, length;

	(void)arg;
	free(c->sni);
	c->sni = NULL;
	if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &p, &n))
		return SSL_CLIENT_HELLO_RETRY;
	*alert = SSL_AD_DECODE_ERROR;
	if (n < 5 || (size_t)(p[0] << 8 | p[1]) != n - 2 || p[2] != TLSEXT_NAMETYPE_host_name)
		return SSL_CLIENT_HELLO_ERROR;
	length = (size_t)(p[3] << 8 | p[4]);
	if (length == 0 || length > n - 5 || length > TLSEXT_MAXLEN_host_name || memchr(p + 5, 0, length))
		return SSL_CLIENT_HELLO_ERROR;
	if (!(c->sni = strndup((const char *)p + 5, length)))
		return SSL_CLIENT_HELLO_ERROR;
	return SSL_CLIENT_HELLO_RETRY;
}

static void setup(void)
{
	probe = SSL_CTX_new(TLS_server_method());
	if (probe) {
		SSL_CTX_set_client_hello_cb(probe, peek, NULL);
		sc_watch(probe);
	}
}

sc_conn *sc_conn_new(void)
{
	sc_conn *c = calloc(1, sizeof *c);

	if (c)
		c->alert_in = c->alert_out = -1;
	return c;
}

// attach makes the connection's SSL.
static int attach(sc_conn *c, SSL_CTX *ctx)
{
	BIO *b;

	ERR_clear_error();
	if (!ctx || !(c->ssl = SSL_new(ctx)) || !(b = sc_memory(c)))
		return 0;
	SSL_set_bio(c->ssl, b, b);
	SSL_set_app_data(c->ssl, c);
	return 1;
}

// sc_probe makes a connection that goes no further than the ClientHello.
sc_conn *sc_probe(void)
{
	sc_conn *c = sc_conn_new();

	pthread_once(&once, setup);
	if (!c)
		return NULL;
	if (!attach(c, probe)) {
		sc_conn_free(c);
		return NULL;
	}
	SSL_set_accept_state(c->ssl);
	return c;
}

// sc_conn_use begins a handshake for a domain, from the first byte.
int sc_conn_use(sc_conn *c, sc_domain *d, int server, int64_t now, const char *sni)
{
	SSL_free(c->ssl);
	c->ssl = NULL;
	c->domain = d;
	if (!attach(c, sc_domain_ctx(d)))
		return 0;
	if (now)
		X509_VERIFY_PARAM_set_time(SSL_get0_param(c->ssl), (time_t)now);
	if (server)
		SSL_set_accept_state(c->ssl);
	else
		SSL_set_connect_state(c->ssl);
	return !sni || SSL_set_tlsext_host_name(c->ssl, sni);
}

void sc_conn_free(sc_conn *c)
{
	if (!c)
		return;
	// libssl makes a session that ended without our close_notify one that cannot be resumed. RFC 5246 7.2.1 asks for
	// that no longer, and a peer that goes away is when it matters.
	SSL_set_shutdown(c->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(c->ssl);
	SSL_SESSION_free(c->fresh);
	free(c->refused);
	sc_drop_spill(c);
	sc_drop_secrets(c);
	free(c->sni);
	free(c);
}

static void begin(sc_conn *c, const void *in, size_t n, void *out, size_t cap)
{
	c->in = in;
	c->in_len = n;
	c->in_used = 0;
	c->out = out;
	c->out_cap = cap;
	c->out_len = 0;
	c->done = 0;
	c->err = 0;
	ERR_clear_error();
}

// end tells how the step ended and lets go of Go's memory. The error queue is
// the thread's, so it is read in the same call.
static int end(sc_conn *c, int ret)
{
	int result = SC_DONE;

	if (ret <= 0) {
		switch (SSL_get_error(c->ssl, ret)) {
		case SSL_ERROR_WANT_READ:
			result = SC_WANT;
			break;
		case SSL_ERROR_WANT_CLIENT_HELLO_CB:
			result = SC_HELLO;
			break;
		case SSL_ERROR_WANT_RETRY_VERIFY:
			result = SC_JUDGE;
			break;
		case SSL_ERROR_ZERO_RETURN:
			result = SC_CLOSED;
			break;
		default:
			c->err = ERR_peek_error();
			result = SC_FAILED;
		}
	}
	c->in = NULL;
	c->out = NULL;
	return result;
}

int sc_handshake(sc_conn *c, const void *in, size_t n, void *out, size_t cap)
{
	begin(c, in, n, out, cap);
	return end(c, SSL_do_handshake(c->ssl));
}

int sc_read(sc_conn *c, const void *in, size_t n, void *p, size_t len)
{
	int ret;

	begin(c, in, n, NULL, 0);
	ret = SSL_read_ex(c->ssl, p, len, &c->done);
	c->pending = SSL_pending(c->ssl) > 0;
	c->unfinished = SSL_in_init(c->ssl); // a message that comes behind the handshake is not whole
	return end(c, ret);
}

int sc_write(sc_conn *c, const void *p, size_t len, void *out, size_t cap)
{
	begin(c, NULL, 0, out, cap);
	return end(c, SSL_write_ex(c->ssl, p, len, &c->done));
}

int sc_shutdown(sc_conn *c, void *out, size_t cap)
{
	int ret;

	begin(c, NULL, 0, out, cap);
	ret = SSL_shutdown(c->ssl);
	return end(c, ret < 0 ? ret : 1); // 0: the peer's is still to come
}

void sc_free(void *p) { free(p); }
