package script

import (
	"errors"
	"unsafe"

	"sipreactor/sipframe"
)

// uriCache keeps the parts of the Request-URI while it does not change.
type uriCache struct {
	raw []byte
	uri sipframe.URI
	ok  bool
}

// uriPart picks a part of a URI.
type uriPart func(b []byte, u *sipframe.URI) Value

func uriUser(b []byte, u *sipframe.URI) Value { return optional(u.User.In(b)) }
func uriHost(b []byte, u *sipframe.URI) Value { return optional(u.Host.In(b)) }

// uriPort gives the port, and 5060 if there is none, as OpenSIPS does whatever
// the transport.
func uriPort(_ []byte, u *sipframe.URI) Value {
	if u.Port == 0 {
		return Int(5060)
	}
	return Int(int64(u.Port))
}

var (
	udpText = []byte("UDP")
	tlsText = []byte("TLS")
)

func uriTransport(b []byte, u *sipframe.URI) Value {
	if t, ok := u.Param(b, "transport"); ok && len(t) > 0 {
		return Text(t)
	}
	if u.Scheme == sipframe.SchemeSIPS {
		return Text(tlsText)
	}
	return Text(udpText)
}

// partOf gives a part of a URI, null if it is none.
func partOf(b []byte, part uriPart) Value {
	var u sipframe.URI
	if len(b) == 0 || sipframe.ParseURI(b, &u) != nil {
		return null
	}
	return part(b, &u)
}

// ruri gives the Request-URI as it stands. What the script has set is copied,
// as setting it again writes over it.
func (m *Machine) ruri() []byte {
	if m.msg != m.c.Msg { // $(<request>ru) for a response
		if len(m.otherURI) > 0 {
			return m.otherURI
		}
		return m.msg.RequestURI()
	}
	b := m.c.RequestURI()
	if len(b) == 0 || unsafe.SliceData(b) == unsafe.SliceData(m.msg.RequestURI()) {
		return b
	}
	if string(b) == string(m.uri.raw) {
		return m.uri.raw
	}
	return m.Keep(b)
}

// ruriPart gives a part of the Request-URI.
func (m *Machine) ruriPart(part uriPart) Value {
	b := m.ruri()
	if len(b) == 0 {
		return null
	}
	if len(m.uri.raw) != len(b) || unsafe.SliceData(m.uri.raw) != unsafe.SliceData(b) {
		m.uri.raw = b
		m.uri.ok = sipframe.ParseURI(b, &m.uri.uri) == nil
	}
	if !m.uri.ok {
		return null
	}
	return part(b, &m.uri.uri)
}

// RequestURI returns the Request-URI as it stands, and its parts; u is nil if it is
// no URI. Both are valid until it is changed.
func (m *Machine) RequestURI() (uri []byte, u *sipframe.URI) {
	if m.ruriPart(func([]byte, *sipframe.URI) Value { return Int(1) }).kind == nullValue {
		return m.ruri(), nil
	}
	return m.uri.raw, &m.uri.uri
}

// duri gives the destination URI; nil if none is set.
func (m *Machine) duri() []byte {
	b := m.c.DestURI()
	if len(b) == 0 {
		return nil
	}
	return m.Keep(b)
}

