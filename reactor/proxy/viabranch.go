package proxy

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/dchest/siphash"

	"sipreactor/reactor"
)

// cookie begins every branch that follows RFC 3261 (8.1.1.7).
const cookie = "z9hG4bK"

// The parts of a token, by their first byte.
const (
	atTrans    = 0
	atLoop     = 8
	atShard    = 12
	atCheck    = 13
	atFlags    = 17
	atSocket   = 18
	atConn     = 20
	atLife     = 28
	atSeal     = 32
	tokenBytes = 40
	tokenText  = tokenBytes * 8 / 5 // base32 without a rest
	branchText = len(cookie) + tokenText

	loopMask = 1<<32 - 1

	// What a token's flags are: the transport in the lower half, and these.
	protoMask    = 0x0f
	flagVerified = 0x10
	flagToTag    = 0x20
	flagStateful = 0x40
)

// token is what our branch parameter says. A stateless proxy keeps nothing, so
// all that it needs to know when the response comes stands there.
//
// On the wire: trans (8 bytes), loop (4), shard (1), check (4), then encrypted flags (1),
// socket (2), conn (8) and life (4), then the seal (8), in base32 of lower case
// letters, since parameter values compare without regard to case (RFC 3261
// 7.3.1). The seal is a keyed hash over everything before it and the nonce of
// the encryption (the construction of SIV), so that equal tokens have equal
// texts, as RFC 3261 16.11 wants of a retransmission, and that no peer can make
// a token or read which connection it names. Its time is therefore not in it:
// see clock.
//
// Whoever has the secret reads the token: a later life of the process, and other
// nodes. A connection means something only to the life that had it; to all
// others the client's Via shows the way (RFC 3261 18.2.2).
//
// The connection is part of the branch. A client that loses its connection in
// the middle of a transaction and sends the CANCEL over a new one therefore
// starts a transaction of its own in the eyes of the next hop; the responses to
// its INVITE go by RFC 3261 18.2.2.
type token struct {
	// trans is equal for the messages of one transaction: the INVITE, its
	// CANCEL and the ACK to its non-2xx response (RFC 3261 16.11).
	trans uint64
	// loop is equal when a request comes back to be routed as it was before
	// (RFC 3261 16.6 item 8, RFC 5393 4.2.1). 32 bits.
	loop uint64
	// shard is 1 and the shard of the transaction that the branch leads to; 0 where there is none, or no room for
	// its number. It stands in the clear, for who only wants to know whose turn a response is.
	shard uint8
	// check is a keyed hash of what each response has to bring along: Call-ID,
	// CSeq, From tag, the client's Via and the address it came from.
	check uint32
	// proto is the transport by which the request came.
	proto reactor.Proto
	// verified tells that the client showed a certificate which was verified.
	verified bool
	// toTag tells that the To tag is part of check.
	toTag bool
	// stateful tells that conn is a transaction's name for the request, and not a connection.
	stateful bool
	// socket is the listener by which the request came (listener.id), 0 = none.
	socket uint16
	// conn is the connection by which the request came, life the process that
	// had it; 0 for UDP.
	conn reactor.Handle
	life uint32
}

// keys are the secrets of a Proxy, one for each use, all from one seed. They do
// not change, so any goroutine may use them.
//
// SipHash-2-4 is a pseudorandom function made for inputs as short as these; an
// HMAC of the standard library takes ten times as long. A forger has nothing
// but guesses sent over the network, 2^64 for a seal, and each one is counted.
type keys struct {
	trans, loop, check, seal, crypt, tag, clock [2]uint64
}

func newKeys(seed [32]byte) *keys {
	k := new(keys)
	for i, key := range []*[2]uint64{&k.trans, &k.loop, &k.check, &k.seal, &k.crypt, &k.tag, &k.clock} {
		sum := sha256.Sum256(append(seed[:len(seed):len(seed)], byte(i)))
		key[0] = binary.LittleEndian.Uint64(sum[0:])
		key[1] = binary.LittleEndian.Uint64(sum[8:])
	}
	return k
}

func hash(key *[2]uint64, b []byte) uint64 { return siphash.Hash(key[0], key[1], b) }

// appendBranch writes the whole branch behind dst.
func (k *keys) appendBranch(dst []byte, t *token) []byte {
	var raw [tokenBytes]byte
	binary.BigEndian.PutUint64(raw[atTrans:], t.trans)
	binary.BigEndian.PutUint32(raw[atLoop:], uint32(t.loop))
	raw[atShard] = t.shard
	binary.BigEndian.PutUint32(raw[atCheck:], t.check)
	raw[atFlags] = t.flags()
	binary.BigEndian.PutUint16(raw[atSocket:], t.socket)
	binary.BigEndian.PutUint64(raw[atConn:], uint64(t.conn))
	binary.BigEndian.PutUint32(raw[atLife:], t.life)
	binary.BigEndian.PutUint64(raw[atSeal:], hash(&k.seal, raw[:atSeal]))
	k.mask(&raw)
	return appendBase32(append(dst, cookie...), raw[:])
}

