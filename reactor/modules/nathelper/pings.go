package nathelper

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/internal/repeats"
	"sipreactor/reactor/location"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

// pinger pings the contacts of usrloc, each once in natping_interval. Its goroutine is the module's; outcomes come by
// workers.
type pinger struct {
	second int // of the interval
	tm     transactions
	failed repeats.Table[netip.Addr] // lines about pings that were not sent

	sent, unanswered, removed, unsent script.Count
}

// ping is a contact that is to be pinged: copied, as its table is locked while it is looked at.
type ping struct {
	table, aor, uri string
	id              uint64
	proto           reactor.Proto
	addr            netip.AddrPort
	flow            reactor.Handle
	socket          string
	sip, remove     bool
	unreachable     bool // it cannot answer: the connection has ended that it is reached by alone
	timed           bool // how long its answer takes is kept
}

func (p *pinger) statistics() []script.Statistic {
	return []script.Statistic{
		{Name: "pings_sent", Help: "Pings of contacts.", Count: &p.sent},
		{Name: "pings_unanswered", Help: "SIP pings that were not answered.", Count: &p.unanswered},
		{Name: "pings_unsent", Help: "Pings by datagram that this machine did not send.", Count: &p.unsent},
		{Name: "pings_removed", Help: "Contacts that answered none of max_pings_lost pings.", Count: &p.removed},
	}
}

// start begins the pings.
func (m *module) start(e *script.Env) error {
	m.env = e
	if old, ok := e.Previous.(*module); ok {
		m.off.Store(old.off.Load())
	}
	if m.interval > 0 {
		e.Every(time.Second, func(context.Context) { m.pings.round(m) })
	}
	return nil
}

// enable is nh_enable_ping.
func (m *module) enable(_ context.Context, a *rpc.Args) (any, error) {
	if a.Has("status") {
		if n := a.Int("status"); n != 0 && n != 1 {
			return nil, &rpc.Error{Code: rpc.CodeParams, Message: "status is 0 or 1"}
		}
		m.off.Store(a.Int("status") == 0)
		return "OK", nil
	}
	status := 1
	if m.off.Load() || m.interval == 0 {
		status = 0
	}
	return map[string]int{"Status": status}, nil
}

// round pings the contacts whose second of the interval it is.
func (p *pinger) round(m *module) {
	parts := int(m.interval / time.Second)
	p.second = (p.second + 1) % parts
	if m.off.Load() || m.env.Engine == nil {
		return
	}
	now := time.Now().Unix()
	var list []ping
	m.places.Each(p.second, parts, func(table string, c *location.Contact) {
		if x, ok := m.wanted(table, c, now); ok {
			list = append(list, x)
		}
	})
	for i := range list {
		m.send(&list[i])
	}
}

// wanted tells whether and how a contact is pinged.
func (m *module) wanted(table string, c *location.Contact, now int64) (ping, bool) {
	nat := m.places.NATFlag()
	if !c.Alive(now) || m.natedOnly && (nat < 0 || m.places.Flags(c)&(1<<nat) == 0) || c.FlowLost && !c.Bound {
		return ping{}, false
	}
	at := c.URI()
	if r := c.Received(); r != "" {
		at = r
	}
	x := ping{table: table, aor: c.AOR(), uri: c.URI(), id: c.ID, flow: c.Flow, socket: c.Socket(), unreachable: c.Unreachable(),
		remove: m.removeBit != 0 && m.places.Flags(c)&m.removeBit != 0, timed: m.latencyBit != 0 && m.places.Flags(c)&m.latencyBit != 0}
	var ok bool
	if x.proto, x.addr, ok = target([]byte(at)); !ok {
		return ping{}, false
	}
	stream := x.proto != reactor.UDP
	if stream && !m.pingStreams {
		return ping{}, false
	}
	x.sip = m.from.Text != "" && (stream || m.sipBit != 0 && m.places.Flags(c)&m.sipBit != 0)
	if x.unreachable {
		return x, x.sip && x.remove
	}
	return x, x.sip || !stream
}

