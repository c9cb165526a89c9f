package drouting

import (
	"strings"
	"sync/atomic"
	"time"

	"sipreactor/reactor/modules/internal/destination"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
)

// byOperator is why a gateway is disabled when the management interface has done it.
const byOperator = "management interface"

// active tells whether a gateway gets calls.
func (g *Gateway) active() bool { return g.Health.State() == destination.Active }

// set changes the state of a gateway, and tells who wants to know.
func (m *module) set(p *partition, g *Gateway, s destination.State, why string) {
	if g.Health.Set(s, why, time.Now(), &m.policy) {
		m.changed(p, g, why)
	}
}

// disable takes a gateway out that a call has failed at.
func (m *module) disable(p *partition, g *Gateway) {
	s := destination.Inactive
	if g.Row.Probe != NeverProbe {
		s = destination.Probing
	}
	if g.active() {
		m.set(p, g, s, "script")
	}
}

// changed tells of a change of state: the log, the event, and with persistent_state
// the database.
func (m *module) changed(p *partition, g *Gateway, why string) {
	status := g.Status()
	m.log.Info("drouting: a gateway is "+status, "partition", p.name, "gateway", g.Row.ID, "address", g.address(), "why", why)
	p.events.Reportf("GW <%s>/%s switched to [%s] due %s", g.Row.ID, g.address(), strings.ToLower(status), why)
	p.note(change{id: g.Row.ID}, int(g.Health.State()))
	if m.env != nil && m.env.Heard(event) {
		m.env.Raise(event, script.TextParam("partition", p.name), script.TextParam("gwid", g.Row.ID),
			script.TextParam("address", g.address()), script.TextParam("status", strings.Replace(strings.ToLower(status), " mi", " MI", 1)))
	}
}

// setCarrier enables or disables a carrier.
func (m *module) setCarrier(p *partition, c *Carrier, on bool) {
	if c.enabled.Swap(on) == on {
		return
	}
	m.log.Info("drouting: a carrier is enabled or disabled", "partition", p.name, "carrier", c.Row.ID, "enabled", on)
	state, word := 1, "disabled"
	if on {
		state, word = 0, "enabled"
	}
	p.events.Reportf("CR <%s> switched to [%s] due management interface", c.Row.ID, word)
	p.note(change{carrier: true, id: c.Row.ID}, state)
}

// probing is what the parameters say of pings.
type probing struct {
	interval     time.Duration // 0: there are none
	method, from string
	codes        destination.Codes
	socket       *proxy.SocketName
	send         destination.Pinger // nil: tm is not loaded
	paused       *atomic.Bool       // by dr_enable_probing
}

func newProbing() probing {
	return probing{interval: 30 * time.Second, method: "OPTIONS", from: "sip:prober@localhost", codes: destination.Codes{},
		socket: proxy.NewSocketName(""), paused: new(atomic.Bool)}
}

func (p *probing) setSocket(v script.Literal) error {
	p.socket = proxy.NewSocketName(v.Text)
	return nil
}

// check finds out who sends the pings.
func (p *probing) check(l *script.Loading) {
	p.send = destination.PingerOf(l)
	if p.send == nil && p.interval > 0 && l.IsSet("probing_interval") {
		l.Notef(l.Place("probing_interval"), "probing_interval does nothing: pings are sent by the module tm, which is not loaded")
	}
}

// pings lists the pings of a round.
func (m *module) pings() (list []destination.Probe) {
	if m.probing.paused.Load() {
		return nil
	}
	for _, p := range m.parts {
		for _, g := range p.get().Gateways {
			state := g.Health.State()
			if state == destination.Probing && g.Row.Probe != NeverProbe || state == destination.Active && g.Row.Probe == ProbeAlways {
				list = append(list, m.ping(p, g))
			}
		}
	}
	return list
}

// ping makes the ping of a gateway.
func (m *module) ping(p *partition, g *Gateway) destination.Probe {
	socket := g.socket.Find(m.env.Listeners)
	if socket == nil {
		socket = m.probing.socket.Find(m.env.Listeners)
	}
	return destination.Probe{
		Ping:  destination.Ping{Method: m.probing.method, From: m.probing.from, URI: g.Address.URI, Socket: socket, MaxForwards: -1},
		Heard: func(code int, err error) { m.heard(p, g, code, err) },
	}
}

// heard takes what became of a ping: one that was not answered well makes an active
// gateway probing.
func (m *module) heard(p *partition, g *Gateway, code int, err error) {
	why := destination.Told(code, err)
	now := time.Now()
	changed := false
	if m.probing.codes.Alive(code, err) {
		changed = g.Health.Pong(why, now, &m.policy)
	} else {
		changed = g.Health.Miss(1, why, now)
	}
	if changed {
		m.changed(p, g, why)
	}
}
