package proxy

import (
	"net/netip"

	"sipreactor/reactor"
	"sipreactor/sipframe"
)

// course is the addresses of a destination that has several, with all that it
// takes to send a message to the next one when a connection fails that had taken
// it: the proxy keeps nothing of a request, and the message brings its leg back.
// It does not change, and is shared by the messages to that destination.
type course struct {
	set    reactor.AddrSet
	proto  reactor.Proto
	name   string            // SIP domain
	domain string            // TLS client domain
	from   []*reactor.Socket // by address; nil: none of ours reaches it
	noNew  bool
	legs   []leg
}

// leg is one address of a course: what a message to it has as reactor.Target.Note.
type leg struct {
	of *course
	at int
}

// courseKey is what courses differ by; the resolver's answer by its place in
// memory, which the course holds on to.
type courseKey struct {
	addrs        *netip.AddrPort
	n            int
	proto        reactor.Proto
	name, domain string
	in, out      *reactor.Socket
	noNew        bool
}

// maxCourses bounds what a Context keeps; then it starts again.
const maxCourses = 64

// plot gives the course to the addresses of a hop; nil for a single one.
func (c *Context) plot(h *hop, addrs []netip.AddrPort) *course {
	if len(addrs) < 2 {
		return nil
	}
	name := c.sipDomain
	if name == "" {
		name = c.names.get(h.name)
	}
	key := courseKey{&addrs[0], len(addrs), h.proto, name, c.domain, c.Src.Socket, c.main.socket, c.mayNotOpen()}
	if w := c.courses[key]; w != nil {
		return w
	}
	if c.courses == nil || len(c.courses) >= maxCourses {
		c.courses = make(map[courseKey]*course)
	}
	w := &course{set: reactor.AddrSet{Addrs: addrs}, proto: h.proto, name: name, domain: c.domain, noNew: c.noNew,
		from: make([]*reactor.Socket, len(addrs)), legs: make([]leg, len(addrs))}
	for i, a := range addrs {
		if li := c.outgoing(h.proto, a); li != nil {
			w.from[i] = li.socket
		}
		w.legs[i] = leg{w, i}
	}
	c.courses[key] = w
	return w
}

// mark has what is sent to the i-th address bring its leg back.
func (w *course) mark(t *reactor.Target, i int) {
	if w != nil {
		t.Set, t.Note = &w.set, &w.legs[i]
	}
}

// start gives the address to begin with, and whether it is the only one to try.
// What belongs to an INVITE goes where that went, and a CANCEL nowhere else.
func (c *Context) start(w *course) (at int, only bool) {
	if w == nil {
		return 0, false
	}
	method := c.Msg.Method()
	if !inviteFamily(method) {
		return 0, false
	}
	if a, known := c.proxy.went.find(c.transaction()); known {
		for i := range w.set.Addrs {
			if w.set.Addrs[i] == a {
				at = i
				break
			}
		}
	}
	return at, method == sipframe.CANCEL
}

// goes notes where an INVITE goes, before it does: its CANCEL may be right behind.
func (c *Context) goes(w *course, trans uint64, i int) {
	if w != nil && trans != 0 && c.Msg.Method() == sipframe.INVITE {
		c.proxy.went.note(trans, w.set.Addrs[i])
	}
}

// goOn sends a request that came back to the next address of its destination. It
// tells false when there is none: the message is where it was. A CANCEL follows
// its INVITE, if that has gone on.
func (c *Context) goOn(u *reactor.Undelivered) bool {
	l, ok := u.Note.(*leg)
	if !ok {
		return false
	}
	var t token
	via, err := c.msg.TopVia()
	if err != nil || !c.proxy.keys.openBranch(c.msg.Bytes(via.Branch), &t) {
		t = token{} // Send has sent it as it was
	}
	w := l.of
	if c.msg.Method() == sipframe.CANCEL {
		a, known := c.proxy.went.find(t.trans)
		for i := l.at + 1; known && i < len(w.legs); i++ {
			if w.set.Addrs[i] == a {
				return c.resend(w, i, l.at, u)
			}
		}
		return false
	}
	for i := l.at + 1; i < len(w.legs); i++ {
		c.goes(w, t.trans, i)
		if c.resend(w, i, l.at, u) {
			return true
		}
	}
	if c.msg.Method() == sipframe.INVITE {
		c.proxy.went.forget(t.trans)
	}
	return false
}

// resend sends a message that was written for one address of a course to
// another.
func (c *Context) resend(w *course, i, was int, u *reactor.Undelivered) bool {
	from := w.from[i]
	li := c.ours.of(from)
	if li == nil {
		return false
	}
	c.back.b = u.Data
	if from != w.from[was] && !c.respeak(c.voice(li, w.set.Addrs[i])) {
		return false
	}
	c.target = reactor.Target{Proto: w.proto, Addr: w.set.Addrs[i], Name: w.name, Domain: w.domain, Socket: from,
		NoNew: w.noNew, Class: c.class()}
	w.mark(&c.target, i)
	_, err := c.out.Send(&c.target, &c.back)
	c.tellSent(err)
	return err == nil
}

// respeak writes the message that came back as it leaves by another listener: our
// Via, which it has on top, names that. One with a Record-Route of ours stays as
// it is, and is not sent: that leads through the listener before.
func (c *Context) respeak(li *listener) bool {
	m := &c.msg
	via, err := m.TopVia()
	i := m.Find(sipframe.HeaderVia)
	if err != nil || !via.LastOnLine || !looksOurs(m.Bytes(via.Branch)) || c.recorded() {
		return false
	}
	branch := m.Bytes(via.Branch)
	h := m.Header(i)
	raw := m.Raw()
	b := append(c.respoken[:0], raw[:h.Value.Off]...)
	b = append(append(b, li.via...), branch...)
	b = append(b, raw[via.Branch.End():]...)
	c.respoken = b
	c.back.b = b
	return true
}

// recorded tells whether the topmost Record-Route is ours.
func (c *Context) recorded() bool {
	i := c.msg.Find(sipframe.HeaderRecordRoute)
	if i < 0 {
		return false
	}
	var h hop
	return parseHop(c.msg.Bytes(c.msg.Header(i).Value), &h) != nil || c.ours.mine(h.host, h.port, 0)
}
