package drouting

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"sipreactor/reactor"
	"sipreactor/reactor/modules/internal/destination"
	"sipreactor/reactor/script"
)

// which address is looked for among the gateways.
type which uint8

const (
	goesTo which = iota // where the request goes
	isFrom              // where the message came from
	isAt                // where a URI points to
)

// gatewayFlags say what is done with a gateway that was found.
type gatewayFlags struct{ strip, prefix, id, anyPort, proto, carrier bool }

func parseGatewayFlags(s []byte) (f gatewayFlags, bad byte) {
	for _, c := range s {
		switch c {
		case 's':
			f.strip = true
		case 'p':
			f.prefix = true
		case 'i':
			f.id = true
		case 'n':
			f.anyPort = true
		case 'r':
			f.proto = true
		case 'c':
			f.carrier = true
		case ' ':
		default:
			return f, c
		}
	}
	return f, 0
}

func (m *module) buildIsGateway(where which) func(a *script.Args) script.Action {
	return func(a *script.Args) script.Action {
		i := 0 // of the argument type
		if where == isAt {
			i = 1
		}
		kind, letters, part, at := a.Int(i), a.Text(i+1), m.partitionArg(a, i+4, true), a.Site()
		out := outputs{nil, a.Setter(i + 2), a.Setter(i + 3)}
		if part == nil {
			return nil
		}
		if text, ok := a.Fixed(i + 1); ok {
			if _, bad := parseGatewayFlags([]byte(text)); bad != 0 {
				a.Errorf(i+1, "there is no flag %q: s, p, i, n, r, c", bad)
				return nil
			}
		}
		uri := a.Text(0)
		return func(x *script.Machine) int {
			b, _ := letters(x)
			f, bad := parseGatewayFlags(b)
			if bad != 0 {
				return x.Fail(at, "there is no flag "+string(bad))
			}
			ends, proto, err := m.ends(x, where, uri)
			if err != nil {
				return x.Fail(at, err.Error())
			}
			if !f.proto {
				proto = 0
			}
			n, given := kind(x)
			if !given {
				n = anyType
			}
			for _, p := range part(x) {
				for _, end := range ends {
					port := end.Port()
					if f.anyPort {
						port = 0
					}
					if g := p.get().at(end.Addr(), port, proto, int(n)); g != nil {
						m.tell(x, p)
						return m.found(x, g, f, out, at)
					}
				}
			}
			return -1
		}
	}
}

// ends gives the addresses that are looked for, none where there is a name that is
// not looked up.
func (m *module) ends(x *script.Machine, where which, uri func(*script.Machine) ([]byte, bool)) ([]netip.AddrPort, reactor.Proto, error) {
	c := x.Context()
	var b []byte
	switch where {
	case isFrom:
		return []netip.AddrPort{c.Src.Remote}, c.Src.Proto, nil
	case goesTo:
		if b = c.DestURI(); b == nil {
			b = c.RequestURI()
		}
	case isAt:
		b, _ = uri(x)
	}
	a, err := destination.ParseAddress(string(b))
	if err != nil {
		if where == isAt {
			return nil, 0, err
		}
		return nil, 0, nil
	}
	if where == isAt && len(a.Addrs) == 0 {
		if !x.HasMessage() {
			err = a.Resolve(context.Background(), m.lookup)
		} else if !x.Wait(func() { err = a.Resolve(context.Background(), m.lookup) }) {
			err = fmt.Errorf("too many wait for names")
		}
		if err != nil {
			return nil, 0, err
		}
	}
	return a.Addrs, a.Proto, nil
}

// found does with a gateway what the flags say.
func (m *module) found(x *script.Machine, g *Gateway, f gatewayFlags, out outputs, at *script.Site) int {
	if f.strip || f.prefix {
		user := string(userOf(x))
		if f.strip {
			user = user[min(g.Row.Strip, len(user)):]
		}
		if f.prefix {
			user = g.Row.Prefix + user
		}
		if err := x.Context().SetUser([]byte(user)); err != nil {
			return x.Fail(at, err.Error())
		}
	}
	if f.id {
		m.avps.list[gatewayAVP].Set(x, script.Text(x.KeepString(g.Row.ID)))
	}
	if a := m.avps.list[carrierAVP]; f.carrier && a != nil {
		a.Clear(x)
		if g.carrier != nil {
			a.Set(x, script.Text(x.KeepString(g.carrier.Row.ID)))
		}
	}
	put(x, out.gateway, g.Row.Attrs)
	var attrs *string
	if g.carrier != nil {
		attrs = g.carrier.Row.Attrs
	}
	put(x, out.carrier, attrs)
	return 1
}

// address gives a gateway's address as the event and the lists name it.
func (g *Gateway) address() string { return strings.TrimPrefix(g.Address.URI, "sip:") }
