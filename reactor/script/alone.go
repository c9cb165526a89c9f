package script

import (
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

// Startup runs the startup_route, if there is one. Call it once, before the
// first message, when the sockets listen.
func (p *Program) Startup() {
	if p.startup != nil {
		p.alone(p.startup, StartupRoute, &nowhere, nil)
	}
}

// Timer is a timer_route.
type Timer struct {
	// Name is the one in brackets.
	Name string
	// Every is the time between two runs, a second or more.
	Every time.Duration

	prog *Program
	body *Routine
}

// Run runs the route once. Any goroutine; it takes as long as the script does.
func (t *Timer) Run() { t.prog.alone(t.body, TimerRoute, &nowhere, nil) }

// Timers are the timer_routes in the order of the file.
func (p *Program) Timers() []Timer { return append([]Timer(nil), p.timers...) }

// Filter runs a route for a connection instead of a message, as
// trace_filter_route has it run: $si and $sp are the remote side, $socket_in ours.
// It is false if the route ends with drop. Only functions that need no message
// can be in such a route, which Load sees to. Any goroutine; it does not block.
func (p *Program) Filter(route string, src *reactor.Source) bool {
	r := p.routes[route]
	if r == nil {
		return true
	}
	return !p.alone(r, EventRoute, src, nil)
}

// messageless are the kinds of routes that run without a message; filter routes
// count as event routes.
var messageless = Routes(StartupRoute, TimerRoute, EventRoute)

// alone runs a routine without a message and tells whether it ends with drop.
// Nothing of the proxy is at hand then, which checkContexts and guarded see to. A
// panic ends the route; its machine is nobody's then.
func (p *Program) alone(r *Routine, kind RouteKind, src *reactor.Source, params []Param) (dropped bool) {
	defer p.rescue(r.at.pos)
	m, ok := p.idle.Get().(*Machine)
	if !ok {
		m = p.machine()
		// Of an empty message everything is NULL. It keeps what was looked for in
		// it, so each machine has one.
		m.own = &proxy.Context{Msg: new(sipframe.Message)}
	}
	m.own.Src = src
	m.reset(m.own, kind)
	for i := range params {
		m.args = append(m.args, params[i].value(m))
	}
	m.raised = append(m.raised[:0], params...)
	m.call(r, m.args)
	clear(m.raised)
	m.raised = m.raised[:0]
	dropped = m.ctl&ctlDrop != 0
	m.own.Detach()
	m.own.Src, m.c, m.msg = nil, nil, nil
	p.idle.Put(m)
	return dropped
}

// nowhere is the source of what comes by no connection.
var nowhere reactor.Source

// timer adds a timer_route and gives the one that has its name already.
func (p *Program) timer(r *routeItem, made *Routine) (other *Routine) {
	for i := range p.timers {
		if p.timers[i].Name == r.Name {
			return p.timers[i].body
		}
	}
	p.timers = append(p.timers, Timer{r.Name, time.Duration(r.Seconds) * time.Second, p, made})
	return nil
}
