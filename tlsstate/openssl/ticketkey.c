//go:build openssl

// The keys that a domain's session tickets are sealed with.

#include "domain.h"

#include <string.h>

// sc_domain_keys replaces the ticket keys: the first seals, all of them open. It
// gives 0 when there is no memory for them; then the old ones stay.
int sc_domain_keys(sc_domain *d, const sc_ticket_key *keys, int n)
{
	sc_ticket_key *fresh = OPENSSL_memdup(keys, n * sizeof *keys), *old;
	int old_len;

	if (!fresh)
		return 0;
	pthread_rwlock_wrlock(&d->lock);
	old = d->keys;
	old_len = d->keys_len;
	d->keys = fresh;
	d->keys_len = n;
	pthread_rwlock_unlock(&d->lock);
	OPENSSL_clear_free(old, old_len * sizeof *old);
	return 1;
}

// sc_domain_ticket_key finds the key of a name, or the one that seals for NULL.
// It gives the key's place plus one, 0 for none.
int sc_domain_ticket_key(sc_domain *d, const unsigned char *name, sc_ticket_key *key)
{
	int found = 0;

	pthread_rwlock_rdlock(&d->lock);
	for (int i = 0; i < d->keys_len && !found; i++)
		if (!name || !memcmp(name, d->keys[i].name, sizeof key->name)) {
			*key = d->keys[i];
			found = i + 1;
		}
	pthread_rwlock_unlock(&d->lock);
	return found;
}
