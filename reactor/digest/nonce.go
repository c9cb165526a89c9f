package digest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"net/netip"
	"sync"
	"sync/atomic"
)

// Verdict is what a nonce is worth.
type Verdict uint8

// The verdicts.
const (
	Good    Verdict = iota
	Stale           // one of ours that is too old, was used, or cannot be looked up: ask again with stale=true
	Foreign         // none of ours, or for another realm, algorithm or quality
)

// Nonces makes and checks nonces. One carries its time, a number and a MAC, so that nothing is kept until it is used but
// what of its number was seen: one bit without qop, the last 32 counts with it. Any goroutine may call its methods.
//
//	life(4) number(8) second(4) algorithm,qop(1) source(6) | MAC(13), base64url: 48 characters
//
// source names the address that it was handed to, for who counts failures: the address that credentials come from may be
// forged, but nobody answers with the nonce of another.
// The MAC is over the realm, too. life is the process's: one of another node or of a life before, under the same key, is
// ours, but whether it was used is not known here: it is stale.
type Nonces struct {
	key    [32]byte
	life   uint32
	expire int64
	reuse  bool
	now    func() int64
	next   atomic.Uint64
	seen   []atomic.Uint64
	macs   sync.Pool
}

// NoncesConfig is what Nonces are made of.
type NoncesConfig struct {
	// Key seals them; nil draws one.
	Key *[32]byte
	// Expire is how many seconds one is good for; 0 is 30.
	Expire int
	// Reuse lets one be used any number of times until it expires, on any node (disable_nonce_check).
	Reuse bool
	// Live is how many nonces can be told from one another at once, as a power of two; 0 is 2^18 (2 MB). One that is as
	// many nonces old is stale.
	Live int
	// Now gives the unix second.
	Now func() int64
}

const (
	nonceBody = nonceKind + 1 + nonceFrom
	nonceKind = 4 + 8 + 4
	nonceFrom = 6
	nonceMAC  = 13
	nonceLen  = (nonceBody + nonceMAC) / 3 * 4
)

// NewNonces makes the nonces of a process.
func NewNonces(cfg NoncesConfig) *Nonces {
	n := &Nonces{expire: int64(cfg.Expire), reuse: cfg.Reuse, now: cfg.Now}
	if n.expire == 0 {
		n.expire = 30
	}
	live := 1 << 18
	if cfg.Live > 0 {
		for live = 1; live < cfg.Live; live *= 2 {
		}
	}
	if !n.reuse {
		n.seen = make([]atomic.Uint64, live)
	}
	if cfg.Key != nil {
		n.key = *cfg.Key
	} else {
		rand.Read(n.key[:]) // never fails
	}
	var life [4]byte
	rand.Read(life[:])
	n.life = binary.BigEndian.Uint32(life[:])
	n.macs.New = func() any { return &mac{of: hmac.New(sha256.New, n.key[:])} }
	return n
}

type mac struct {
	of  hash.Hash
	sum [sha256.Size]byte
	raw [nonceBody + nonceMAC]byte // what is sealed goes through an interface: it cannot be on the stack
	to  [16]byte
}

// source appends what names an address. A network of 64 bits is one in IPv6: that is what a subscriber has.
func (m *mac) source(dst []byte, to netip.Addr) []byte {
	if !to.IsValid() {
		return append(dst, make([]byte, nonceFrom)...)
	}
	m.to = to.As16()
	if to.Unmap().Is6() {
		clear(m.to[8:])
	}
	m.of.Reset()
	m.of.Write(m.to[:])
	return append(dst, m.of.Sum(m.sum[:0])[:nonceFrom]...)
}

func (m *mac) seal(dst, body, realm []byte) []byte {
	m.of.Reset()
	m.of.Write(body)
	m.of.Write(realm)
	return append(dst, m.of.Sum(m.sum[:0])[:nonceMAC]...)
}

// Append appends a nonce for a challenge of that realm, algorithm and quality, which nobody in particular gets.
func (n *Nonces) Append(dst, realm []byte, a Algorithm, q QOP) []byte {
	return n.AppendTo(dst, netip.Addr{}, realm, a, q)
}

// AppendTo is Append for a challenge that is sent to an address.
func (n *Nonces) AppendTo(dst []byte, to netip.Addr, realm []byte, a Algorithm, q QOP) []byte {
	number := n.next.Add(1)
	if !n.reuse {
		n.slot(number).Store(slotOf(number, 0, 0, len(n.seen)))
	}
	m := n.macs.Get().(*mac)
	defer n.macs.Put(m)
	b := binary.BigEndian.AppendUint32(m.raw[:0], n.life)
	b = binary.BigEndian.AppendUint64(b, number)
	b = binary.BigEndian.AppendUint32(b, uint32(n.now()))
	b = append(b, byte(a)<<4|byte(q))
	b = m.source(b, to)
	b = m.seal(b, b, realm)
	return base64.RawURLEncoding.AppendEncode(dst, b)
}

