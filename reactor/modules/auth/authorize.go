package auth

import (
	"bytes"
	"strconv"

	"sipreactor/reactor/digest"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// Kind says who asks: a registrar or user agent server (401), or a proxy (407).
type Kind uint8

// The kinds.
const (
	WWW Kind = iota
	Proxy
)

func (k Kind) header() sipframe.HeaderKind {
	return [...]sipframe.HeaderKind{sipframe.HeaderAuthorization, sipframe.HeaderProxyAuthorization}[k]
}

func (k Kind) challengeHeader() string {
	return [...]string{"WWW-Authenticate: ", "Proxy-Authenticate: "}[k]
}

func (k Kind) code() int { return [...]int{401, 407}[k] }

// What functions that authorize return besides 1; 0 ends the script, behind a response.
const (
	noUser        = -1
	wrongPassword = -2
	staleNonce    = -3
	noCredentials = -4
	otherError    = -5
)

// Authorize checks the credentials of the request for a realm, which is made of the request if it is empty. find gives the
// HA1 of their user, of their algorithm, in hexadecimal digits; it may wait. ACK and CANCEL are always authorized: nobody
// could answer a challenge of them (RFC 3261 22.1).
func (m *Module) Authorize(x *script.Machine, at *script.Site, kind Kind, realm []byte,
	find func(c *digest.Credentials) (ha1 []byte, found bool, err error)) int {
	msg := x.Message()
	if method := msg.Method(); method == sipframe.ACK || method == sipframe.CANCEL {
		return 1
	}
	realm = m.realm(x, kind, realm)
	var c digest.Credentials
	header, code := m.credentials(x, kind, realm, &c)
	if code != 1 {
		return code
	}
	if m.nonces.Check(&c) != digest.Good {
		return staleNonce
	}
	from, now := m.nonces.Source(&c), x.Now().Unix()
	switch {
	case m.checkURI && !c.OfURI(msg.RequestURI()) && !forUs(x, c.URI):
		x.Say(at, script.LevelDebug, "auth: the credentials are for another URI")
		return otherError
	case m.guard.refuses(from, c.User, now):
		return m.tooMany(x, at, &c, now)
	}
	if n := m.guard.waits(from, c.User, now); n > 0 {
		_ = x.Context().AppendToResponse(append(strconv.AppendInt([]byte("Retry-After: "), n, 10), "\r\n"...)) // a response without it refuses as well
		return m.tooMany(x, at, &c, now)
	}
	ha1, found, err := find(&c)
	switch {
	case err != nil:
		x.Say(at, script.LevelError, "auth: the user cannot be looked up", "error", err)
		return m.refuse(x, 500, "")
	case !found:
		m.guard.failed(from, c.User, now) // as of a user: what it is answered tells nobody that there is none
		return noUser
	case !c.Matches(ha1, msg.MethodName(), msg.Body()):
		m.guard.failed(from, c.User, now)
		return wrongPassword
	case !m.nonces.Use(&c):
		return staleNonce
	}
	x.Context().SetVerified(header)
	return 1
}

// forUs reports whether the uri of credentials is no more than our own address, which some clients write there whatever
// the Request-URI is.
func forUs(x *script.Machine, uri []byte) bool {
	var u sipframe.URI
	return sipframe.ParseURI(uri, &u) == nil && !u.HasUser() && x.Context().IsMyself(u.Host.In(uri), u.Port)
}

// credentials finds those for the realm, and in which header they are: code is 1, noCredentials, or 0 behind a 400.
func (m *Module) credentials(x *script.Machine, kind Kind, realm []byte, c *digest.Credentials) (header, code int) {
	msg := x.Message()
	broken := false
	for i := msg.Find(kind.header()); i >= 0; i = msg.FindNext(kind.header(), i) {
		switch err := digest.ParseCredentials(msg.Bytes(msg.Header(i).Value), c); {
		case err == digest.ErrNotDigest: //nolint:errorlint // it is given as it is
		case err != nil:
			broken = true
		case bytes.Equal(c.Realm, quoted(realm)) && c.Known():
			return i, 1
		}
	}
	if broken {
		_ = m.signaling.Respond(x, 400, []byte("Bad Credentials"))
		return 0, 0
	}
	return 0, noCredentials
}

// tooMany answers credentials that are not looked at. Not by 503, which an edge in front takes for all that it sends here.
func (m *Module) tooMany(x *script.Machine, at *script.Site, c *digest.Credentials, now int64) int {
	if m.guard.log(now) {
		x.Say(at, script.LevelWarn, "auth: credentials are not looked at, too many before them were wrong", "user", string(c.User),
			"source", x.Context().Src.Remote.Addr().String(), "refused", m.guard.refused.Load())
	}
	return m.refuse(x, 403, "Too Many Failures")
}

// refuse answers and ends the script.
func (m *Module) refuse(x *script.Machine, code int, reason string) int {
	_ = m.signaling.Respond(x, code, []byte(reason))
	return 0
}

// realm returns the realm that is meant: the one given, or the host of To in a REGISTER that a registrar asks about, else
// of From, without realm_prefix.
func (m *Module) realm(x *script.Machine, kind Kind, given []byte) []byte {
	if len(given) > 0 {
		return given
	}
	msg := x.Message()
	get := msg.From
	if kind == WWW && msg.Method() == sipframe.REGISTER {
		get = msg.To
	}
	a, err := get()
	if err != nil {
		return nil
	}
	uri := msg.Bytes(a.URI)
	var u sipframe.URI
	if sipframe.ParseURI(uri, &u) != nil {
		return nil
	}
	host := u.Host.In(uri)
	return bytes.TrimPrefix(host, []byte(m.realmPrefix))
}
