package tlsstate

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"sipreactor/tlsstate/regular"
)

// TicketKeys seal and open session tickets (RFC 8446 4.6.1, RFC 5077). Any
// goroutine may use them, several sets at once.
type TicketKeys struct {
	mu    sync.Mutex
	keys  [][32]byte // the first one seals, all of them open
	fixed bool       // from a file: they change with it only
	due   time.Time  // when the next key is made
	epoch uint64     // counts the changes
}

const (
	// ticketKeyLife is how long one key seals (RFC 9325 3.4 wants less than a
	// week).
	ticketKeyLife = 12 * time.Hour
	// ticketKeysKept is how many keys open: a ticket lives from one to one and a
	// half days.
	ticketKeysKept = 3
)

// NewTicketKeys makes keys that no other process has. A new one is made every
// twelve hours, and the last three open tickets.
func NewTicketKeys() *TicketKeys { return &TicketKeys{} }

// ReadTicketKeys reads keys that several nodes share: a file of lines with 32
// random bytes each, in hexadecimal or base64, "#" before a remark, such as
//
//	openssl rand -hex 32 >> FILE
//
// writes. The first seals, all of them open: put a new key in the second place on all
// nodes, reload, then move it to the first.
func ReadTicketKeys(file string) (*TicketKeys, error) {
	text, err := regular.Read(file)
	if err != nil {
		return nil, fmt.Errorf("ticket_keys_file: %w", err)
	}
	k := &TicketKeys{fixed: true}
	for n, line := range bytes.Split(text, []byte("\n")) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		key, err := parseTicketKey(string(line))
		if err != nil {
			return nil, fmt.Errorf("ticket_keys_file %s:%d: %w", file, n+1, err)
		}
		k.keys = append(k.keys, key)
	}
	if len(k.keys) == 0 {
		return nil, fmt.Errorf("ticket_keys_file %s: holds no key", file)
	}
	return k, nil
}

// parseTicketKey reads a line; its error does not repeat the line.
func parseTicketKey(line string) (key [32]byte, err error) {
	b, err := hex.DecodeString(line)
	if err != nil {
		b, err = base64.StdEncoding.DecodeString(line)
	}
	if err != nil || len(b) != len(key) {
		return key, errors.New("is not 32 bytes in hexadecimal or base64")
	}
	return [32]byte(b), nil
}

// at gives the keys of a moment and the number of their change.
func (k *TicketKeys) at(now time.Time) ([][32]byte, uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.fixed && !now.Before(k.due) {
		var fresh [32]byte
		_, _ = rand.Read(fresh[:]) // never fails
		k.keys = append([][32]byte{fresh}, k.keys[:min(len(k.keys), ticketKeysKept-1)]...)
		k.due = now.Add(ticketKeyLife)
		k.epoch++
	}
	return k.keys, k.epoch
}

// BoundKeys are the ticket keys of one domain: those of TicketKeys, bound to
// the domain's policy. A ticket that was made under another policy, or by
// another domain, does not open, and the handshake is a full one. Any
// goroutine.
type BoundKeys struct {
	keys   *TicketKeys
	policy [32]byte
	use    string
	size   int

	mu    sync.Mutex
	set   bool
	epoch uint64 // of the keys that were handed out last
}

// Bind makes a domain's keys of size bytes, for a use that is told from others
// by a text: what one library seals another does not have to open.
func (k *TicketKeys) Bind(policy [32]byte, use string, size int) *BoundKeys {
	return &BoundKeys{keys: k, policy: policy, use: use, size: size}
}

// Refresh hands the keys of the moment to set, the one that seals first, unless
// they are those that it was given before. set runs under a lock and wipes or
// keeps the keys as it likes.
func (b *BoundKeys) Refresh(now time.Time, set func(keys [][]byte)) {
	keys, epoch := b.keys.at(now)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.set && b.epoch == epoch {
		return
	}
	bound := make([][]byte, len(keys))
	for i := range keys {
		key, err := hkdf.Key(sha256.New, keys[i][:], b.policy[:], b.use, b.size)
		if err != nil {
			return // no keys, no resumption of what others made
		}
		bound[i] = key
	}
	set(bound)
	b.set, b.epoch = true, epoch
}
