package dispatcher

import (
	"bytes"
	"math/rand/v2"
	"strconv"

	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// keyFor gives what an algorithm hashes of a request, or chance for those that hash
// nothing. how is another algorithm where the request has not what this one wants.
func (m *module) keyFor(x *script.Machine, how Algorithm, userOnly bool) (k uint64, instead Algorithm) {
	msg := x.Message()
	switch how {
	case HashCallID:
		return hash(msg.Value(sipframe.HeaderCallID)), how
	case HashFrom:
		if from, err := msg.From(); err == nil {
			return hashURI(from.URI.In(msg.Raw()), userOnly), how
		}
	case HashTo:
		if to, err := msg.To(); err == nil {
			return hashURI(to.URI.In(msg.Raw()), userOnly), how
		}
	case HashRURI:
		return hashURI(x.Context().RequestURI(), userOnly), how
	case HashAuthUser:
		if user := authUser(msg); len(user) > 0 {
			return hash(user), how
		}
		return rand.Uint64(), RoundRobin
	case HashVariables:
		if m.hashed != nil {
			return hash(m.hashed(x)), how
		}
	default: // the others hash nothing
	}
	return rand.Uint64(), how
}

// hashURI hashes what tells a user: user, host and a port that is not the usual one.
func hashURI(b []byte, userOnly bool) uint64 {
	var u sipframe.URI
	if sipframe.ParseURI(b, &u) != nil {
		return hash(b)
	}
	user := u.User.In(b)
	if userOnly {
		return hash(user)
	}
	var buf [128]byte
	host := append(buf[:0], u.Host.In(b)...)
	for i, c := range host {
		if 'A' <= c && c <= 'Z' {
			host[i] = c | 0x20
		}
	}
	if u.Port != 0 && u.Port != 5060 && u.Port != 5061 {
		host = strconv.AppendInt(append(host, ':'), int64(u.Port), 10)
	}
	return hash(user, host)
}

// authUser gives the user of the digest credentials of a request: of
// Proxy-Authorization, or else of Authorization.
func authUser(msg *sipframe.Message) []byte {
	for _, header := range [...]sipframe.HeaderKind{sipframe.HeaderProxyAuthorization, sipframe.HeaderAuthorization} {
		_, list, ok := bytes.Cut(msg.Value(header), []byte{' '})
		if !ok {
			continue
		}
		params := sipframe.SplitList(list)
		for p, ok := params.Next(); ok; p, ok = params.Next() {
			name, value, _ := bytes.Cut(p, []byte{'='})
			if sipframe.EqualFold(bytes.TrimSpace(name), "username") {
				return bytes.Trim(bytes.TrimSpace(value), `"`)
			}
		}
	}
	return nil
}
