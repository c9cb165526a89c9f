//go:build openssl

// The two pieces of memory that an SSL is between, as a BIO.

#include "conn.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static BIO_METHOD *method;

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

// sc_append adds to a buffer that grows; 0 without memory.
int sc_append(void *buf, size_t *len, size_t *cap, const void *p, size_t n)
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
	return sc_append(&c->spill, &c->spill_len, &c->spill_cap, p, n) ? n : -1;
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

static void setup(void)
{
	method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sipreactor memory");
	if (method) {
		BIO_meth_set_read(method, take);
		BIO_meth_set_write(method, give);
		BIO_meth_set_ctrl(method, control);
		BIO_meth_set_create(method, create);
	}
}

// sc_memory makes the BIO of a connection; NULL without memory.
BIO *sc_memory(sc_conn *c)
{
	BIO *b = NULL;

	pthread_once(&once, setup);
	if (method && (b = BIO_new(method)))
		BIO_set_data(b, c);
	return b;
}

void sc_drop_spill(sc_conn *c)
{
	free(c->spill);
	c->spill = NULL;
	c->spill_len = c->spill_cap = 0;
}
