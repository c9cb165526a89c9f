// What Go and C share: one call a step, results left in the connection's own
// structure, no call from C into Go.

#ifndef SIPREACTOR_OPENSSL_SHIM_H
#define SIPREACTOR_OPENSSL_SHIM_H

#include <stddef.h>
#include <stdint.h>
#include <openssl/ssl.h>

// SC_TICKET_CHAIN is how long a client's chain may be that goes into its ticket.
#define SC_TICKET_CHAIN 16384

// sc_result is how a step ended.
enum sc_result {
	SC_DONE,   // what was asked for is done
	SC_WANT,   // out of bytes of the peer
	SC_CLOSED, // the peer said close_notify
	SC_FAILED, // err, alert_in and verify_error say more
	SC_HELLO,  // a ClientHello is there and the domain has to be chosen
	SC_JUDGE,  // the peer's chain is good; whether its name is, Go has to say
};

// sc_accept are the extended key usages that a domain accepts.
enum sc_accept {
	SC_SERVER_AUTH = 1,
	SC_CLIENT_AUTH = 2,
	SC_ANY = 4,
	SC_SIP_DOMAIN = 8,
};

// sc_refused tells our own reasons to refuse a chain from X509_V_ERR_*.
enum sc_refused {
	SC_REFUSED_NAME = -1,
	SC_REFUSED_USAGE = -2,
};

// sc_ticket_key is one key of session tickets.
typedef struct {
	unsigned char name[16], aes[32], hmac[32];
} sc_ticket_key;

// sc_domain is a domain's SSL_CTX and what is demanded of peers beyond it. It is
// made at a reload and then only its ticket keys change, under the lock.
typedef struct sc_domain sc_domain;

// sc_conn is one connection. Go reads its fields between two calls; only one
// goroutine has it at a time.
typedef struct sc_conn {
	SSL *ssl;
	sc_domain *domain; // NULL while a ClientHello is looked at

	// The step's buffers: Go's memory, borrowed until the call returns.
	const unsigned char *in;
	size_t in_len, in_used;
	unsigned char *out;
	size_t out_cap, out_len;
	// spill is what did not fit into out.
	unsigned char *spill;
	size_t spill_len, spill_cap;

	size_t done;        // plaintext bytes that were read or written
	int pending;        // more plaintext of the same record waits
	int unfinished;     // a handshake message behind the handshake is not whole
	unsigned long err;  // first entry of the error queue, after SC_FAILED
	int verify_error;   // X509_V_ERR_* or sc_refused
	int alert_in;       // the last alert that came, -1 for none
	int alert_out;      // the last alert that was sent, -1 for none
	int retried;        // there was a HelloRetryRequest
	int no_ticket;      // server: the client's chain has no room in one
	int asked;          // client: the server asked for a certificate
	int judge;          // 1: ask Go about the name; 2: it said yes; 3: no
	char *sni;          // of the ClientHello; NULL for none
	unsigned char *refused; // the chain that was not accepted, each certificate's DER behind the other
	size_t refused_len, refused_cap;
	SSL_SESSION *fresh; // client: a new session, for Go to take
	size_t fresh_size;  // bytes of it, with the server's chain
	int log;            // secrets are wanted
	char *secrets;      // key log lines, each ended by \n
	size_t secrets_len, secrets_cap;

	int version, cipher, resumed; // set by sc_describe
} sc_conn;

// Domains (domain.c). Functions that give a const char * give NULL for success
// or what is wrong, a text that needs no free.
sc_domain *sc_domain_new(int server, int min_version, int max_version);
void sc_domain_free(sc_domain *d);
const char *sc_domain_ciphers(sc_domain *d, const char *list);
const char *sc_domain_groups(sc_domain *d, const char *list);
const char *sc_domain_pair(sc_domain *d, const void *chain, int chain_len, const void *key, int key_len);
const char *sc_domain_authority(sc_domain *d, const void *der, long len);
const char *sc_domain_system(sc_domain *d);
const char *sc_domain_crl(sc_domain *d, const void *der, long len);
void sc_domain_verify(sc_domain *d, int verify, int require, int accept, int named, int crl, int crl_all);
void sc_domain_tickets(sc_domain *d, const void *context, unsigned len);
void sc_domain_log(sc_domain *d);
long sc_domains_live(void);
SSL_CTX *sc_domain_ctx(sc_domain *d);

// Their ticket keys (ticketkey.c).
int sc_domain_keys(sc_domain *d, const sc_ticket_key *keys, int n);
int sc_domain_ticket_key(sc_domain *d, const unsigned char *name, sc_ticket_key *key);

// Verification (verify.c).
int sc_verify(X509_STORE_CTX *x, void *domain);
int sc_verify_again(sc_domain *d, SSL *ssl, X509 *leaf, STACK_OF(X509) *chain);

// Tickets (ticket.c).
void sc_use_tickets(SSL_CTX *ctx, int server);

// Chains (chain.c).
size_t sc_chain_size(const STACK_OF(X509) *chain);
STACK_OF(X509) *sc_session_chain(SSL_SESSION *s);

// Connections (conn.c).
sc_conn *sc_probe(void);
sc_conn *sc_conn_new(void);
int sc_conn_use(sc_conn *c, sc_domain *d, int server, int64_t now, const char *sni);
int sc_conn_resume(sc_conn *c, SSL_SESSION *s);
void sc_conn_free(sc_conn *c);
int sc_handshake(sc_conn *c, const void *in, size_t n, void *out, size_t cap);
int sc_read(sc_conn *c, const void *in, size_t n, void *p, size_t len);
int sc_write(sc_conn *c, const void *p, size_t len, void *out, size_t cap);
int sc_shutdown(sc_conn *c, void *out, size_t cap);
void sc_free(void *p);

// Output that did not fit into Go's buffer (memory.c).
void sc_drop_spill(sc_conn *c);

// What a connection has become (describe.c).
void sc_describe(sc_conn *c);
unsigned char *sc_peers(sc_conn *c, size_t *len);
void sc_note_refused(sc_conn *c, STACK_OF(X509) *chain);
unsigned char *sc_own(sc_conn *c, size_t *len);

// What is noticed as it goes by, for every SSL_CTX (watch.c).
void sc_watch(SSL_CTX *ctx);
void sc_log_secret(const SSL *ssl, const char *line);
void sc_drop_secrets(sc_conn *c);

#endif
