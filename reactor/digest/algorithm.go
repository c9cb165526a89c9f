package digest

import (
	"crypto/md5" // the protocol says so
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"strings"
	"sync"
)

// Algorithm is the hash of a challenge (RFC 8760). The zero value is MD5, which a challenge need not name.
type Algorithm uint8

// The algorithms, from the weakest on.
const (
	MD5 Algorithm = iota
	SHA256
	SHA512256
	algorithms
)

var algorithmNames = [algorithms]string{"MD5", "SHA-256", "SHA-512-256"}

// String returns the algorithm's name in a challenge.
func (a Algorithm) String() string { return algorithmNames[a] }

// Offer is what a challenge asks for.
type Offer struct {
	Algorithm
	// Session has the HA1 hashed with the client's nonce (RFC 7616 3.4.2): it wants a quality.
	Session bool
}

// ParseOffer reads the name of an algorithm, with -sess or without.
func ParseOffer(name string) (o Offer, ok bool) {
	if n := len(name) - len(session); n > 0 && strings.EqualFold(name[n:], session) {
		o.Session, name = true, name[:n]
	}
	o.Algorithm, ok = ParseAlgorithm(name)
	return o, ok
}

// String returns the name in a challenge.
func (o Offer) String() string {
	if o.Session {
		return o.Algorithm.String() + session
	}
	return o.Algorithm.String()
}

// session is behind the name of an algorithm.
const session = "-sess"

// HexLen returns the length of a hash in hexadecimal digits.
func (a Algorithm) HexLen() int { return [algorithms]int{32, 64, 64}[a] }

// ParseAlgorithm reads a name; the empty one is MD5.
func ParseAlgorithm(name string) (Algorithm, bool) {
	if name == "" {
		return MD5, true
	}
	for i, n := range algorithmNames {
		if strings.EqualFold(n, name) {
			return Algorithm(i), true
		}
	}
	return 0, false
}

// hasher hashes parts into hexadecimal digits. Its scratch is used again.
type hasher struct {
	of  [algorithms]hash.Hash
	sum [64]byte
	// What is hashed goes through an interface, so it cannot be on the stack.
	ha1, ha2, first, body, want [64]byte
}

var hashers = sync.Pool{New: func() any {
	return &hasher{of: [algorithms]hash.Hash{md5.New(), sha256.New(), sha512.New512_256()}}
}}

var colon = []byte{':'}

// join appends H(parts joined by colons) in hexadecimal digits.
func (h *hasher) join(dst []byte, a Algorithm, parts ...[]byte) []byte {
	x := h.of[a]
	x.Reset()
	for i, p := range parts {
		if i > 0 {
			x.Write(colon)
		}
		x.Write(p)
	}
	return hex.AppendEncode(dst, x.Sum(h.sum[:0]))
}

// AppendHA1 appends H(user:realm:password), what a table of users has instead of the password.
func AppendHA1(dst []byte, a Algorithm, user, realm, password []byte) []byte {
	h := hashers.Get().(*hasher)
	defer hashers.Put(h)
	return h.join(dst, a, user, realm, password)
}
