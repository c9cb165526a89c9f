package nat_traversal

import (
	"iter"
	"sync"
	"time"

	"sipreactor/reactor"
	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

// keep builds nat_keepalive(): 1; -1 for a request that gives no reason to keep its sender.
func (m *module) keep(a *script.Args) script.Action {
	at := a.Site()
	return func(x *script.Machine) int {
		if m.kept == nil {
			return -1
		}
		switch msg := x.Message(); {
		case msg.Method() == sipframe.REGISTER, msg.Method() == sipframe.SUBSCRIBE:
			m.await(x.Context())
			return 1
		case msg.Method() == sipframe.INVITE && !x.Context().HasToTag():
			return m.call(x, at)
		default:
			return -1
		}
	}
}

// call has the sender of an INVITE kept as long as its dialog lasts, and those that it rings.
func (m *module) call(x *script.Machine, at *script.Site) int {
	if m.dialog == nil {
		return x.Fail(at, `to keep who calls needs the module dialog: loadmodule "dialog.so"`)
	}
	c := x.Context()
	if m.dialog.Of(c) == nil {
		if !tracks(c) {
			return 1
		}
		if code := m.dialog.Create(x, at, 0); code <= 0 {
			return code
		}
	}
	d := m.dialog.Of(c)
	if _, ok := d.Attachment(heldKey).(*held); ok {
		return 1
	}
	h := &held{kept: m.kept, dialog: d}
	d.Attach(heldKey, h)
	h.hold(sourceOf(c.Src), false, c.Src)
	transaction.Of(c).Listen(h.happened)
	return 1
}

func sourceOf(src *reactor.Source) place {
	return place{src.Proto, unmapped(src.Remote)}
}

// held is what a dialog keeps.
type held struct {
	kept   *table
	dialog *core.Dialog

	mu     sync.Mutex
	ended  bool
	caller place
	rung   []place // callees
}

// heldKey is the key of it with the dialog.
var heldKey = new(int)

// hold keeps a place: of the caller from where its INVITE came, of a callee if its registration is kept.
func (h *held) hold(p place, callee bool, from *reactor.Source) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended || !h.kept.hold(p, h.dialog, callee, time.Now().Unix(), from) {
		return
	}
	if !callee {
		h.caller = p
		return
	}
	h.rung = append(h.rung, p)
}

// happened keeps those that are rung, then the one that has answered: transaction.Listener.
func (h *held) happened(e *transaction.Happening) {
	switch {
	case e.Leg == nil:
	case e.What == transaction.RequestOut:
		if t := e.Leg.Target(); t != nil {
			h.hold(place{t.Proto, unmapped(t.Addr)}, true, nil)
		}
	case e.What == transaction.ResponseIn && e.Code >= 200 && e.Code < 300:
		h.answered(sourceOf(e.Context.Src))
	}
}

// answered has the others that were rung go.
func (h *held) answered(by place) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.rung {
		if p != by && p != h.caller {
			h.kept.release(p, h.dialog)
		}
	}
	h.rung = append(h.rung[:0], by)
}

// release ends it, with the dialog.
func (h *held) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	h.kept.release(h.caller, h.dialog)
	for _, p := range h.rung {
		h.kept.release(p, h.dialog)
	}
	h.rung = nil
}

// pending is a REGISTER or SUBSCRIBE whose answer tells how long its sender is kept.
type pending struct {
	kept     *table
	place    place
	socket   *reactor.Socket
	flow     reactor.Handle
	register bool
	contacts []string // URIs of a REGISTER
	asked    int64    // seconds, 0: nothing is asked for
}

// pendingKey is the key of it with the message.
type pendingKey struct{}

// await keeps the sender of a request once that has its 2xx.
func (m *module) await(c *proxy.Context) {
	if _, ok := c.Attachment(pendingKey{}).(*pending); ok {
		return
	}
	p := &pending{kept: m.kept, place: sourceOf(c.Src), socket: c.Src.Socket, register: c.Msg.Method() == sipframe.REGISTER}
	if p.place.proto != reactor.UDP {
		p.flow = c.Src.Conn
	}
	p.read(c.Msg)
	if p.asked == 0 {
		return
	}
	c.Attach(pendingKey{}, p)
	if e := transaction.Of(c); e != nil {
		e.Listen(p.happened)
	}
}

