package proxy

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net/netip"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/blacklist"
	"sipreactor/reactor/names"
	"sipreactor/sipframe"
)

// Transactions is who keeps transactions above the proxy: the branches that requests leave with by SendBranch lead back
// to it. Its methods are called by the goroutine that handles the message.
type Transactions interface {
	// Request has a request routed by r: the transaction that comes of it ends with that.
	Request(c *Context, r Router)
	// Response takes the response in c to a request that left as handle. It reports whether it knows such a one; if not
	// a 2xx to an INVITE goes on by its Via as long as it is young, and others end here.
	Response(c *Context, handle uint64) bool
	// Returned takes back a request, in c, that left as handle and could not be delivered.
	Returned(c *Context, handle uint64, cause *reactor.Error)
	// ReplyReturned takes back a response, in c, that could not be delivered. It reports whether it was one of a
	// transaction's.
	ReplyReturned(c *Context, cause *reactor.Error) bool
	// Acknowledges reports whether the ACK in c belongs to a final response of a transaction.
	Acknowledges(c *Context) bool
}

// SetTransactions has responses and what was not delivered handed to t. It is called once, before the first message.
func (p *Proxy) SetTransactions(t Transactions) { p.transactions = t }

// Router returns who routes messages now.
func (p *Proxy) Router() Router { return *p.router.Load() }

// youth is how long a response without a transaction is sent on: 64*T1. Its transaction was that of an earlier life of
// the process, or of another node (a deviation from RFC 6026 8.7); of ours only a 2xx to an INVITE is.
const youth = 32 * time.Second

// statefulResponse handles a response to a request of a transaction's. It reports whether it was dealt with.
func (c *Context) statefulResponse(t *token, sent clock, known bool) bool {
	if s := c.proxy.transactions; s != nil && t.life == c.proxy.life {
		_, method, _ := c.Msg.CSeq()
		code := c.Msg.StatusCode()
		if s.Response(c, uint64(t.conn)) {
			c.tellAnswerOf(method, code, sent, known)
			return true
		}
		// The transaction was ours and is over: its client has had its one final response (RFC 6026 8.7). A 2xx to an
		// INVITE is a call that somebody has to end.
		if code < 200 || code > 299 || sipframe.MethodOf(method) != sipframe.INVITE {
			c.count.add(ResponsesLate)
			return true
		}
	}
	t.conn = 0
	if age := sent.since(c.proxy.now()); !known || sent.edited || age == 0 || age > youth {
		c.count.add(ResponsesLate)
		return true
	}
	return false
}

// Way is the targets of a branch's destination, and how far they have been tried. It may be kept.
type Way struct {
	targets []names.Target
	alone   [1]names.Target
	order   names.Order
	next    uint8          // the place in it of the first that has not been tried
	bound   bool           // it goes by its connection and by no other
	target  reactor.Target // of the last try; before it, what all of them have in common
	lists   blacklist.Mask // that keep it from targets
}

// More reports whether there is a target that has not been tried.
func (w *Way) More() bool { return int(w.next) < w.order.Len() }

// Several reports whether there is more than one target.
func (w *Way) Several() bool { return w.order.Len() > 1 }

// Reached tells that the last target has answered: the same address is not tried by
// another transport.
func (w *Way) Reached() {
	if w.More() && w.next > 0 && w.targets[w.order.At(int(w.next))].Addr == w.target.Addr {
		w.next++
	}
}

// OnlyFirst forgets all targets but the first.
func (w *Way) OnlyFirst() { firstOnly(&w.order, w.targets) }

// Reliable reports whether the transport of the last try, or of the first one to come, retransmits by itself.
func (w *Way) Reliable() bool {
	if w.target.Proto == 0 && w.More() {
		return w.targets[w.order.At(int(w.next))].Proto != reactor.UDP
	}
	return w.target.Proto != reactor.UDP
}

// Target returns where the last try went.
func (w *Way) Target() *reactor.Target { return &w.target }

