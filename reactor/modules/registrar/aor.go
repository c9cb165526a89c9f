package registrar

import (
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// aorOf appends the address of record that a URI stands for. A URI without a user has none, unless hosts alone are users
// there (usrloc's use_domain does not matter then: it never is).
func (m *Core) aorOf(dst, uri []byte) ([]byte, *Refusal) {
	var u sipframe.URI
	if sipframe.ParseURI(uri, &u) != nil {
		return dst, badAOR
	}
	user, host := u.User.In(uri), u.Host.In(uri)
	switch {
	case len(user) == 0:
		return dst, badAOR
	case int64(len(user)) > m.maxUser || int64(len(host)) > m.maxDomain || int64(len(uri)) > m.maxAOR:
		return dst, longAOR
	}
	var room [256]byte
	return m.places.AppendAOR(dst, sipframe.UnescapeURI(room[:0], user), host), nil
}

// uriArg returns what gives the URI of an address of record: the argument, if it is there, else what usual gives. -1 is no
// argument.
func uriArg(a *script.Args, i int, usual func(x *script.Machine) []byte) func(x *script.Machine) []byte {
	if i < 0 {
		return usual
	}
	given := a.Given(i)
	text := a.Text(i)
	return func(x *script.Machine) []byte {
		var uri []byte
		if given {
			uri, _ = text(x)
		}
		if len(uri) == 0 {
			uri = usual(x)
		}
		return uri
	}
}

// aorArg returns what gives the address of record of a call.
func (m *Core) aorArg(a *script.Args, i int, usual func(x *script.Machine) []byte) func(x *script.Machine, dst []byte) ([]byte, *Refusal) {
	uri := uriArg(a, i, usual)
	return func(x *script.Machine, dst []byte) ([]byte, *Refusal) { return m.aorOf(dst, uri(x)) }
}

// registeringURI is To's in a REGISTER, else From's.
func registeringURI(x *script.Machine) []byte {
	msg := x.Message()
	get := msg.From
	if msg.IsRequest() && msg.Method() == sipframe.REGISTER {
		get = msg.To
	}
	a, err := get()
	if err != nil {
		return nil
	}
	return msg.Bytes(a.URI)
}
