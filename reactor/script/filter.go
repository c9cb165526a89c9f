package script

import (
	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

// noMessage is what a route without a message works on: whatever it asks of it
// is NULL.
var noMessage sipframe.Message

// Filter runs a route for a connection instead of a message, as
// trace_filter_route has it run: $si and $sp are the remote side, $socket_in ours.
// It is false if the route ends with drop. Only functions that need no message
// can be in such a route, which Load sees to. Any goroutine; it does not block.
func (p *Program) Filter(route string, src *reactor.Source) bool {
	r := p.routes[route]
	if r == nil {
		return true
	}
	m, ok := p.idle.Get().(*machine)
	if !ok {
		m = p.machine()
	}
	m.reset(&proxy.Context{Msg: &noMessage, Src: src}, EventRoute)
	m.call(r, nil)
	passes := m.ctl&ctlDrop == 0
	m.c, m.msg = nil, nil
	p.idle.Put(m)
	return passes
}

// filterRoutes are the routes that connections are asked about.
func (k *compiler) filterRoutes() []string {
	return []string{k.Trace.TLS.FilterRoute, k.Trace.TCP.FilterRoute}
}
