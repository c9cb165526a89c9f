package digest

import (
	"crypto/subtle"
	"encoding/hex"

	"sipreactor/sipframe"
)

// QOP is the quality of protection of a challenge or of credentials.
type QOP uint8

// The qualities.
const (
	NoQOP    QOP = iota
	Auth         // the request line
	AuthInt      // and the body
	AuthBoth     // of a challenge: the client's choice
)

var qopNames = [...]string{"", "auth", "auth-int", "auth,auth-int"}

var qopBytes = [...][]byte{nil, []byte("auth"), []byte("auth-int")}

// String returns what a challenge says.
func (q QOP) String() string { return qopNames[q] }

// Credentials are what Authorization or Proxy-Authorization says.
type Credentials struct {
	User, Realm, Nonce, URI, Response, CNonce, Opaque []byte
	Algorithm                                         Algorithm
	QOP                                               QOP
	// Count is nc; 0 without QOP.
	Count uint32

	count []byte // as it is written
	sess  bool
	odd   bool // an algorithm that is not known
}

// ParseCredentials reads the value of an Authorization header. What comes of it are views into b. With ErrNotDigest it is
// of another scheme, with ErrSyntax it is no use.
func ParseCredentials(b []byte, c *Credentials) error {
	*c = Credentials{}
	seen := 0
	once := func(into *[]byte, v []byte) bool {
		ok := *into == nil
		*into = v[:len(v):len(v)]
		return ok
	}
	err := eachParam(b, func(name, v []byte) bool {
		switch {
		case is(name, "username"):
			seen |= 1
			return once(&c.User, v)
		case is(name, "realm"):
			seen |= 2
			return once(&c.Realm, v)
		case is(name, "nonce"):
			seen |= 4
			return once(&c.Nonce, v)
		case is(name, "uri"):
			seen |= 8
			return once(&c.URI, v)
		case is(name, "response"):
			seen |= 16
			return once(&c.Response, v)
		case is(name, "cnonce"):
			return once(&c.CNonce, v)
		case is(name, "opaque"):
			return once(&c.Opaque, v)
		case is(name, "algorithm"):
			c.algorithm(v)
		case is(name, "qop"):
			switch {
			case is(v, "auth"):
				c.QOP = Auth
			case is(v, "auth-int"):
				c.QOP = AuthInt
			default:
				return false
			}
		case is(name, "nc"):
			n, ok := parseCount(v)
			c.Count, c.count = n, v
			return ok
		}
		return true
	})
	switch {
	case err != nil:
		return err
	case seen != 31, c.QOP != NoQOP && (len(c.CNonce) == 0 || c.Count == 0), c.sess && len(c.CNonce) == 0:
		return ErrSyntax
	}
	return nil
}

func (c *Credentials) algorithm(v []byte) {
	if n := len(v) - len(session); n > 0 && is(v[n:], session) {
		c.sess, v = true, v[:n]
	}
	a, ok := ParseAlgorithm(string(v))
	c.Algorithm, c.odd = a, !ok
}

// Known reports whether the credentials are of an algorithm that this package has.
func (c *Credentials) Known() bool { return !c.odd }

func parseCount(v []byte) (n uint32, ok bool) {
	if len(v) == 0 || len(v) > 8 {
		return 0, false
	}
	for _, b := range v {
		d := hexDigit(b)
		if d < 0 {
			return 0, false
		}
		n = n<<4 | uint32(d)
	}
	return n, true
}

func hexDigit(b byte) int {
	switch {
	case '0' <= b && b <= '9':
		return int(b - '0')
	case 'a' <= b|0x20 && b|0x20 <= 'f':
		return int(b|0x20-'a') + 10
	default:
		return -1
	}
}

// Matches reports whether the response is that of a user whose HA1, in hexadecimal digits of the credentials' algorithm,
// is given. body is read with AuthInt alone.
func (c *Credentials) Matches(ha1, method, body []byte) bool {
	if c.odd || len(c.Response) != c.Algorithm.HexLen() || len(ha1) != c.Algorithm.HexLen() {
		return false
	}
	h := hashers.Get().(*hasher)
	defer hashers.Put(h)
	got := c.response(h, h.want[:0], ha1, method, body)
	var given [64]byte
	var sum [64]byte
	n, err := hex.Decode(given[:], c.Response)
	if err != nil {
		return false
	}
	m, err := hex.Decode(sum[:], got)
	return err == nil && subtle.ConstantTimeCompare(given[:n], sum[:m]) == 1
}

// response appends the response (RFC 7616 3.4.1).
func (c *Credentials) response(h *hasher, dst, ha1, method, body []byte) []byte {
	a := c.Algorithm
	ha1 = append(h.ha1[:0], ha1...)
	for i, b := range ha1 {
		if 'A' <= b && b <= 'F' {
			ha1[i] = b | 0x20
		}
	}
	if c.sess {
		ha1 = h.join(h.first[:0], a, ha1, c.Nonce, c.CNonce)
	}
	var ha2 []byte
	if c.QOP == AuthInt {
		ha2 = h.join(h.ha2[:0], a, method, c.URI, h.join(h.body[:0], a, body))
	} else {
		ha2 = h.join(h.ha2[:0], a, method, c.URI)
	}
	if c.QOP == NoQOP {
		return h.join(dst, a, ha1, c.Nonce, ha2)
	}
	return h.join(dst, a, ha1, c.Nonce, c.count, c.CNonce, qopBytes[c.QOP], ha2)
}

// OfURI reports whether the credentials are for a Request-URI (RFC 7616 3.4.6).
func (c *Credentials) OfURI(requestURI []byte) bool {
	return string(c.URI) == string(requestURI) || sipframe.EqualURI(c.URI, requestURI)
}
