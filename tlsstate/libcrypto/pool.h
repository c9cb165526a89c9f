// Threads that sign: see pool.go.

#ifndef SIPREACTOR_LIBCRYPTO_POOL_H
#define SIPREACTOR_LIBCRYPTO_POOL_H

#include <stdint.h>
#include <openssl/evp.h>

// task is a signature to be made. Go fills and frees it; between submit and collect it is the pool's.
struct task {
	struct task *next;
	uintptr_t caller; // a handle of Go's
	EVP_PKEY *key;    // a reference of the task's own
	const EVP_MD *md;
	int padding;
	int ok;
	size_t digest_len, sig_len;
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned char sig[]; // sig_len bytes
};

int key_sign(EVP_PKEY *key, const EVP_MD *md, int padding, const unsigned char *digest, size_t n,
	unsigned char *sig, size_t *len);

struct task *task_new(EVP_PKEY *key, const EVP_MD *md, int padding, const unsigned char *digest, size_t n, size_t size);
void task_free(struct task *t);

static inline unsigned char *task_sig(struct task *t) { return t->sig; } // cgo knows no flexible arrays

int pool_start(int threads);
void pool_submit(struct task *t);
struct task *pool_collect(void);

#endif