// uriVariables are those of the Request-URI, the URI it had when it came, and
// the destination.
func uriVariables() map[string]*Variable {
	vars := map[string]*Variable{
		"ru": {
			Get: Simple(func(m *Machine) Value { return optional(m.ruri()) }),
			Set: textSetter(aURI, func(m *Machine, b []byte) error { return m.c.SetRequestURI(b) }, nil),
		},
		"rU": {
			Get: Simple(func(m *Machine) Value { return m.ruriPart(uriUser) }),
			Set: textSetter(aUser, func(m *Machine, b []byte) error { return m.c.SetUser(b) }, func(m *Machine) error { return m.c.SetUser(nil) }),
		},
		"rd": {
			Get: Simple(func(m *Machine) Value { return m.ruriPart(uriHost) }),
			Set: textSetter(aHost, func(m *Machine, b []byte) error { return m.c.SetHost(b) }, nil),
		},
		"rp": {
			Get: Simple(func(m *Machine) Value { return m.ruriPart(uriPort) }),
			Set: portSetter,
		},
		"rP": {
			Get: Simple(func(m *Machine) Value { return m.ruriPart(uriTransport) }),
			Set: textSetter(aTransport,
				func(m *Machine, b []byte) error { return m.c.SetURIParam(transportName, b) },
				func(m *Machine) error { return m.c.RemoveURIParam(transportName) }),
		},
		"du": {
			Get: Simple(func(m *Machine) Value { return optional(m.duri()) }),
			Set: textSetter(aURI, func(m *Machine, b []byte) error { return m.c.SetDestURI(b) }, func(m *Machine) error { return m.c.SetDestURI(nil) }),
		},
	}
	came := func(m *Machine) []byte { return m.msg.RequestURI() }
	for prefix, of := range map[string]func(*Machine) []byte{"o": came, "d": (*Machine).duri} {
		for letter, part := range map[string]uriPart{"d": uriHost, "p": uriPort, "P": uriTransport} {
			vars[prefix+letter] = &Variable{Get: Simple(func(m *Machine) Value { return partOf(of(m), part) })}
		}
	}
	vars["dd"].Set, vars["dp"].Set, vars["dP"].Set = partSetter(aHost, setDestHost), partSetter(aPort, setDestPort), partSetter(aTransport, setDestTransport)
	vars["ou"] = &Variable{Get: Simple(func(m *Machine) Value { return optional(came(m)) })}
	vars["oU"] = &Variable{Get: Simple(func(m *Machine) Value { return partOf(came(m), uriUser) })}
	return vars
}

var transportName = []byte("transport")

// What the variables of URIs take, in words.
const (
	aURI       = "a URI, such as sip:user@host:5061;transport=tls"
	aUser      = "the user of a URI, without spaces, quotes, angle brackets and @"
	aHost      = "a host: a name, or an address, IPv6 in brackets"
	aPort      = "a port, 0 to 65535"
	aTransport = "a transport, such as tls"
)

var (
	errNull   = errors.New("the value is NULL")
	errNoPort = errors.New("the value is no port")
)

// textSetter makes a setter of one that takes text. clear takes NULL; nil: it
// is an error.
func textSetter(allowed string, set func(m *Machine, b []byte) error, clear func(m *Machine) error) func(*Use) Setter {
	return func(u *Use) Setter {
		return u.Setter(allowed, func(m *Machine, x Value) error {
			switch {
			case x.kind != nullValue:
				return set(m, m.Text(x))
			case clear == nil:
				return errNull
			default:
				return clear(m)
			}
		})
	}
}

func portSetter(u *Use) Setter {
	return u.Setter(aPort, func(m *Machine, x Value) error {
		if x.kind == nullValue {
			return m.c.SetPort(0)
		}
		n, ok := x.Int()
		if !ok || n < 0 || n > 65535 {
			return errNoPort
		}
		return m.c.SetPort(uint16(n))
	})
}

// isMyself tells whether a URI, or a host with or without port, is us.
func (m *Machine) isMyself(b []byte) bool {
	var u sipframe.URI
	if sipframe.ParseURI(b, &u) == nil && u.Host.Len > 0 {
		return m.c.IsMyself(u.Host.In(b), u.Port)
	}
	host, port, ok := hostPort(b)
	return ok && m.c.IsMyself(host, port)
}

// hostPort parts host[:port].
func hostPort(b []byte) (host []byte, port int, ok bool) {
	for i := len(b) - 1; i >= 0; i-- {
		switch {
		case b[i] == ']':
			return b, 0, true
		case b[i] == ':':
			n, valid := sipframe.ParseUint(b[i+1:], 65535)
			return b[:i], int(n), valid
		case !isDigit(b[i]):
			return b, 0, len(b) > 0
		}
	}
	return b, 0, len(b) > 0
}