// opened is what a nonce of ours carries.
type opened struct {
	life   uint32
	number uint64
	at     int64
	qop    QOP
}

// open reads a nonce.
func (n *Nonces) open(c *Credentials, o *opened) bool {
	if len(c.Nonce) != nonceLen {
		return false
	}
	m := n.macs.Get().(*mac)
	defer n.macs.Put(m)
	raw := m.raw[:]
	if k, err := base64.RawURLEncoding.Decode(raw, c.Nonce); err != nil || k != len(raw) {
		return false
	}
	body := raw[:nonceBody]
	var sum [nonceMAC]byte
	m.seal(sum[:0], body, c.Realm)
	kind := body[nonceKind]
	*o = opened{
		life: binary.BigEndian.Uint32(body), number: binary.BigEndian.Uint64(body[4:]),
		at: int64(binary.BigEndian.Uint32(body[12:])), qop: QOP(kind & 0xf),
	}
	return subtle.ConstantTimeCompare(raw[nonceBody:], sum[:]) == 1 && Algorithm(kind>>4) == c.Algorithm
}

// Source returns a number that names the address which the credentials' nonce was handed to; 0 for a nonce that Check has
// not called Good. Two addresses share one by a chance of one in 2^48.
func (n *Nonces) Source(c *Credentials) uint64 {
	var raw [nonceBody + nonceMAC]byte
	if len(c.Nonce) != nonceLen {
		return 0
	}
	if _, err := base64.RawURLEncoding.Decode(raw[:], c.Nonce); err != nil {
		return 0
	}
	return binary.BigEndian.Uint64(raw[nonceBody-8:]) & (1<<48 - 1)
}

// Check tells what the credentials' nonce is worth. It uses nothing up.
func (n *Nonces) Check(c *Credentials) Verdict {
	var o opened
	if !n.open(c, &o) || c.QOP&^o.qop != 0 {
		return Foreign
	}
	now := n.now()
	switch {
	case now-o.at >= n.expire || o.at > now+1:
		return Stale
	case n.reuse:
		return Good
	case o.life != n.life:
		return Stale
	}
	if _, fresh := use(n.slot(o.number).Load(), o.number, c, len(n.seen)); !fresh {
		return Stale
	}
	return Good
}

// Use uses the credentials' nonce up, or with qop one count of it. It reports whether nobody has before: of two that ask
// at once one gets it. Check has said Good.
func (n *Nonces) Use(c *Credentials) bool {
	if n.reuse {
		return true
	}
	var o opened
	if !n.open(c, &o) || o.life != n.life {
		return false
	}
	for slot := n.slot(o.number); ; {
		old := slot.Load()
		used, fresh := use(old, o.number, c, len(n.seen))
		if !fresh {
			return false
		}
		if slot.CompareAndSwap(old, used) {
			return true
		}
	}
}

func (n *Nonces) slot(number uint64) *atomic.Uint64 { return &n.seen[number&uint64(len(n.seen)-1)] }

// A slot has whose it is, the highest count that was used, and which of the 32 up to that were:
//
//	number/len 16 bits | count 16 bits | window 32 bits
//
// Without qop the count 1 stands for the use.
func slotOf(number uint64, count uint16, window uint32, size int) uint64 {
	return (number/uint64(size))&0xffff<<48 | uint64(count)<<32 | uint64(window)
}

// use returns a slot with the credentials' count used, and whether it was not before.
func use(slot, number uint64, c *Credentials, size int) (uint64, bool) {
	if slot>>48 != (number/uint64(size))&0xffff {
		return 0, false // another has it by now
	}
	top, window := uint16(slot>>32), uint32(slot)
	count := uint32(1)
	if c.QOP != NoQOP {
		count = c.Count
	}
	switch {
	case c.QOP == NoQOP && top > 0, count == 0, count > 0xffff:
		return 0, false
	case count > uint32(top):
		if shift := count - uint32(top); shift < 32 {
			window = window<<shift | 1
		} else {
			window = 1
		}
		return slotOf(number, uint16(count), window, size), true
	}
	bit := uint32(1) << (uint32(top) - count)
	if uint32(top)-count >= 32 || window&bit != 0 {
		return 0, false
	}
	return slotOf(number, top, window|bit, size), true
}
