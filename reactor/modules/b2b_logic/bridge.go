package b2b_logic

import (
	"errors"
	"time"

	b2b "sipreactor/reactor/modules/b2b_entities"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

// bridge joins a leg that is answered with a new one. The call's lock guards it.
//
//	to    ──INVITE without a body──►      the new party
//	      ◄──200, its offer──
//	old   ──INVITE with that offer──►
//	      ◄──200, the answer──
//	to    ──ACK with the answer──►
type bridge struct {
	call     *call
	old, to  *leg
	rollback bool          // a refusal leaves all as it was
	lasts    time.Duration // of the call from then on; 0: as it is
}

var (
	errBridge = errors.New("a leg that is answered and a new one can be joined, and one at a time")
	errLegs   = errors.New("the call has too many legs")
)

// bridged begins to join a leg with a new one.
func (c *call) bridged(by *proxy.Context, old *leg, d *draft, rollback bool, lasts time.Duration) error {
	c.mu.Lock()
	switch {
	case c.over, c.bridge != nil, old == nil, old.session == nil, !old.session.Confirmed():
		c.mu.Unlock()
		return errBridge
	case len(c.legs) >= maxLegs:
		c.mu.Unlock()
		return errLegs
	}
	if d.from == "" {
		d.from, d.socket = old.session.Remote(), old.session.Socket()
	}
	if d.contact == "" {
		d.contact = old.session.Own()
	}
	to := &leg{call: c, id: d.id, client: true, headers: d.headers}
	b := &bridge{call: c, old: old, to: to, rollback: rollback, lasts: lasts}
	c.legs, c.bridge = append(c.legs, to), b
	c.mu.Unlock()
	if err := c.begin(by, to, d, "", "", ""); err != nil {
		c.mu.Lock()
		c.bridge = nil
		c.drop(to)
		c.mu.Unlock()
		return err
	}
	return nil
}

// begin sends the INVITE of a new leg.
func (c *call) begin(by *proxy.Context, l *leg, d *draft, body, kind, headers string) error {
	from := d.from
	if d.name != "" {
		from = "\"" + d.name + "\" <" + bare(from) + ">"
	}
	s, err := c.m.entities.Begin(by, &b2b.Call{URI: d.uri, To: d.to, From: from, Proxy: d.proxy, Contact: d.contact, Socket: d.socket, Credentials: d.keys,
		Body: body, Type: kind, Headers: headers + d.headers}, l)
	c.mu.Lock()
	if err == nil && l.session == nil {
		l.session = s
	}
	c.mu.Unlock()
	return err
}

// answered does what follows the new party's response.
func (b *bridge) answered(by *proxy.Context, now *current, msg *sipframe.Message) {
	switch {
	case now.code < 200:
	case now.code >= 300:
		b.failed(by)
	default:
		m := b.call.m
		err := m.entities.Send(by, b.old.session, "INVITE", bodyOf(msg), b.old.headers, typeOf(msg), func(o *transaction.Outcome) { b.agreed(o) })
		if err != nil {
			_ = m.entities.Send(by, b.to.session, "ACK", "", "", "", nil)
			b.failed(by)
		}
	}
}

// agreed does what follows the answer of the old leg to the new one's offer.
func (b *bridge) agreed(o *transaction.Outcome) {
	c, m := b.call, b.call.m
	switch {
	case o.Code < 200:
		return
	case o.Code >= 300:
		_ = m.entities.Send(o.Context, b.to.session, "ACK", "", "", "", nil)
		b.failed(o.Context)
		return
	}
	_ = m.entities.Send(o.Context, b.to.session, "ACK", bodyOf(o.Message), b.to.headers, typeOf(o.Message), nil)
	_ = m.entities.Send(o.Context, b.old.session, "ACK", "", b.old.headers, "", nil)
	c.mu.Lock()
	was := b.old.peer
	if was != nil {
		c.drop(was)
	}
	c.join(b.old, b.to)
	c.bridge = nil
	if b.lasts > 0 {
		c.until = time.Now().Add(b.lasts)
	}
	over := c.over
	c.mu.Unlock()
	if was != nil && was.session != nil {
		m.entities.End(o.Context, was.session)
	}
	if over {
		m.entities.End(o.Context, b.to.session)
	}
}

// failed ends what cannot be: the new leg, and the call, unless that is to be as it was.
func (b *bridge) failed(by *proxy.Context) {
	c := b.call
	c.mu.Lock()
	c.bridge = nil
	c.drop(b.to)
	alone := b.old.peer == nil
	c.mu.Unlock()
	if b.to.session != nil {
		c.m.entities.End(by, b.to.session)
	}
	if !b.rollback || alone {
		c.end(by)
	}
}

// retried tries another party in the place of the one that has refused.
func (c *call) retried(by *proxy.Context, d *draft) error {
	c.mu.Lock()
	b := c.bridge
	if b == nil || b.to.session != nil && b.to.session.Confirmed() {
		c.mu.Unlock()
		return errBridge
	}
	c.drop(b.to)
	c.bridge = nil
	c.mu.Unlock()
	return c.bridged(by, b.old, d, b.rollback, b.lasts)
}
