package script

import (
	"bytes"

	"sipreactor/sipframe"
)

// authVariables are those of the digest credentials that a request carries
// (RFC 3261 22.4): of those that were verified, and before that of the first
// Authorization, or where there is none of Proxy-Authorization, which anybody may have
// written.
func authVariables() map[string]*Variable {
	vars := map[string]*Variable{
		"aU": {Get: Simple(func(m *Machine) Value { return m.credential("username") })},
		"au": {Get: Simple(func(m *Machine) Value {
			user, _, _ := bytes.Cut(m.credential("username").s, []byte{'@'})
			return optional(user)
		})},
		"ad": {Get: Simple(func(m *Machine) Value {
			_, domain, _ := bytes.Cut(m.credential("username").s, []byte{'@'})
			return optional(domain)
		})},
		"Au": {Get: Simple(func(m *Machine) Value {
			if user, _, _ := bytes.Cut(m.credential("username").s, []byte{'@'}); len(user) > 0 {
				return Text(user)
			}
			from := m.from()
			if from == nil {
				return null
			}
			return partOf(from.URI.In(m.msg.Raw()), uriUser)
		})},
	}
	for name, param := range map[string]string{
		"ar": "realm", "an": "nonce", "adu": "uri", "auth.nonce": "nonce", "auth.resp": "response", "auth.cnonce": "cnonce",
		"auth.opaque": "opaque", "auth.alg": "algorithm", "auth.qop": "qop", "auth.nc": "nc",
	} {
		vars[name] = &Variable{Get: Simple(func(m *Machine) Value { return m.credential(param) })}
	}
	return vars
}

// credential gives a parameter of the digest credentials, without its quotes;
// null if there are none, or not that one.
func (m *Machine) credential(name string) Value {
	b := m.VerifiedCredentials()
	if len(b) == 0 {
		b = m.msg.Value(sipframe.HeaderAuthorization)
	}
	if len(b) == 0 {
		b = m.msg.Value(sipframe.HeaderProxyAuthorization)
	}
	return digestParam(b, name)
}

// VerifiedCredentials returns the value of the header whose credentials were verified for
// this request (proxy.Context.SetVerified); nil: none were.
func (m *Machine) VerifiedCredentials() []byte {
	i := m.c.Verified()
	if i < 0 || i >= m.msg.NumHeaders() {
		return nil
	}
	switch h := m.msg.Header(i); h.Kind {
	case sipframe.HeaderAuthorization, sipframe.HeaderProxyAuthorization:
		return m.msg.Bytes(h.Value)
	default: // of another message of the transaction
		return nil
	}
}

// Unverified is what is wrong with a script that asks for the verified user where nobody was verified.
const Unverified = "no credentials were verified: www_authorize() or proxy_authorize() comes first"

// VerifiedUser returns who has shown credentials that were verified: the user, without a
// domain behind @, and the realm.
func (m *Machine) VerifiedUser() (user, realm []byte, ok bool) {
	b := m.VerifiedCredentials()
	if b == nil {
		return nil, nil, false
	}
	user, _, _ = bytes.Cut(digestParam(b, "username").s, []byte{'@'})
	return user, digestParam(b, "realm").s, len(user) > 0
}

// digestParam gives a parameter of a digest challenge or of credentials, without
// its quotes; null if b is none, or has not that one.
func digestParam(b []byte, name string) Value {
	if len(b) < 7 || !sipframe.EqualFold(b[:6], "Digest") || b[6] != ' ' && b[6] != '\t' {
		return null
	}
	for list := sipframe.SplitList(b[7:]); ; {
		v, ok := list.Next()
		if !ok {
			return null
		}
		n, text, _ := bytes.Cut(v, []byte{'='})
		if sipframe.EqualFold(bytes.TrimSpace(n), name) {
			return Text(unquoted(bytes.TrimSpace(text)))
		}
	}
}
