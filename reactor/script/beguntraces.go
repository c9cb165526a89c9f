package script

import (
	"bytes"
	"net/netip"
	"strings"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

// BegunTrace is a trace of messages that was begun while the program runs, as
// tracer:start begins one. It takes every request that its conditions hold for,
// before the script sees it, and what is sent because of it.
type BegunTrace struct {
	To MessageTrace
	// Caller and Callee are the user of From and of To, or user@host; "" is any.
	Caller, Callee string
	// IP is where requests come from and where responses go to; zero is any.
	IP netip.Addr
	// Responses takes the responses that come in, too: From and To are the request's.
	Responses bool
}

// SetBegunTraces says which traces there are from now on. Any goroutine; the
// list is not to be changed any more.
func (p *Program) SetBegunTraces(list []BegunTrace) {
	if len(list) == 0 {
		p.begun.Store(nil)
		return
	}
	p.begun.Store(&list)
}

// traceBegun has the message traced by each of the begun traces that it is for.
// It costs one load where there are none.
func (m *Machine) traceBegun() {
	list := m.prog.begun.Load()
	if list == nil {
		return
	}
	request := m.msg.IsRequest()
	for i := range *list {
		b := &(*list)[i]
		switch {
		case !b.To.Active(), !request && !b.Responses, !m.isParty(b.Caller, m.from()), !m.isParty(b.Callee, m.to()):
		case !b.IP.IsValid():
			m.trace(traced{id: -1 - i, to: b.To, kinds: traceSIP, legs: bothLegs})
		case request && b.IP == m.c.Src.Remote.Addr().Unmap():
			m.trace(traced{id: -1 - i, to: b.To, kinds: traceSIP, legs: bothLegs})
		case !request: // where it goes is known when it does
			m.witness.list = append(m.witness.list, traced{id: -1 - i, to: b.To, kinds: traceSIP, legs: bothLegs, only: b.IP, at: time.Now()})
			m.witness.c = m.c
			m.c.SetWitness(&m.witness)
		}
	}
}

// isParty reports whether a is of the user, or of user@host; "" is anybody.
func (m *Machine) isParty(who string, a *sipframe.NameAddr) bool {
	if who == "" {
		return true
	}
	if a == nil {
		return false
	}
	var u sipframe.URI
	raw := a.URI.In(m.msg.Raw())
	if sipframe.ParseURI(raw, &u) != nil {
		return false
	}
	user, host, both := strings.Cut(who, "@")
	return string(u.User.In(raw)) == user && (!both || bytes.EqualFold(u.Host.In(raw), []byte(host)))
}

// comeFor reports whether a message that goes to a place is traced, and traces
// how it came, should that have had to wait until now.
func (t *traced) comeFor(c *proxy.Context, to *reactor.Source) bool {
	if !t.only.IsValid() {
		return true
	}
	if t.only != to.Remote.Addr().Unmap() {
		return false
	}
	t.to.Trace(c.Src, t.at, c.Received(), false, t.correlation)
	t.only = netip.Addr{}
	return true
}
