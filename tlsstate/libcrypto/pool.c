//go:build openssl

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "pool.h"

// key_sign signs a digest. padding is one of RSA's, 0 for other keys; a PSS salt is as long as the digest.
int key_sign(EVP_PKEY *key, const EVP_MD *md, int padding, const unsigned char *digest, size_t n,
	unsigned char *sig, size_t *len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	int ok = ctx && EVP_PKEY_sign_init(ctx) > 0 &&
		(!padding || EVP_PKEY_CTX_set_rsa_padding(ctx, padding) > 0) &&
		(padding != RSA_PKCS1_PSS_PADDING || EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0) &&
		EVP_PKEY_CTX_set_signature_md(ctx, md) > 0 &&
		EVP_PKEY_sign(ctx, sig, len, digest, n) > 0;
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

struct task *task_new(EVP_PKEY *key, const EVP_MD *md, int padding, const unsigned char *digest, size_t n, size_t size)
{
	struct task *t = n <= EVP_MAX_MD_SIZE ? malloc(sizeof *t + size) : NULL;
	if (!t)
		return NULL;
	memset(t, 0, sizeof *t);
	EVP_PKEY_up_ref(key);
	t->key = key;
	t->md = md;
	t->padding = padding;
	t->digest_len = n;
	t->sig_len = size;
	memcpy(t->digest, digest, n);
	return t;
}

void task_free(struct task *t)
{
	EVP_PKEY_free(t->key);
	free(t);
}

// queue is a list of tasks, first in, first out.
struct queue {
	struct task *head, **tail;
};

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t some = PTHREAD_COND_INITIALIZER;
static struct queue todo = { NULL, &todo.head }, done = { NULL, &done.head };
static int wakeup = -1; // is written to when done gets its first

static void put(struct queue *q, struct task *t)
{
	t->next = NULL;
	*q->tail = t;
	q->tail = &t->next;
}

static void *run(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&mu);
	for (;;) {
		struct task *t = todo.head;
		if (!t) {
			pthread_cond_wait(&some, &mu);
			continue;
		}
		if (!(todo.head = t->next))
			todo.tail = &todo.head;
		pthread_mutex_unlock(&mu);
		t->ok = key_sign(t->key, t->md, t->padding, t->digest, t->digest_len, t->sig, &t->sig_len);
		pthread_mutex_lock(&mu);
		int first = !done.head;
		put(&done, t);
		if (first) {
			pthread_mutex_unlock(&mu);
			(void)!write(wakeup, &(uint64_t){ 1 }, sizeof(uint64_t));
			pthread_mutex_lock(&mu);
		}
	}
	return NULL;
}

// pool_start starts so many threads, which end with the program, and gives the eventfd that can be read when there is something
// to collect; -1 when not one thread could be had.
int pool_start(int threads)
{
	sigset_t all, old;
	pthread_t thread;
	int started = 0;
	if ((wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
		return -1;
	sigfillset(&all); // signals are Go's
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (threads-- > 0 && pthread_create(&thread, NULL, run, NULL) == 0) {
		pthread_detach(thread);
		started++;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!started) {
		close(wakeup);
		return -1;
	}
	return wakeup;
}

void pool_submit(struct task *t)
{
	pthread_mutex_lock(&mu);
	put(&todo, t);
	pthread_mutex_unlock(&mu);
	pthread_cond_signal(&some);
}

// pool_collect gives the tasks that are done, as a list, oldest first.
struct task *pool_collect(void)
{
	pthread_mutex_lock(&mu);
	struct task *list = done.head;
	done.head = NULL;
	done.tail = &done.head;
	pthread_mutex_unlock(&mu);
	return list;
}