// Aim finds out where the request goes, as Forward does, for a transaction that sends it. ErrHops: Max-Forwards is spent;
// nothing has been answered.
func (c *Context) Aim(dest []byte, w *Way) error {
	if !c.Msg.IsRequest() {
		return ErrNotRequest
	}
	if c.MaxForwards(c.proxy.cfg.MaxForwards) < 0 {
		c.count.add(HopsSpent)
		return c.failed(dest, ErrHops)
	}
	c.preprocess(len(dest) == 0 && len(c.main.dst) == 0)
	var h hop
	dest, answer, err := c.destinations(dest, &h)
	if err != nil {
		return c.failed(dest, err)
	}
	answer = c.fitting(answer)
	*w = Way{order: c.order(answer, rand.Uint64()), lists: c.blacklists, bound: c.main.bound,
		target: reactor.Target{Conn: c.main.flow, Name: c.sipDomain, Domain: c.domain, NoNew: c.mayNotOpen(), Set: answer.Set()}}
	if w.target.Name == "" {
		w.target.Name = c.names.get(h.name)
	}
	if w.targets = answer.Targets; len(w.targets) == 1 { // which may be the Context's own
		w.alone[0] = w.targets[0]
		w.targets = w.alone[:]
	}
	return nil
}

// SendBranch sends the request to the addresses of w that have not been tried, one after the other, until one takes it.
// Its branch leads responses to handle (Transactions). What was written is in *sent, whose memory is used.
func (c *Context) SendBranch(handle uint64, w *Way, sent *[]byte) (err error) {
	var last error
	for w.More() {
		to := w.targets[w.order.At(int(w.next))].EndPoint
		if w.next > 0 { // the one before has failed, or we were not here
			c.proxy.dead(reactor.EndPoint{Proto: w.target.Proto, Addr: w.target.Addr}, last)
		}
		w.next++
		li := c.outgoing(to.Proto, to.Addr)
		if li == nil {
			if last = ErrNoSocket; err == nil {
				err = last
			}
			continue
		}
		c.stateful(handle)
		build := c.buildRequest(c.spokenAs(c.voice(li, to.Addr)))
		c.token.branched = false // the next one is another
		if build != nil {
			return c.failed(nil, build)
		}
		*sent = c.rewrite.AppendTo((*sent)[:0])
		c.back.b = *sent
		if last = c.admits(w.lists, to, &c.back); last != nil {
			err = last
			continue
		}
		w.target.Proto, w.target.Addr, w.target.Socket, w.target.Class = to.Proto, to.Addr, li.socket, c.class()
		if w.bound {
			w.target.Addr = netip.AddrPort{}
		}
		c.target = w.target
		last = c.send(&c.back)
		c.tellSent(last)
		if last == nil {
			c.forwarded, c.failure = true, nil
			c.count.add(RequestsOut)
			return nil
		}
		if err == nil || errors.Is(err, ErrNoSocket) { // which says less than a connection that failed
			err = last
		}
	}
	if err == nil { // none was left
		err = names.ErrUnresolved
	}
	return c.failed(nil, err)
}

// stateful makes the branch of the request one that leads to a transaction.
func (c *Context) stateful(handle uint64) {
	c.token.branched = false
	c.makeBranch()
	t := &c.token.whole
	t.stateful, t.conn, t.life = true, reactor.Handle(handle), c.proxy.life
	c.proxy.keys.appendBranch(c.token.branch[:0], t)
}

// Resend sends bytes that were written before to where a branch went: the request again, its CANCEL or its ACK.
func (c *Context) Resend(w *Way, class reactor.Class, b []byte) error {
	c.back.b = b
	c.target = w.target
	c.target.Class = class
	return c.send(&c.back)
}

// Upstream is where the responses to a request go. It may be kept.
type Upstream struct {
	conn   reactor.Handle
	proto  reactor.Proto
	addr   netip.AddrPort // over UDP
	socket *reactor.Socket
	noNew  bool
}

// Proto returns the transport of the request.
func (u *Upstream) Proto() reactor.Proto { return u.proto }

// Reliable reports whether that retransmits by itself.
func (u *Upstream) Reliable() bool { return u.proto != reactor.UDP }

// ErrGone: the connection that a request came by has ended. The response can go where the request's Via leads
// (Context.SendByVia, with the request in the Context).
var ErrGone = errors.New("proxy: the connection of the request is gone")

