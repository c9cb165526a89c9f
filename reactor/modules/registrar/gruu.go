package registrar

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"

	"sipreactor/reactor/location"
	"sipreactor/sipframe"
)

// gruus makes and reads globally routable URIs of one phone of a user (RFC 5627): the public one is the address of record
// with the instance as its parameter gr, the temporary one has all that sealed in its user. nil: there are none.
type gruus struct{ seal cipher.AEAD }

// newGRUUs makes those of a secret; an empty one is drawn, and temporary ones are good in this life of the program.
func newGRUUs(secret string) *gruus {
	key := sha256.Sum256([]byte("gruu " + secret))
	if secret == "" {
		rand.Read(key[:]) // never fails
	}
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // the key has the right length
	}
	seal, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return &gruus{seal: seal}
}

// tempUser begins the user of a temporary GRUU.
const tempUser = "tgruu."

// appendPublic appends the public GRUU of an instance; aor is the URI of its user, without parameters.
func appendPublic(dst []byte, aor []byte, instance string) []byte {
	dst = append(append(dst, aor...), ";gr="...)
	for i := range len(instance) {
		switch c := instance[i]; {
		case (c == '<' && i == 0) || (c == '>' && i == len(instance)-1):
		case inParam(c):
			dst = append(dst, c)
		default:
			const hex = "0123456789ABCDEF"
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}

// inParam reports whether a character can stand in the value of a URI's parameter (RFC 3261 25.1, paramchar).
func inParam(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || bytes.IndexByte([]byte("-_.!~*'()[]/:&+$"), c) >= 0
}

// appendTemporary appends a temporary GRUU of a contact: a new one each time.
func (g *gruus) appendTemporary(dst []byte, scheme, host []byte, c *location.Contact) []byte {
	var room [512]byte
	plain := append(append(append(append(append(room[:0], c.AOR()...), 0), c.Instance()...), 0), c.CallID()...)
	sealed := make([]byte, g.seal.NonceSize(), g.seal.NonceSize()+len(plain)+g.seal.Overhead())
	rand.Read(sealed)
	sealed = g.seal.Seal(sealed, sealed, plain, nil)
	dst = append(append(append(dst, scheme...), ':'), tempUser...)
	dst = base64.RawURLEncoding.AppendEncode(dst, sealed)
	return append(append(append(dst, '@'), host...), ";gr"...)
}

// phone is whom a GRUU is for.
type phone struct {
	aor      []byte // "": that of the URI
	instance []byte // with its brackets
	callID   []byte // of the registration that a temporary one is of; nil any
}

// read reads a GRUU. ok is false if the URI is none, or none of ours.
func (g *gruus) read(uri []byte) (p phone, ok bool) {
	var u sipframe.URI
	if g == nil || sipframe.ParseURI(uri, &u) != nil {
		return p, false
	}
	v, has := u.Param(uri, "gr")
	user := u.User.In(uri)
	switch {
	case !has:
		return p, false
	case len(v) > 0:
		p.instance = append(sipframe.UnescapeURI([]byte{'<'}, v), '>')
		return p, true
	case !bytes.HasPrefix(user, []byte(tempUser)):
		return p, false
	}
	sealed, err := base64.RawURLEncoding.AppendDecode(nil, user[len(tempUser):])
	n := g.seal.NonceSize()
	if err != nil || len(sealed) < n {
		return p, false
	}
	plain, err := g.seal.Open(nil, sealed[:n], sealed[n:], nil)
	if err != nil {
		return p, false
	}
	var rest []byte
	p.aor, rest, _ = bytes.Cut(plain, []byte{0})
	p.instance, p.callID, ok = bytes.Cut(rest, []byte{0})
	return p, ok
}

// is reports whether a contact is the phone's.
func (p *phone) is(c *location.Contact) bool {
	return sipframe.EqualFold(p.instance, c.Instance()) && (p.callID == nil || string(p.callID) == c.CallID())
}
