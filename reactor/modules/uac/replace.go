package uac

import (
	"errors"

	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

func (m *module) replace(kind sipframe.HeaderKind) func(a *script.Args) script.Action {
	return func(a *script.Args) script.Action {
		display, uri, at := a.Text(0), a.Text(1), a.Site()
		withDisplay := a.Given(0)
		if !a.Given(0) && !a.Given(1) {
			a.Errorf(-1, "%s() needs a URI", a.Name())
			return nil
		}
		if !a.Given(1) { // the only argument is the URI
			uri, withDisplay = a.Text(0), false
		}
		return func(x *script.Machine) int {
			c := x.Context()
			p, ok := c.PartyOf(kind)
			if !ok {
				return x.Fail(at, "the header cannot be read")
			}
			p.URI, p.Display = x.Keep(p.URI), x.Keep(p.Display)
			if withDisplay {
				p.Display, _ = display(x)
			}
			u, _ := uri(x)
			if m.forceDialog && m.dialog != nil && x.Kind() != script.LocalRoute && m.dialog.Create(x, at, 0) == 0 {
				return 0 // a retransmission
			}
			if len(u) > 0 {
				p.URI = u
			}
			if err := c.SetParty(kind, p); err != nil {
				return x.Fail(at, err.Error())
			}
			m.changed(c, kind)
			if len(u) > 0 && m.mode != nothing && !c.HasToTag() && keepsRoute(x.Message()) && !m.keepInDialog(x, kind, u) {
				return x.Reported(at, m.keep(c, kind, u))
			}
			return 1
		}
	}
}

// keepsRoute tells whether a request makes a dialog, whose requests come by our Record-Route.
func keepsRoute(msg *sipframe.Message) bool {
	switch msg.Method() {
	case sipframe.INVITE, sipframe.SUBSCRIBE, sipframe.REFER:
		return true
	default:
		return false
	}
}

// keep writes the URI that came and the one that goes out into the Record-Route.
func (m *module) keep(c *proxy.Context, kind sipframe.HeaderKind, uri []byte) error {
	came, err := came(c, kind)
	if err != nil {
		return err
	}
	v, err := mask([]byte(m.password), c.Msg.CallID(), came, uri)
	if err != nil {
		return err
	}
	return c.AddRRParam([]byte(";" + m.param(kind) + "=" + v))
}

// came returns the URI of From or To as it came.
func came(c *proxy.Context, kind sipframe.HeaderKind) ([]byte, error) {
	get := c.Msg.From
	if kind == sipframe.HeaderTo {
		get = c.Msg.To
	}
	a, err := get()
	if err != nil {
		return nil, err
	}
	return c.Msg.Bytes(a.URI), nil
}

// routeParam gives a parameter of our Route; of several the last one, which is that of
// the branch.
func routeParam(c *proxy.Context, name string) (value []byte, ok bool) {
	for it := sipframe.Params(c.RouteParams()); ; {
		p, more := it.Next()
		if !more {
			return value, ok
		}
		if sipframe.EqualFold(p.Name, name) {
			value, ok = p.Value, true
		}
	}
}

var errNoParam = errors.New("the Route has no such parameter")

// put puts the other one of the URIs that a parameter has into a header.
func (m *module) put(c *proxy.Context, kind sipframe.HeaderKind, param string) error {
	value, ok := routeParam(c, param)
	if !ok {
		return errNoParam
	}
	p, ok := c.PartyOf(kind)
	if !ok {
		return proxy.ErrHeader
	}
	uri, err := unmask([]byte(m.password), c.Msg.CallID(), string(value), p.URI)
	if err != nil {
		return err
	}
	display := append([]byte(nil), p.Display...)
	if err := c.SetParty(kind, proxy.Party{Display: display, URI: uri}); err != nil {
		return err
	}
	m.changed(c, kind)
	return nil
}