// Upstream returns where responses to the request at hand go.
func (c *Context) Upstream() (u Upstream) {
	src := c.Src
	u = Upstream{proto: src.Proto, conn: src.Conn, noNew: c.replyMayNotOpen()}
	if li := c.ours.of(src.Socket); li != nil {
		u.socket = li.socket
	}
	if via, _ := c.Msg.TopVia(); via != nil && src.Proto == reactor.UDP {
		u.conn = 0
		u.addr = c.viaAddr(c.Msg.Raw(), via, c.cameFrom(via))
	}
	return u
}

// SendUpstream sends a response. ErrGone if the connection that its request came by is.
func (c *Context) SendUpstream(u *Upstream, b []byte) error {
	c.back.b = b
	if u.proto != reactor.UDP {
		c.target = reactor.Target{Conn: u.conn, Proto: u.proto, Class: reactor.Final}
		err := c.send(&c.back)
		if err != nil && isGone(err) {
			return ErrGone
		}
		return err
	}
	c.target = reactor.Target{Proto: reactor.UDP, Addr: u.addr, Socket: u.socket, NoNew: u.noNew, Class: reactor.Final}
	return c.send(&c.back)
}

// SendByVia sends a response to where the Via of the request at hand leads (RFC 3261 18.2.2).
func (c *Context) SendByVia(b []byte) error {
	c.back.b = b
	via, err := c.Msg.TopVia()
	if via == nil {
		return err
	}
	return c.sendByVia(c.Msg.Raw(), via, c.cameFrom(via), &c.back)
}

// CountReply counts a response of ours.
func (c *Context) CountReply(code int) { c.count.reply(code) }

// CountResponse counts a response that was sent on, or could not be.
func (c *Context) CountResponse(err error, peer netip.AddrPort) {
	if err == nil {
		c.count.add(ResponsesOut)
		return
	}
	c.count.add(ResponsesUndelivered)
	c.lost("response", peer, 0, err)
}

// WriteResponse writes the response at hand as it goes upstream by proto, without our Via and with the Router's changes,
// behind dst. Changes that make no message of it are left out.
func (c *Context) WriteResponse(dst []byte, proto reactor.Proto) ([]byte, error) {
	if c.hide.on {
		mine, text := len(c.edits), len(c.arena)
		err := c.buildHidden(proto)
		c.edits, c.arena = c.edits[:mine], c.arena[:text]
		if err != nil {
			return dst, err // as it came it would tell too much
		}
		return c.rewrite.AppendTo(dst), nil
	}
	client, same, ok := viaBelow(c.Msg)
	if !ok {
		return dst, ErrNotRequest
	}
	mine := len(c.edits)
	err := c.buildResponse(proto, client, same)
	if err != nil && mine > 0 {
		c.lost("changes of a response", netip.AddrPort{}, c.Src.Conn, err)
		c.edits, c.replaced, c.bodyEdited = c.edits[:0], false, false
		err = c.buildResponse(proto, client, same)
	}
	if err != nil {
		return dst, err
	}
	return c.rewrite.AppendTo(dst), nil
}

// WriteReply writes a response of ours to the request at hand behind dst: as Reply does, with a body (whose headers are
// the Router's, by AppendToReply) and, if busy, with the time to come again.
func (c *Context) WriteReply(dst []byte, code int, reason, body []byte, busy bool) []byte {
	overload := c.overload
	c.overload = busy
	c.writeReplyBody(code, reason, body, c.transaction(), false)
	c.overload = overload
	if code >= 200 {
		c.answered = true
	}
	return append(dst, c.reply.b...)
}

// TransactionKey returns a keyed hash of what the messages of a transaction have in common (RFC 3261 17.2.3; without the
// magic cookie as RFC 2543 has it): an INVITE, its CANCEL and the ACK to its final response that is no 2xx have the same
// one, and so have responses.
func (c *Context) TransactionKey() uint64 {
	k := c.transaction()
	method := c.Msg.Method()
	if !c.Msg.IsRequest() {
		_, name, _ := c.Msg.CSeq()
		method = sipframe.MethodOf(name)
	}
	if inviteFamily(method) {
		return k
	}
	return k ^ (uint64(method)+1)*0x9e3779b97f4a7c15
}

