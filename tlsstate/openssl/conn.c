//go:build openssl

// A connection: an SSL between two pieces of memory.

#include "shim.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/bio.h>
#include <openssl/err.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static BIO_METHOD *memory;
static SSL_CTX *probe;

// take gives libssl the bytes that were fed.
static int take(BIO *b, char *p, int n)
{
	sc_conn *c = BIO_get_data(b);
	size_t left = c->in_len - c->in_used;

	BIO_clear_retry_flags(b);
	if (left == 0) {
		BIO_set_retry_read(b);
		return -1;
	}
	if ((size_t)n > left)
		n = (int)left;
	memcpy(p, c->in + c->in_used, n);
	c->in_used += n;
	return n;
}

// append adds to a buffer that grows; 0 without memory.
static int append(void *buf, size_t *len, size_t *cap, const void *p, size_t n)
{
	unsigned char **b = buf;

	if (*cap - *len < n) {
		size_t want = *len + n + 512;
		unsigned char *more = realloc(*b, want);
		if (!more)
			return 0;
		*b = more;
		*cap = want;
	}
	memcpy(*b + *len, p, n);
	*len += n;
	return 1;
}

// give collects what libssl sends. What does not fit into Go's buffer, and all
// that comes after it, spills into ours.
static int give(BIO *b, const char *p, int n)
{
	sc_conn *c = BIO_get_data(b);

	BIO_clear_retry_flags(b);
	if (c->spill_len == 0 && c->out_cap - c->out_len >= (size_t)n) {
		memcpy(c->out + c->out_len, p, n);
		c->out_len += n;
		return n;
	}
	return append(&c->spill, &c->spill_len, &c->spill_cap, p, n) ? n : -1;
}

static long control(BIO *b, int cmd, long num, void *ptr)
{
	(void)b;
	(void)num;
	(void)ptr;
	return cmd == BIO_CTRL_FLUSH || cmd == BIO_CTRL_DUP;
}

static int create(BIO *b)
{
	BIO_set_init(b, 1);
	return 1;
}

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
	memory = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sipreactor memory");
	if (memory) {
		BIO_meth_set_read(memory, take);
		BIO_meth_set_write(memory, give);
		BIO_meth_set_ctrl(memory, control);
		BIO_meth_set_create(memory, create);
	}
	probe = SSL_CTX_new(TLS_server_method());
	if (probe) {
		SSL_CTX_set_client_hello_cb(probe, peek, NULL);
		sc_watch(probe);
	}
}

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
		append(&c->secrets, &c->secrets_len, &c->secrets_cap, line, strlen(line));
		append(&c->secrets, &c->secrets_len, &c->secrets_cap, "\n", 1);
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

	pthread_once(&once, setup);
	ERR_clear_error();
	if (!memory || !ctx || !(c->ssl = SSL_new(ctx)))
		return 0;
	if (!(b = BIO_new(memory)))
		return 0;
	BIO_set_data(b, c);
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
	SSL_free(c->ssl);
	SSL_SESSION_free(c->fresh);
	sc_drop_spill(c);
	sc_drop_secrets(c);
	free(c->sni);
	free(c);
}

void sc_drop_spill(sc_conn *c)
{
	free(c->spill);
	c->spill = NULL;
	c->spill_len = c->spill_cap = 0;
}

void sc_drop_secrets(sc_conn *c)
{
	if (c->secrets)
		OPENSSL_cleanse(c->secrets, c->secrets_cap);
	free(c->secrets);
	c->secrets = NULL;
	c->secrets_len = c->secrets_cap = 0;
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
	int ok = n > 0 && append(buf, len, cap, der, n);

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
	if (!leaf)
		return NULL;
	if (!chain && SSL_is_server(c->ssl))
		chain = stored = sc_session_chain(SSL_get_session(c->ssl));
	add_der(&buf, len, &cap, leaf);
	for (int i = SSL_is_server(c->ssl) ? 0 : 1; i < sk_X509_num(chain); i++)
		add_der(&buf, len, &cap, sk_X509_value(chain, i));
	sk_X509_pop_free(stored, X509_free);
	return buf;
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

void sc_free(void *p) { free(p); }
