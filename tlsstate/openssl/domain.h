// A domain, as the C files see it.

#ifndef SIPREACTOR_OPENSSL_DOMAIN_H
#define SIPREACTOR_OPENSSL_DOMAIN_H

#include "shim.h"

#include <pthread.h>

struct sc_domain {
	SSL_CTX *ctx;
	int server;
	int verify; // check the peer's chain
	int accept; // sc_accept
	int named;  // server: the peer has to speak for some SIP domain
	pthread_rwlock_t lock; // of the ticket keys
	sc_ticket_key *keys;
	int keys_len;
};

#endif
