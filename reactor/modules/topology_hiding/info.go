package topology_hiding

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"net/netip"
	"sync"

	"github.com/dchest/siphash"

	"sipreactor/reactor"
)

// info is what a Contact of ours carries where there is no dialog: how later requests to it reach the party it stands for.
// Its texts belong to the message that they are of, or to what they were read from.
type info struct {
	passUser bool   // the users of Contacts stay
	contact  []byte // URI of that party
	routes   []byte // Route values to it, the first one first, joined by commas
	back     []byte // the same to the party that is shown this Contact, as far as it is known
	// user is what the one who is shown this Contact sees in the place of users, otherUser what the party sees.
	user, otherUser []byte
	proto           reactor.Proto  // of the socket of ours that the party has spoken to; 0: it is not known
	socket          netip.AddrPort // its address
}

// texts are the fields in the order that they are written in.
func (i *info) texts() [5]*[]byte {
	return [5]*[]byte{&i.contact, &i.routes, &i.back, &i.user, &i.otherUser}
}

const (
	infoVersion = 2 << 4 // upper bits of the first byte
	infoUser    = 1
)

func (i *info) appendTo(dst []byte) []byte {
	first := byte(infoVersion)
	if i.passUser {
		first |= infoUser
	}
	dst = append(dst, first, byte(i.proto))
	for _, s := range i.texts() {
		dst = append(binary.AppendUvarint(dst, uint64(len(*s))), *s...)
	}
	if i.proto != 0 {
		dst, _ = i.socket.AppendBinary(dst) // never fails
	}
	return dst
}

// parse reads what appendTo has written; the texts lie in b.
func (i *info) parse(b []byte) bool {
	if len(b) < 2 || b[0]&^infoUser != infoVersion {
		return false
	}
	i.passUser, i.proto = b[0]&infoUser != 0, reactor.Proto(b[1])
	b = b[2:]
	for _, s := range i.texts() {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) {
			return false
		}
		*s, b = b[size:size+int(n)], b[size+int(n):]
	}
	if i.proto == 0 {
		return len(b) == 0
	}
	return i.socket.UnmarshalBinary(b) == nil
}

// sealer writes an info into a parameter and reads it again: AES-256 in GCM, with the Call-ID authenticated, so that the
// Contact of one call is good for no other. The nonce is a keyed hash of both, so one call shows one party by one Contact,
// and neither by equal parts with another call.
type sealer struct {
	aead   cipher.AEAD
	k0, k1 uint64
	text   textCoding
}

// textCoding is base64 or base32, without padding and in characters that a parameter may have.
type textCoding interface {
	AppendEncode(dst, src []byte) []byte
	AppendDecode(dst, src []byte) ([]byte, error)
}

var codings = map[string]textCoding{
	"base64": base64.RawURLEncoding,
	"base32": base32.HexEncoding.WithPadding(base32.NoPadding),
}

const nonceLen = 12

func newSealer(secret []byte, text textCoding) *sealer {
	key := sha256.Sum256(append([]byte("topology_hiding: contents\x00"), secret...))
	other := sha256.Sum256(append([]byte("topology_hiding: nonces\x00"), secret...))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // not with a key of 32 bytes
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return &sealer{aead: aead, k0: binary.LittleEndian.Uint64(other[:]), k1: binary.LittleEndian.Uint64(other[8:]), text: text}
}

// scratch is room for an info, plain and sealed. They grow as they need.
type scratch struct{ plain, sealed []byte }

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// append appends the sealed text of an info for a call.
func (s *sealer) append(dst []byte, i *info, callID []byte) []byte {
	r := scratches.Get().(*scratch)
	defer scratches.Put(r)
	r.plain = append(i.appendTo(r.plain[:0]), callID...)
	lo, hi := siphash.Hash128(s.k0, s.k1, r.plain)
	r.sealed = binary.LittleEndian.AppendUint64(r.sealed[:0], lo)
	r.sealed = binary.LittleEndian.AppendUint32(r.sealed, uint32(hi))
	r.sealed = s.aead.Seal(r.sealed, r.sealed[:nonceLen], r.plain[:len(r.plain)-len(callID)], callID)
	return s.text.AppendEncode(dst, r.sealed)
}

// open reads what append has written; false for anything else.
func (s *sealer) open(text, callID []byte) (i info, ok bool) {
	var err error
	r := scratches.Get().(*scratch)
	defer scratches.Put(r)
	if r.sealed, err = s.text.AppendDecode(r.sealed[:0], text); err != nil || len(r.sealed) < nonceLen {
		return i, false
	}
	plain, err := s.aead.Open(make([]byte, 0, len(r.sealed)), r.sealed[:nonceLen], r.sealed[nonceLen:], callID)
	if err != nil {
		return i, false
	}
	return i, i.parse(plain)
}
