package topology_hiding

import (
	"strings"

	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// alone is what a request that passes hidden without a dialog says of both parties.
type alone struct {
	// from is whom the request is from, to whom it goes to: what their Contacts of ours carry.
	from, to info
}

// hideAlone has a request that begins something pass hidden without a dialog.
func (m *module) hideAlone(x *script.Machine, at *script.Site, flags, caller, callee string) int {
	if strings.ContainsAny(flags, "aA") {
		x.Say(at, script.LevelWarn, "topology_hiding: the flags a and A need a dialog: they do nothing here")
	}
	c := x.Context()
	a := &alone{from: info{passUser: strings.Contains(flags, "U"), user: callee, otherUser: caller, socket: socketOf(c)}}
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
	if !ok || sipframe.ParseURI([]byte(to.contact), &u) != nil {
		return -1
	}
	if to.routes != "" {
		var a sipframe.NameAddr
		list := sipframe.SplitList([]byte(to.routes))
		if first, _ := list.Next(); sipframe.ParseNameAddr(first, &a) != nil || sipframe.ParseURI(a.URI.In(first), &u) != nil {
			return -1
		}
	}
	if err := c.SetRoutes([]byte(to.routes)); err != nil {
		x.Say(at, script.LevelError, "topology_hiding: routes lead nowhere", "error", err)
		return -1
	}
	if err := c.SetRequestURI([]byte(to.contact)); err != nil {
		x.Say(at, script.LevelError, "topology_hiding: a Contact leads nowhere", "error", err)
		return -1
	}
	for s := range c.Sockets {
		if s.Proto.String()+":"+s.Addr.String() == to.socket {
			c.SetSendSocket(s)
		}
	}
	a := &alone{to: to, from: info{passUser: to.passUser, user: to.otherUser, otherUser: to.user, socket: socketOf(c), back: to.routes}}
	if a.from.routes = routesOf(c.Msg, false); a.from.routes == "" {
		a.from.routes = to.back // who does not record its route again has the same
	}
	return m.passAlone(x, at, a)
}

// passAlone has the request at hand pass hidden.
func (m *module) passAlone(x *script.Machine, at *script.Site, a *alone) int {
	p := &passage{alone: a}
	return m.begin(x, at, p, m.contactAlone(x.Context(), &a.from))
}

// back makes what a response tells of the party that it is from.
func (a *alone) answered(c *proxy.Context) *info {
	i := info{passUser: a.from.passUser, user: a.from.otherUser, otherUser: a.from.user, socket: socketOf(c), back: a.from.routes}
	if i.routes = routesOf(c.Msg, true); i.routes == "" {
		i.routes = a.to.routes
	}
	return &i
}

// contactAlone makes our Contact of the one in the message, which is from a party.
func (m *module) contactAlone(c *proxy.Context, party *info) *proxy.OwnContact {
	own := &proxy.OwnContact{URIParams: make([]byte, 0, 512)}
	a, err := c.Msg.Contact()
	if err != nil || a.Star {
		return own
	}
	uri := c.AppendChanged(nil, a.URI)
	var u sipframe.URI
	if sipframe.ParseURI(uri, &u) != nil {
		return own
	}
	party.contact = string(uri)
	switch {
	case party.user != "":
		own.User = []byte(party.user)
	case party.passUser:
		own.User = u.User.In(uri)
	}
	by := &m.carriers[m.written]
	own.URIParams = append(append(append(own.URIParams, ';'), by.param...), '=')
	own.URIParams = by.sealer.append(own.URIParams, party, c.Msg.CallID())
	own.URIParams = passed(own.URIParams, u.Params.In(uri), m.uriParams)
	own.Params = passed(nil, c.Msg.Bytes(a.Params), m.params)
	return own
}

// socketOf names the socket that a message came by.
func socketOf(c *proxy.Context) string {
	if c.Src == nil || c.Src.Socket == nil {
		return ""
	}
	return c.Src.Socket.Proto.String() + ":" + c.Src.Socket.Addr.String()
}

// routesOf returns the way back to who sent a message: its Record-Routes, of a response the last one first.
func routesOf(msg *sipframe.Message, response bool) string {
	var list []string
	it := msg.RecordRoutes()
	for v, ok := it.Next(); ok; v, ok = it.Next() {
		list = append(list, string(msg.Bytes(v)))
	}
	if response {
		for i, k := 0, len(list)-1; i < k; i, k = i+1, k-1 {
			list[i], list[k] = list[k], list[i]
		}
	}
	return strings.Join(list, ", ")
}
