package presence

import (
	"net/netip"
	"strconv"
	"strings"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// handleSubscribe builds handle_subscribe(): 1, or -1 for one that was refused; both are
// answered (RFC 6665 4.2).
func (m *Module) handleSubscribe(a *script.Args) script.Action {
	at := a.Site()
	return func(x *script.Machine) int {
		if x.Message().Method() != sipframe.SUBSCRIBE {
			return x.Fail(at, "it is for SUBSCRIBE")
		}
		now := x.Now().Unix()
		m.state.mu.Lock()
		s, lasts, bad := m.subscribe(x, now)
		var out []*notify
		if bad == nil {
			reason := ""
			if lasts == 0 {
				reason = "timeout"
			}
			out = append(m.tellOfWatchers(s.of, now), m.notify(s, now, reason))
		}
		m.state.mu.Unlock()
		if bad != nil {
			return bad.respond(m, x, at)
		}
		c := x.Context()
		err := c.SetToTag([]byte(s.id.toTag))
		if err == nil {
			err = c.AppendToResponse([]byte("Expires: " + strconv.FormatInt(lasts, 10) + "\r\nContact: <" + s.contact + ">\r\n"))
		}
		if err == nil {
			err = m.signaling.Respond(x, 200, nil)
		}
		m.send(c, out)
		return x.Reported(at, err)
	}
}

// subscribe does what a SUBSCRIBE asks for, under the lock. One that is over is not in
// the state any more.
func (m *Module) subscribe(x *script.Machine, now int64) (s *subscription, lasts int64, bad *refusal) {
	c, msg := x.Context(), x.Message()
	e, id, bad := m.eventOf(msg)
	if bad != nil {
		return nil, 0, bad
	}
	if lasts, bad = lifetime(msg, m.maxSubscribe); bad != nil {
		return nil, 0, bad
	}
	if lasts > 0 && !accepts(msg, e.Type()) {
		return nil, 0, &refusal{code: 406, reason: "Not Acceptable", headers: "Accept: " + e.Type() + "\r\n"}
	}
	from, ferr := msg.From()
	to, terr := msg.To()
	seq, _, serr := msg.CSeq()
	if ferr != nil || terr != nil || serr != nil || from.Tag.Len == 0 {
		return nil, 0, &refusal{code: 400, reason: "Bad Request"}
	}
	target := ""
	if contact, err := msg.Contact(); err == nil && contact != nil && !contact.Star {
		target = string(msg.Bytes(contact.URI))
	}
	key := dialogID{string(msg.CallID()), string(msg.Bytes(from.Tag)), string(msg.Bytes(to.Tag))}
	until := now + lasts + m.offset
	if key.toTag != "" {
		if s = m.state.subs[key]; s == nil || s.of.event != e.Name() || s.eventID != id {
			return nil, 0, &refusal{code: 481, reason: "Subscription does not exist"}
		}
		if seq <= s.seen {
			return nil, 0, &refusal{code: 500, reason: "CSeq Out of Order"}
		}
		if s.seen, s.expires = seq, until; target != "" {
			s.target = target
		}
		if s.flow = flowOf(c.Src); lasts == 0 {
			m.state.drop(s)
		}
		return s, lasts, nil
	}
	uri, ok := presentity(c.RequestURI())
	switch {
	case !ok:
		return nil, 0, noUser
	case target == "":
		return nil, 0, &refusal{code: 400, reason: "Missing Contact"}
	case len(m.state.subs) >= maxSubscriptions:
		return nil, 0, &refusal{code: 503, reason: "Too Many Subscriptions"}
	case int64(m.state.has[string(msg.Bytes(from.URI))]) >= m.perWatcher:
		return nil, 0, &refusal{code: 403, reason: "Too Many Subscriptions of Yours"}
	}
	key.toTag = fresh()
	s = &subscription{
		id: key, of: resource{uri, e.Name()}, eventID: id, watcher: string(msg.Bytes(from.URI)), local: string(msg.Bytes(to.URI)), target: target,
		routes: routesOf(msg), contact: m.contactOf(c), socket: c.Src.Socket, flow: flowOf(c.Src), expires: until, seen: seq,
	}
	if lasts > 0 {
		m.state.add(s)
	}
	return s, lasts, nil
}

// flowOf is the connection that a request came by, 0 if it came by datagram.
func flowOf(src *reactor.Source) reactor.Handle {
	if src.Proto == reactor.UDP {
		return 0
	}
	return src.Conn
}

// routesOf is the route set of who is asked (RFC 3261 12.1.1).
func routesOf(msg *sipframe.Message) string {
	var list []string
	for it := msg.RecordRoutes(); ; {
		v, ok := it.Next()
		if !ok {
			return strings.Join(list, ", ")
		}
		list = append(list, string(msg.Bytes(v)))
	}
}

// contactOf is our Contact: the socket that the request came to.
func (m *Module) contactOf(c *proxy.Context) string {
	host, port := c.Src.Local.Addr().String(), c.Src.Local.Port()
	if s := c.Src.Socket; s != nil {
		if port = s.Addr.Port(); s.Advertised != "" {
			host = s.Advertised
		}
		if s.AdvertisedPort != 0 {
			port = s.AdvertisedPort
		}
	}
	if a, err := netip.ParseAddr(host); err == nil && a.Is6() && !a.Is4In6() {
		host = "[" + host + "]"
	}
	uri := "sip:"
	if m.user != "" {
		uri += m.user + "@"
	}
	uri += host + ":" + strconv.Itoa(int(port))
	if c.Src.Proto != reactor.UDP {
		uri += ";transport=" + strings.ToLower(c.Src.Proto.String())
	}
	return uri
}
