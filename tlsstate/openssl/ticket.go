//go:build openssl

package openssl

// #include "shim.h"
import "C"

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"runtime"
	"sync"
	"time"
	"unsafe"
	"weak"

	"sipreactor/tlsstate"
)

// ticketKeys seal and open the tickets of all domains, by turns: a new one
// every twelve hours, the last three open (RFC 9325 3.4).
type ticketKeys struct {
	mu    sync.Mutex
	keys  [][32]byte
	due   time.Time
	epoch uint64
}

const (
	ticketKeyLife  = 12 * time.Hour
	ticketKeysKept = 3
)

// keySeries are the keys made for each tlsstate.TicketKeys that a set was built
// with: sets with the same one open each other's tickets.
var keySeries = struct {
	sync.Mutex
	of map[weak.Pointer[tlsstate.TicketKeys]]*ticketKeys
}{of: make(map[weak.Pointer[tlsstate.TicketKeys]]*ticketKeys)}

func keysFor(k *tlsstate.TicketKeys) *ticketKeys {
	if k == nil {
		return new(ticketKeys)
	}
	keySeries.Lock()
	defer keySeries.Unlock()
	id := weak.Make(k)
	if series := keySeries.of[id]; series != nil {
		return series
	}
	series := new(ticketKeys)
	keySeries.of[id] = series
	runtime.AddCleanup(k, func(id weak.Pointer[tlsstate.TicketKeys]) {
		keySeries.Lock()
		defer keySeries.Unlock()
		delete(keySeries.of, id)
	}, id)
	return series
}

// at gives the keys of a moment and the number of their change.
func (k *ticketKeys) at(now time.Time) ([][32]byte, uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !now.Before(k.due) {
		var fresh [32]byte
		_, _ = rand.Read(fresh[:]) // never fails
		k.keys = append([][32]byte{fresh}, k.keys[:min(len(k.keys), ticketKeysKept-1)]...)
		k.due = now.Add(ticketKeyLife)
		k.epoch++
	}
	return k.keys, k.epoch
}

// domainTickets are the keys of one domain: those of all domains, bound to its
// policy, so that a ticket made under another one does not open.
type domainTickets struct {
	keys  *ticketKeys
	mu    sync.Mutex
	epoch uint64 // of the keys that the SSL_CTX has; 0: none
}

// refresh gives a domain the keys of the moment.
func (d *domain) refresh(now time.Time) {
	t := d.tickets
	if t == nil {
		return
	}
	keys, epoch := t.keys.at(now)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.epoch == epoch {
		return
	}
	bound := make([]C.sc_ticket_key, len(keys))
	for i := range keys {
		size := int(unsafe.Sizeof(bound[i]))
		b, err := hkdf.Key(sha256.New, keys[i][:], d.policy[:], "sipreactor session tickets of libssl", size)
		if err != nil {
			return // no keys, no tickets
		}
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&bound[i])), size), b)
	}
	C.sc_domain_keys(d.held.ctx, &bound[0], C.int(len(bound)))
	clear(bound)
	t.epoch = epoch
}