// target reads where a URI with an address leads. A name is not looked up for a ping.
func target(uri []byte) (reactor.Proto, netip.AddrPort, bool) {
	var u sipframe.URI
	if sipframe.ParseURI(uri, &u) != nil {
		return 0, netip.AddrPort{}, false
	}
	a, ok := addressOf(u.Host.In(uri))
	if !ok {
		return 0, netip.AddrPort{}, false
	}
	proto := reactor.UDP
	if v, has := u.Param(uri, "transport"); has {
		if proto, has = reactor.ParseProto(v); !has {
			return 0, netip.AddrPort{}, false
		}
	}
	if u.Scheme == sipframe.SchemeSIPS {
		proto = proto.Secured()
	}
	port := uint16(u.Port)
	if port == 0 {
		port = proto.DefaultPort()
	}
	return proto, netip.AddrPortFrom(a, port), true
}

// nothing is the payload of a ping that is no SIP message.
var nothing = reactor.Bytes{0, 0, 0, 0}

// send pings a contact.
func (m *module) send(x *ping) {
	p := &m.pings
	if x.unreachable {
		p.answered(m, x, 430, true)
		return
	}
	p.sent.Add(1)
	socket := m.socketOf(x)
	if !x.sip {
		if _, err := m.env.Engine.Send(&reactor.Target{Proto: reactor.UDP, Addr: x.addr, Socket: socket, NoNew: true}, nothing); err != nil {
			p.unsent.Add(1)
			if more, ok := p.failed.Open(time.Now(), x.addr.Addr()); ok {
				m.env.Log.Warn("nathelper: a ping cannot be sent", "to", x.addr.String(), "error", err, "more", more)
			}
		}
		return
	}
	if _, err := p.tm.Layer().Originate(nil, m.request(x, socket)); err != nil {
		p.answered(m, x, 503, true)
	}
}

// request is a SIP ping. Where the contact came over a connection nothing else will do: a ping is no reason to dial a phone.
func (m *module) request(x *ping, socket *reactor.Socket) *transaction.Request {
	began := time.Now()
	return &transaction.Request{
		Method: m.method, URI: []byte(x.uri), From: fmt.Appendf(nil, "<%s>", m.from.Text), To: fmt.Appendf(nil, "<%s>", x.uri), CSeq: 1,
		NextHop: fmt.Appendf(nil, "%s:%s", x.proto, x.addr), Socket: socket, Flow: x.flow, FlowOnly: x.flow != 0, NoAnswer: m.threshold,
		Done: func(o *transaction.Outcome) {
			if x.timed && !o.Local && !m.ignored[o.Code] {
				m.places.Answered(x.table, x.aor, x.id, time.Since(began))
			}
			if o.Code >= 200 {
				m.pings.answered(m, x, o.Code, o.Local)
			}
		},
	}
}

// answered counts the outcome of a SIP ping.
func (p *pinger) answered(m *module, x *ping, code int, local bool) {
	silent := local || m.ignored[code]
	lost := m.places.Pinged(x.table, x.aor, x.id, !silent)
	if !silent {
		return
	}
	p.unanswered.Add(1)
	if x.remove && lost >= int(m.maxLost) && m.places.Drop(x.table, x.aor, x.id) {
		p.removed.Add(1)
	}
}

// socketOf returns the listener that a contact registered by, or that of force_socket; nil is any.
func (m *module) socketOf(x *ping) *reactor.Socket {
	name := cmp.Or(x.socket, m.forceSocket)
	if name == "" {
		return nil
	}
	return proxy.FindSocket(name, func(yield func(*reactor.Socket) bool) {
		for s := range m.env.Listeners {
			if s.Proto == x.proto && !yield(s) {
				return
			}
		}
	})
}
