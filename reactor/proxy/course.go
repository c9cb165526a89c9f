package proxy

import (
	"sipreactor/reactor"
	"sipreactor/reactor/blacklist"
	"sipreactor/reactor/names"
	"sipreactor/sipframe"
)

// course is the targets of a destination that has several, with all that it
// takes to send a message to the next one when a connection fails that had taken
// it: the proxy keeps nothing of a request, and the message brings its leg back.
// It does not change, and is shared by the messages to that destination.
type course struct {
	answer *names.Answer
	name   string            // SIP domain
	domain string            // TLS client domain
	from   []*reactor.Socket // by target; nil: none of ours reaches it
	noNew  bool
	lists  blacklist.Mask // that keep messages from targets
	legs   []leg
}

// leg is one target of a course: what a message to it has as reactor.Target.Note.
type leg struct {
	of *course
	at int
}

// courseKey is what courses differ by; the answer by its place in memory, which
// the course holds on to.
type courseKey struct {
	answer       *names.Answer
	name, domain string
	in, out      *reactor.Socket
	noNew        bool
	lists        blacklist.Mask
}

// maxCourses bounds what a Context keeps; then it starts again.
const maxCourses = 64

// plot gives the course to the targets of a hop; nil for a single one.
func (c *Context) plot(h *hop, answer *names.Answer) *course {
	if len(answer.Targets) < 2 {
		return nil
	}
	name := c.sipDomain
	if name == "" {
		name = c.names.get(h.name)
	}
	noNew := c.mayNotOpen()
	key := courseKey{answer, name, c.domain, c.Src.Socket, c.main.socket, noNew, c.blacklists}
	if w := c.courses[key]; w != nil {
		return w
	}
	if c.courses == nil || len(c.courses) >= maxCourses {
		c.courses = make(map[courseKey]*course)
	}
	n := len(answer.Targets)
	w := &course{answer: answer, name: name, domain: c.domain, noNew: noNew, lists: c.blacklists,
		from: make([]*reactor.Socket, n), legs: make([]leg, n)}
	for i := range answer.Targets {
		to := answer.Targets[i].EndPoint
		if li := c.outgoing(to.Proto, to.Addr); li != nil {
			w.from[i] = li.socket
		}
		w.legs[i] = leg{w, i}
	}
	c.courses[key] = w
	return w
}

// to gives the i-th target.
func (w *course) to(i int) reactor.EndPoint { return w.answer.Targets[i].EndPoint }

// mark has what is sent to the i-th target bring its leg back.
func (w *course) mark(t *reactor.Target, i int) {
	if w != nil {
		t.Set, t.Note = w.answer.Set(), &w.legs[i]
	}
}

// one is the order of a single target.
var one = (&names.Answer{Targets: make([]names.Target, 1)}).Order(0)

// start gives the order in which to try the targets, and the place in it to begin
// with. What belongs to an INVITE goes where that went, and a CANCEL nowhere else.
func (c *Context) start(w *course) (order names.Order, first int) {
	if w == nil {
		return one, 0
	}
	order = c.order(w.answer, c.transaction())
	method := c.Msg.Method()
	if !inviteFamily(method) {
		return order, 0
	}
	if at, known := c.proxy.went.find(c.transaction()); known {
		first = max(w.placeOf(&order, at), 0)
	}
	if method == sipframe.CANCEL {
		order = order.Only(first)
		first = 0
	}
	return order, first
}

// placeOf gives the place of an end point in an order; -1 if it is none of the
// targets.
func (w *course) placeOf(order *names.Order, at reactor.EndPoint) int {
	for n := range order.Len() {
		if w.to(order.At(n)) == at {
			return n
		}
	}
	return -1
}

// goes notes where an INVITE goes, before it does: its CANCEL may be right behind.
func (c *Context) goes(w *course, trans uint64, i int) {
	if w != nil && trans != 0 && c.Msg.Method() == sipframe.INVITE {
		c.proxy.went.note(trans, w.to(i))
	}
}

// goOn sends a request that came back to the next target of its destination. It
// tells false when there is none: the message is where it was. A CANCEL follows
// its INVITE, if that has gone on.
func (c *Context) goOn(u *reactor.Undelivered) bool {
	l, ok := u.Note.(*leg)
	if !ok {
		return false
	}
	var t token
	via, err := c.msg.TopVia()
	seed := uint64(0)
	if err == nil && c.proxy.keys.openBranch(c.msg.Bytes(via.Branch), &t) {
		seed = t.trans
	} else {
		t, seed = token{}, c.proxy.keys.dialogSeed(&c.msg) // Send has sent it as it was
	}
	w := l.of
	order := c.order(w.answer, seed)
	behind := 0 // the place of what failed
	for behind < order.Len() && order.At(behind) != l.at {
		behind++
	}
	if c.msg.Method() == sipframe.CANCEL {
		a, known := c.proxy.went.find(t.trans)
		if n := w.placeOf(&order, a); known && n > behind {
			return c.resend(w, order.At(n), l.at, u)
		}
		return false
	}
	if behind+1 < order.Len() {
		c.proxy.dead(w.to(l.at), u.Err)
	}
	for n := behind + 1; n < order.Len(); n++ {
		i := order.At(n)
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

// resend sends a message that was written for one target of a course to another.
func (c *Context) resend(w *course, i, was int, u *reactor.Undelivered) bool {
	from := w.from[i]
	li := c.ours.of(from)
	if li == nil {
		return false
	}
	c.back.b = u.Data
	to := w.to(i)
	if needsLength(to.Proto) && c.msg.Find(sipframe.HeaderContentLength) < 0 {
		return false // a stream's peer could not tell where it ends
	}
	if c.admits(w.lists, to, &c.back) != nil {
		return false
	}
	if from != w.from[was] && !c.respeak(c.voice(li, to.Addr)) {
		return false
	}
	c.target = reactor.Target{Proto: to.Proto, Addr: to.Addr, Name: w.name, Domain: w.domain, Socket: from,
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
