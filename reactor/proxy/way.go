package proxy

import (
	"errors"
	"math"
	"math/rand/v2"
	"net/netip"

	"sipreactor/reactor"
	"sipreactor/reactor/blacklist"
	"sipreactor/reactor/names"
)

// Way is the targets of a branch's destination, and how far they have been tried. It may be kept.
type Way struct {
	targets []names.Target // nil for a single one, which stands in target
	order   names.Order
	next    uint8          // the place in it of the first that has not been tried
	bound   bool           // it goes by its connection and by no other
	target  reactor.Target // of the last try; before it, what all of them have in common, or the single one
	lists   blacklist.Mask // that keep it from targets
}

// More reports whether there is a target that has not been tried.
func (w *Way) More() bool { return int(w.next) < w.order.Len() }

// Several reports whether there is more than one target.
func (w *Way) Several() bool { return w.order.Len() > 1 }

// Reached tells that the last target has answered: the same address is not tried by
// another transport.
func (w *Way) Reached() {
	if w.More() && w.next > 0 && w.upcoming().Addr == w.target.Addr {
		w.next++
	}
}

// upcoming returns the first target that has not been tried. There is one.
func (w *Way) upcoming() reactor.EndPoint {
	if w.targets == nil {
		return reactor.EndPoint{Proto: w.target.Proto, Addr: w.target.Addr}
	}
	return w.targets[w.order.At(int(w.next))].EndPoint
}

// OnlyFirst forgets all targets but the first.
func (w *Way) OnlyFirst() { firstOnly(&w.order, w.targets) }

// Reliable reports whether the transport of the last try, or of the first one to come, retransmits by itself.
func (w *Way) Reliable() bool {
	if w.target.Proto == 0 && w.More() {
		return w.upcoming().Proto != reactor.UDP
	}
	return w.target.Proto != reactor.UDP
}

// Target returns where the last try went.
func (w *Way) Target() *reactor.Target { return &w.target }

// WayBack returns the way to who has sent the message at hand, by the socket that it came by.
func (c *Context) WayBack() Way {
	return Way{target: reactor.Target{Conn: c.Src.Conn, Proto: c.Src.Proto, Addr: c.Src.Remote, Socket: c.Src.Socket}}
}

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
	c.decided(0)
	c.preprocess(len(dest) == 0 && len(c.main.dst) == 0)
	var h hop
	dest, answer, err := c.destinations(dest, &h)
	if err != nil {
		c.stepOut()
		return c.failed(dest, err)
	}
	answer = c.fitting(answer)
	*w = Way{order: c.order(answer, rand.Uint64()), lists: c.blacklists, bound: c.main.bound,
		target: reactor.Target{Conn: c.main.flow, Name: c.sipDomain, Domain: c.domain, NoNew: c.mayNotOpen(), Set: answer.Set()}}
	if w.target.Name == "" {
		w.target.Name = c.names.get(h.name)
	}
	if w.targets = answer.Targets; len(w.targets) == 1 { // which may be the Context's own
		w.target.Proto, w.target.Addr = w.targets[0].Proto, w.targets[0].Addr
		w.targets = nil
	}
	return nil
}

// SendBranch sends the request to the addresses of w that have not been tried, one after the other, until one takes it.
// Its branch leads responses to handle (Transactions), on the shard that the transaction is of. What was written is in
// *sent, whose memory is used.
func (c *Context) SendBranch(handle uint64, shard int, w *Way, sent *[]byte) (err error) {
	defer c.stepOut()
	var last error
	for w.More() {
		to := w.upcoming()
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
		c.stateful(handle, shard)
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
func (c *Context) stateful(handle uint64, shard int) {
	c.token.branched = false
	c.makeBranch()
	t := &c.token.whole
	t.stateful, t.conn, t.life = true, reactor.Handle(handle), c.proxy.life
	if t.shard = 0; shard < math.MaxUint8 {
		t.shard = uint8(shard) + 1
	}
	c.proxy.keys.appendBranch(c.token.branch[:0], t)
}

// Resend sends bytes that were written before to where a branch went: the request again, its CANCEL or its ACK.
func (c *Context) Resend(w *Way, class reactor.Class, b []byte) error {
	c.back.b = b
	c.target = w.target
	c.target.Class = class
	return c.send(&c.back)
}
