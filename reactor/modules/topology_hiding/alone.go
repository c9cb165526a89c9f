package topology_hiding

import (
	"slices"
	"strings"

	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// alone is what a request that passes hidden without a dialog says of both parties.
type alone struct {
	// from is whom the request is from, to whom it goes to: what their Contacts of ours carry. Of the texts of from those
	// stay that are no view of the request.
	from, to info
}

// hideAlone has a request that begins something pass hidden without a dialog.
func (m *module) hideAlone(x *script.Machine, at *script.Site, flags, caller, callee string) int {
	if strings.ContainsAny(flags, "aA") {
		x.Say(at, script.LevelWarn, "topology_hiding: the flags a and A need a dialog: they do nothing here")
	}
	c := x.Context()
	a := &alone{from: info{passUser: strings.Contains(flags, "U"), user: []byte(callee), otherUser: []byte(caller)}}
	a.from.by(c)
	a.from.routes = routesOf(c.Msg, false)
	return m.passAlone(x, at, a)
}

// matchAlone has a later request go to the party that our Contact stands for: -1 if it is for none.
func (m *module) matchAlone(x *script.Machine, at *script.Site) int {
	c := x.Context()
	if !c.Msg.IsRequest() || !c.HasToTag() {
		return -1
	}
	uri := c.RequestURI()
	var u sipframe.URI
	if sipframe.ParseURI(uri, &u) != nil {
		return -1
	}
	to, ok := m.carried(&u, uri, c.Msg.CallID())
	if !ok || sipframe.ParseURI(to.contact, &u) != nil {
		return -1
	}
	if len(to.routes) > 0 {
		var a sipframe.NameAddr
		list := sipframe.SplitList(to.routes)
		if first, _ := list.Next(); sipframe.ParseNameAddr(first, &a) != nil || sipframe.ParseURI(a.URI.In(first), &u) != nil {
			return -1
		}
	}
	if err := c.SetRoutes(to.routes); err != nil {
		x.Say(at, script.LevelError, "topology_hiding: routes lead nowhere", "error", err)
		return -1
	}
	if err := c.SetRequestURI(to.contact); err != nil {
		x.Say(at, script.LevelError, "topology_hiding: a Contact leads nowhere", "error", err)
		return -1
	}
	for s := range c.Sockets {
		if s.Proto == to.proto && s.Addr == to.socket {
			c.SetSendSocket(s)
		}
	}
	a := &alone{to: to, from: info{passUser: to.passUser, user: to.otherUser, otherUser: to.user, back: to.routes}}
	a.from.by(c)
	if a.from.routes = routesOf(c.Msg, false); len(a.from.routes) == 0 {
		a.from.routes = to.back // who does not record its route again has the same
	}
	return m.passAlone(x, at, a)
}

// passAlone has the request at hand pass hidden.
func (m *module) passAlone(x *script.Machine, at *script.Site, a *alone) int {
	own := contacts.Get().(*proxy.OwnContact)
	defer contacts.Put(own)
	m.contactAlone(x.Context(), &a.from, own)
	a.from.contact = nil
	return m.begin(x, at, &passage{alone: a}, own)
}

// answered makes our Contact of the one in a response.
func (a *alone) answered(m *module, c *proxy.Context, own *proxy.OwnContact) {
	party := info{passUser: a.from.passUser, user: a.from.otherUser, otherUser: a.from.user, back: a.from.routes}
	party.by(c)
	if party.routes = routesOf(c.Msg, true); len(party.routes) == 0 {
		party.routes = a.to.routes
	}
	m.contactAlone(c, &party, own)
}

// contactAlone makes our Contact of the one in the message, which is from a party.
func (m *module) contactAlone(c *proxy.Context, party *info, own *proxy.OwnContact) {
	own.User, own.URIParams, own.Params = own.User[:0], own.URIParams[:0], own.Params[:0]
	a, err := c.Msg.Contact()
	if err != nil || a.Star {
		return
	}
	party.contact = c.AppendChanged(make([]byte, 0, 128), a.URI)
	var u sipframe.URI
	if sipframe.ParseURI(party.contact, &u) != nil {
		return
	}
	switch {
	case len(party.user) > 0:
		own.User = append(own.User, party.user...)
	case party.passUser:
		own.User = append(own.User, u.User.In(party.contact)...)
	}
	by := &m.carriers[m.written]
	own.URIParams = append(append(append(own.URIParams, ';'), by.param...), '=')
	own.URIParams = by.sealer.append(own.URIParams, party, c.Msg.CallID())
	own.URIParams = passed(own.URIParams, u.Params.In(party.contact), m.uriParams)
	own.Params = passed(own.Params, c.Msg.Bytes(a.Params), m.params)
}

// by notes the socket that a message came by.
func (i *info) by(c *proxy.Context) {
	if c.Src != nil && c.Src.Socket != nil {
		i.proto, i.socket = c.Src.Socket.Proto, c.Src.Socket.Addr
	}
}

// routesOf returns the way back to who sent a message: its Record-Routes, of a response the last one first.
func routesOf(msg *sipframe.Message, response bool) []byte {
	var out []byte
	it := msg.RecordRoutes()
	for v, ok := it.Next(); ok; v, ok = it.Next() {
		switch value := msg.Bytes(v); {
		case len(out) == 0:
			out = append(out, value...)
		case response:
			out = slices.Concat(value, separator, out)
		default:
			out = append(append(out, separator...), value...)
		}
	}
	return out
}

var separator = []byte(", ")
