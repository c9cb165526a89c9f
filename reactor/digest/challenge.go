package digest

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"strconv"
)

// AppendChallenge appends the value of a WWW-Authenticate or Proxy-Authenticate header. Quotes and backslashes in the realm
// are escaped; opaque may be empty.
func AppendChallenge(dst, realm, nonce, opaque []byte, o Offer, q QOP, stale bool) []byte {
	dst = append(dst, `Digest realm="`...)
	dst = appendQuoted(dst, realm)
	dst = append(dst, `", nonce="`...)
	dst = append(dst, nonce...)
	dst = append(dst, '"')
	if len(opaque) > 0 {
		dst = append(dst, `, opaque="`...)
		dst = appendQuoted(dst, opaque)
		dst = append(dst, '"')
	}
	if q != NoQOP {
		dst = append(dst, `, qop="`...)
		dst = append(dst, q.String()...)
		dst = append(dst, '"')
	}
	if o != (Offer{}) {
		dst = append(dst, ", algorithm="...)
		dst = append(dst, o.String()...)
	}
	if stale {
		dst = append(dst, ", stale=true"...)
	}
	return dst
}

func appendQuoted(dst, b []byte) []byte {
	for _, c := range b {
		if c == '"' || c == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return dst
}

// Challenge is what WWW-Authenticate or Proxy-Authenticate says.
type Challenge struct {
	Realm, Nonce, Opaque []byte // as written between the quotes
	Algorithm            Algorithm
	QOP                  QOP // what it offers
	Stale                bool

	sess bool
	odd  bool
}

// ParseChallenge reads one challenge; its parts are views into b. One with an algorithm that is not known is read, and
// Usable tells so.
func ParseChallenge(b []byte, c *Challenge) error {
	*c = Challenge{}
	err := eachParam(b, func(name, v []byte) bool {
		switch {
		case is(name, "realm"):
			c.Realm = v
		case is(name, "nonce"):
			c.Nonce = v
		case is(name, "opaque"):
			c.Opaque = v
		case is(name, "stale"):
			c.Stale = is(v, "true")
		case is(name, "algorithm"):
			var as Credentials
			as.algorithm(v)
			c.Algorithm, c.sess, c.odd = as.Algorithm, as.sess, as.odd
		case is(name, "qop"):
			c.offers(v)
		}
		return true
	})
	if err == nil && len(c.Nonce) == 0 {
		err = ErrSyntax
	}
	return err
}

func (c *Challenge) offers(v []byte) {
	for len(v) > 0 {
		one, rest, _ := bytes.Cut(v, []byte{','})
		switch one = bytes.TrimSpace(one); {
		case is(one, "auth"):
			c.QOP |= Auth
		case is(one, "auth-int"):
			c.QOP |= AuthInt
		default:
			c.odd = c.odd || c.QOP == NoQOP && len(bytes.TrimSpace(rest)) == 0
		}
		v = rest
	}
}

// Usable reports whether Answer can answer it.
func (c *Challenge) Usable() bool { return !c.odd }

// Request is what an answer is for.
type Request struct {
	Method, URI, Body []byte
	// Count is nc: how often the nonce has been answered, this time included.
	Count uint32
}

// Answer appends the value of an Authorization or Proxy-Authorization header for a user whose HA1, of the challenge's
// algorithm, is given in hexadecimal digits. Of two qualities it takes auth.
func (c *Challenge) Answer(dst, user, ha1 []byte, r *Request) []byte {
	var cnonce [16]byte
	rand.Read(cnonce[:]) // never fails
	return c.answer(dst, user, ha1, r, hex.AppendEncode(nil, cnonce[:]))
}

func (c *Challenge) answer(dst, user, ha1 []byte, r *Request, cnonce []byte) []byte {
	as := Credentials{User: user, Realm: c.Realm, Nonce: c.Nonce, URI: r.URI, Algorithm: c.Algorithm, sess: c.sess}
	switch {
	case c.QOP&Auth != 0:
		as.QOP = Auth
	case c.QOP&AuthInt != 0:
		as.QOP = AuthInt
	}
	if as.QOP != NoQOP || c.sess {
		as.CNonce = cnonce
		var count [4]byte
		n := max(r.Count, 1)
		count[0], count[1], count[2], count[3] = byte(n>>24), byte(n>>16), byte(n>>8), byte(n)
		as.count = hex.AppendEncode(nil, count[:])
	}
	dst = append(dst, `Digest username="`...)
	dst = appendQuoted(dst, user)
	dst = append(dst, `", realm="`...)
	dst = append(dst, c.Realm...)
	dst = append(dst, `", nonce="`...)
	dst = append(dst, c.Nonce...)
	dst = append(dst, `", uri="`...)
	dst = append(dst, r.URI...)
	dst = append(dst, '"')
	if c.Opaque != nil {
		dst = append(dst, `, opaque="`...)
		dst = append(dst, c.Opaque...)
		dst = append(dst, '"')
	}
	if as.QOP != NoQOP {
		dst = append(dst, ", qop="...)
		dst = append(dst, as.QOP.String()...)
		dst = append(dst, ", nc="...)
		dst = append(dst, as.count...)
	}
	if as.CNonce != nil {
		dst = append(dst, `, cnonce=`...)
		dst = strconv.AppendQuote(dst, string(as.CNonce))
	}
	dst = append(dst, `, response="`...)
	h := hashers.Get().(*hasher)
	defer hashers.Put(h)
	dst = as.response(h, dst, ha1, r.Method, r.Body)
	dst = append(dst, '"')
	if c.Algorithm != MD5 || c.sess {
		dst = append(dst, ", algorithm="...)
		dst = append(dst, c.Algorithm.String()...)
		if c.sess {
			dst = append(dst, "-sess"...)
		}
	}
	return dst
}