// InviteKey returns a keyed hash of what names an INVITE for people: its Call-ID and CSeq number. Any goroutine.
func (p *Proxy) InviteKey(callID []byte, cseq uint32) uint64 {
	b := appendField(make([]byte, 0, 128), callID)
	return hash(&p.keys.loop, binary.BigEndian.AppendUint32(b, cseq)) | 1
}

// AnswerKey returns a keyed hash of what a 2xx to an INVITE shares with its ACK, which is a transaction of its own: m is
// either.
func (p *Proxy) AnswerKey(m *sipframe.Message) uint64 {
	b := appendDialog(make([]byte, 0, 256), m)
	if to, err := m.To(); err == nil {
		b = appendField(b, m.Bytes(to.Tag))
	}
	return hash(&p.keys.check, b) | 1
}

// MergeKey returns a keyed hash of what a request shares with copies of it that came another way (RFC 3261 8.2.2.2):
// Call-ID, From tag and CSeq, and since a proxy upstream may fork to several of our users, the Request-URI. ok is false
// for a request that has been here before, and one within a dialog.
func (c *Context) MergeKey() (key uint64, ok bool) {
	if c.HasToTag() {
		return 0, false
	}
	values := c.Msg.Values(sipframe.HeaderVia)
	for v, more := values.Next(); more; v, more = values.Next() {
		var via sipframe.Via
		if c.Msg.ViaAt(v, &via) == nil && looksOurs(c.Msg.Bytes(via.Branch)) {
			return 0, false
		}
	}
	b := appendDialog(c.scratch[:0], c.Msg)
	b = appendField(b, c.Msg.MethodName())
	b = appendField(b, c.Msg.RequestURI())
	c.scratch = b
	return hash(&c.proxy.keys.loop, b), true
}

// WriteTrying is WriteReply for the 100 that a transaction begins with. It has none
// of the headers that the Router has for replies.
func (c *Context) WriteTrying(dst, reason []byte) []byte {
	extra := c.extra
	c.extra = nil
	c.writeReplyBody(100, reason, nil, c.transaction(), false)
	c.extra = extra
	return append(dst, c.reply.b...)
}

// ReplyBusy answers 503 with the time to come again, without a transaction.
func (c *Context) ReplyBusy() error {
	c.overload = true
	return c.Reply(503, nil)
}

// TakeBranch makes appended branch i, 1 to Branches()-1, that of the Request-URI.
func (c *Context) TakeBranch(i int) { c.main.copyFrom(&c.forks[i-1]) }

// AppendHeaders repairs and checks text that is to stand among headers, and appends
// it to dst. ErrHeader if it is no header; dst is as it was then.
func AppendHeaders(dst, text []byte) ([]byte, error) {
	from := len(dst)
	dst = tidy(dst, text)
	if !validHeaders(dst[from:]) {
		return dst[:from], ErrHeader
	}
	return dst, nil
}

// Begin puts a message into a Context that is not in use, until End: a copy of one that came before. Its bytes are
// borrowed.
func (c *Context) Begin(data []byte, src *reactor.Source) error {
	c.busy = true
	c.reset(src)
	return c.msg.Parse(data)
}

// BeginLocal is Begin for a request of ours, which has no Via yet: it gets ours alone.
func (c *Context) BeginLocal(data []byte) error {
	c.nowhere = reactor.Source{}
	err := c.Begin(data, &c.nowhere)
	if err == nil && (!c.msg.IsRequest() || c.msg.Find(sipframe.HeaderVia) >= 0) {
		err = ErrNotRequest
	}
	return err
}

// End lets go of the message.
func (c *Context) End() { c.leave() }

// InUse reports whether the Context has a message.
func (c *Context) InUse() bool { return c.busy }

// Bind has the Context send by what another one sends by: the worker that handles the message there.
func (c *Context) Bind(to *Context) { c.out, c.W = to.out, to.W }

// BindWorker has the Context send by a worker.
func (c *Context) BindWorker(w *reactor.Worker) { c.out, c.W = w, w }

// Sender returns what the Context sends by.
func (c *Context) Sender() Sender { return c.out }

// Dropped reports whether the Router does not want the response forwarded.
func (c *Context) Dropped() bool { return c.drop }