// contactsOf gives the contacts of a message and for how many seconds each is: general where it does not say so itself.
func contactsOf(msg *sipframe.Message, general int64) iter.Seq2[*sipframe.NameAddr, int64] {
	return func(yield func(*sipframe.NameAddr, int64) bool) {
		it := msg.Values(sipframe.HeaderContact)
		for v, ok := it.Next(); ok; v, ok = it.Next() {
			var a sipframe.NameAddr
			if msg.NameAddr(v, &a) != nil || a.Star {
				continue
			}
			n, own := expiresOf(msg, &a)
			if !own {
				n = general
			}
			if !yield(&a, n) {
				return
			}
		}
	}
}

// read notes what the request asks for.
func (p *pending) read(msg *sipframe.Message) {
	general, given := secondsOf(msg.Value(sipframe.HeaderExpires))
	if !given {
		general = unsaid
	}
	p.asked = general
	if !p.register {
		return
	}
	p.asked = 0
	for a, n := range contactsOf(msg, general) {
		if n > 0 {
			p.contacts = append(p.contacts, string(msg.Bytes(a.URI)))
			p.asked = max(p.asked, n)
		}
	}
}

// unsaid is how long is asked for where nothing is said (RFC 3261 10.2, RFC 6665 3.1.1).
const unsaid = 3600

// Decided is told of the answer to a request without a transaction: proxy.Decided.
func (p *pending) Decided(c *proxy.Context, code int) {
	if code >= 200 && code < 300 {
		p.granted(c.OwnResponse())
	}
}

// happened is told of the answer to one with a transaction: transaction.Listener.
func (p *pending) happened(h *transaction.Happening) {
	if h.What == transaction.Answered && h.Code >= 200 && h.Code < 300 {
		p.granted(h.Text)
	}
}

// responses are to parse answers into.
var responses = sync.Pool{New: func() any { return new(sipframe.Message) }}

// granted keeps the sender for as long as an answer says.
func (p *pending) granted(text []byte) {
	msg, _ := responses.Get().(*sipframe.Message)
	defer responses.Put(msg)
	defer msg.Reset()
	if msg.Parse(text) != nil {
		return
	}
	n := p.expiry(msg)
	if n <= 0 {
		return
	}
	until := time.Now().Unix() + n
	p.kept.change(p.place, func(e *endpoint) {
		e.socket, e.flow = p.socket, p.flow
		if p.register {
			e.registered = max(e.registered, until)
		} else {
			e.subscribed = max(e.subscribed, until)
		}
	})
}

// expiry returns the seconds that an answer gives the request. In that to a REGISTER the sender's Contacts count, as they
// came or as fix_contact() made them.
func (p *pending) expiry(msg *sipframe.Message) int64 {
	general, given := secondsOf(msg.Value(sipframe.HeaderExpires))
	if !given {
		general = p.asked
	}
	if !p.register {
		return general
	}
	longest, ours := int64(0), int64(0)
	for a, n := range contactsOf(msg, general) {
		longest = max(longest, n)
		if p.isOurs(msg.Bytes(a.URI)) {
			ours = max(ours, n)
		}
	}
	if ours > 0 {
		return ours
	}
	return longest
}

func (p *pending) isOurs(uri []byte) bool {
	for _, c := range p.contacts {
		if c == string(uri) {
			return true
		}
	}
	at, ok := placeOf(uri)
	return ok && at.addr == p.place.addr
}

// expiresOf returns the parameter expires of a Contact.
func expiresOf(msg *sipframe.Message, a *sipframe.NameAddr) (n int64, ok bool) {
	v, ok := sipframe.FindParam(msg.Bytes(a.Params), "expires")
	if !ok {
		return 0, false
	}
	return secondsOf(v)
}

// secondsOf reads a number of seconds. More than a week is a week.
func secondsOf(b []byte) (n int64, ok bool) {
	u, ok := sipframe.ParseUint(b, 1<<32-1)
	return min(int64(u), longest), ok
}

const longest = 7 * 86400