// openBranch reads a branch that appendBranch wrote. It tells false for one
// that is not ours; t is then undefined. The letters' case does not matter.
func (k *keys) openBranch(branch []byte, t *token) bool {
	if !looksOurs(branch) {
		return false
	}
	var raw [tokenBytes]byte
	if !parseBase32(raw[:], branch[len(cookie):]) {
		return false
	}
	k.mask(&raw)
	if binary.BigEndian.Uint64(raw[atSeal:]) != hash(&k.seal, raw[:atSeal]) {
		return false
	}
	t.trans = binary.BigEndian.Uint64(raw[atTrans:])
	t.loop = uint64(binary.BigEndian.Uint32(raw[atLoop:]))
	t.shard = raw[atShard]
	t.check = binary.BigEndian.Uint32(raw[atCheck:])
	t.proto = reactor.Proto(raw[atFlags] & protoMask)
	t.verified, t.toTag = raw[atFlags]&flagVerified != 0, raw[atFlags]&flagToTag != 0
	t.stateful = raw[atFlags]&flagStateful != 0
	t.socket = binary.BigEndian.Uint16(raw[atSocket:])
	t.conn = reactor.Handle(binary.BigEndian.Uint64(raw[atConn:]))
	t.life = binary.BigEndian.Uint32(raw[atLife:])
	return true
}

func (t *token) flags() byte {
	f := byte(t.proto) & protoMask
	if t.verified {
		f |= flagVerified
	}
	if t.toTag {
		f |= flagToTag
	}
	if t.stateful {
		f |= flagStateful
	}
	return f
}

// Shard returns which shard the transaction is of that a response's topmost branch leads to: reactor.Sharder. The branch
// is read and not verified: who makes one up chooses whose turn the message is, and nothing else.
func (p *Proxy) Shard(branch []byte) (shard int, ok bool) {
	const group = 5 // bytes, in 8 letters
	const at = atShard / group
	var raw [group]byte
	if !looksOurs(branch) || !parseBase32(raw[:], branch[len(cookie)+at*8:][:8]) {
		return 0, false
	}
	n := raw[atShard%group]
	return int(n) - 1, n > 0
}

// mask encrypts or decrypts what stands between check and seal. The key stream
// depends on everything else in the token.
func (k *keys) mask(raw *[tokenBytes]byte) {
	var nonce [atFlags + 8]byte
	copy(nonce[:], raw[:atFlags])
	copy(nonce[atFlags:], raw[atSeal:])
	var stream [16]byte
	a, b := siphash.Hash128(k.crypt[0], k.crypt[1], nonce[:])
	binary.BigEndian.PutUint64(stream[:], a)
	binary.BigEndian.PutUint64(stream[8:], b)
	for i := atFlags; i < atSeal; i++ {
		raw[i] ^= stream[i-atFlags]
	}
}

// looksOurs tells whether a branch has the shape of ours, which spares the work
// of opening all others.
func looksOurs(branch []byte) bool {
	return len(branch) == branchText && hasCookie(branch)
}

// hasCookie tells whether a branch is one of RFC 3261 and not of RFC 2543.
func hasCookie(branch []byte) bool {
	if len(branch) < len(cookie) {
		return false
	}
	for i := range len(cookie) {
		c := branch[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if w := cookie[i]; c != w && c != w|0x20 {
			return false
		}
	}
	return true
}

const base32Digits = "abcdefghijklmnopqrstuvwxyz234567"

// base32Values maps a letter of either case to its value plus one.
var base32Values = func() (v [256]byte) {
	for i := range len(base32Digits) {
		c := base32Digits[i]
		v[c] = byte(i + 1)
		if c >= 'a' {
			v[c-0x20] = byte(i + 1)
		}
	}
	return v
}()

// appendBase32 writes b, whose length is a multiple of 5.
func appendBase32(dst, b []byte) []byte {
	for ; len(b) >= 5; b = b[5:] {
		v := uint64(b[0])<<32 | uint64(binary.BigEndian.Uint32(b[1:]))
		dst = append(dst,
			base32Digits[v>>35&31], base32Digits[v>>30&31], base32Digits[v>>25&31], base32Digits[v>>20&31],
			base32Digits[v>>15&31], base32Digits[v>>10&31], base32Digits[v>>5&31], base32Digits[v&31])
	}
	return dst
}

// parseBase32 fills dst, whose length is a multiple of 5, from text.
func parseBase32(dst, text []byte) bool {
	for ; len(dst) >= 5 && len(text) >= 8; dst, text = dst[5:], text[8:] {
		var v uint64
		for _, c := range text[:8] {
			d := base32Values[c]
			if d == 0 {
				return false
			}
			v = v<<5 | uint64(d-1)
		}
		dst[0] = byte(v >> 32)
		binary.BigEndian.PutUint32(dst[1:], uint32(v))
	}
	return len(dst) == 0 && len(text) == 0
}
