// A connection, as the C files see it.

#ifndef SIPREACTOR_OPENSSL_CONN_H
#define SIPREACTOR_OPENSSL_CONN_H

#include "shim.h"

#include <openssl/bio.h>

int sc_append(void *buf, size_t *len, size_t *cap, const void *p, size_t n);
BIO *sc_memory(sc_conn *c);

#endif
