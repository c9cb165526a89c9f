package script

import (
	"strings"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

// Routine is a compiled route, which a module may run. It belongs to its Program
// and does not change.
type Routine struct {
	prog   *Program
	kind   RouteKind
	name   string
	at     *Site
	params []string // of an event
	body   exec
}

// routeKey is what tells routes apart.
type routeKey struct {
	kind RouteKind
	name string
}

// Name is the one in the brackets, "" without.
func (r *Routine) Name() string { return r.name }

// Run is how a route is run for a message.
type Run struct {
	Kind RouteKind
	// Other is the other message of the transaction: the request in an
	// onreply_route, the response in a failure_route; nil: there is none. It is what
	// $(<request>...) and $(<reply>...) mean.
	Other *sipframe.Message
	// OtherURI is the Request-URI of that request as its route left it; nil: as it came. It is borrowed.
	OtherURI []byte
	// AVPs are those of the transaction: the route begins with them, and what it makes
	// of them is kept there. nil: it begins without, and none are kept.
	AVPs *AVPs
}

// Ended is how a route has ended, in bits.
type Ended uint8

const (
	// Exited is the end by exit, or by a function that ends the script.
	Exited Ended = 1 << iota
	// Dropped is the end by drop, which is an exit, too.
	Dropped
)

// Run runs the route for a message that no other route runs for at the moment: for
// a transaction that has an event for it. The goroutine is the Context's.
func (r *Routine) Run(c *proxy.Context, o Run) Ended {
	m := r.prog.machineOf(c)
	m.reset(c, o.Kind)
	c.SetNoNewFlags(r.prog.noNewFlags, r.prog.noNewResponses)
	m.other, m.otherURI = o.Other, o.OtherURI
	if o.AVPs != nil {
		m.LoadAVPs(o.AVPs)
	}
	m.call(r, nil)
	ended := m.ended()
	if o.AVPs != nil {
		m.SaveAVPs(o.AVPs)
	}
	m.c, m.msg, m.other = nil, nil, nil
	return ended
}

// With calls f with the machine of a message for which no route runs at the moment, for a module that does what a
// route's functions do. The goroutine is the Context's.
func (p *Program) With(c *proxy.Context, f func(m *Machine)) {
	m := p.machineOf(c)
	m.reset(c, RequestRoute)
	f(m)
	m.c, m.msg = nil, nil
}

// OfRequest runs f with the transaction's request at hand, which came from src, in an onreply_route. It reports false where
// the request is not kept.
func (m *Machine) OfRequest(src *reactor.Source, f func()) bool {
	if m.other == nil || !m.other.IsRequest() {
		return false
	}
	c, msg := m.c, m.msg
	was, from := c.Msg, c.Src
	m.msg, c.Msg, c.Src = m.other, m.other, src
	defer func() { m.msg, c.Msg, c.Src = msg, was, from }()
	f()
	return true
}

// Run runs a route in the midst of another one, for the same message and with its
// variables, as the branch_route is run for a request that is about to be sent. An
// exit in it ends itself only. Where it may not run for being too deep, the script has ended.
func (m *Machine) Run(r *Routine, kind RouteKind) Ended {
	if !m.deeper(r.at) {
		return Exited | Dropped
	}
	outer, ctl, code := m.kind, m.ctl, m.code
	m.kind, m.ctl = kind, 0
	m.call(r, nil)
	ended := m.ended()
	m.kind, m.ctl, m.code = outer, ctl, code
	return ended
}

func (m *Machine) ended() (e Ended) {
	if m.ctl&ctlExit != 0 {
		e |= Exited
	}
	if m.ctl&ctlDrop != 0 {
		e |= Dropped
	}
	return e
}

// Route returns a route by its kind and the name in its brackets, "" for the one
// without; nil if there is none.
func (p *Program) Route(kind RouteKind, name string) *Routine {
	switch {
	case kind == RequestRoute && name == "":
		return p.request
	case kind == RequestRoute:
		return p.routes[name]
	case kind == OnReplyRoute && name == "":
		return p.reply
	default:
		return p.named[routeKey{kind, name}]
	}
}

// armedRoute finds a route that something runs by its kind and name, and reports
// one that is not there.
func (k *compiler) armedRoute(kind RouteKind, name string, at Pos) *Routine {
	r := k.prog.Route(kind, name)
	if r == nil {
		if !k.partial {
			k.rep.errorf(at, "there is no %v[%s]%s", kind, clip(name), hint(name, k.namesOf(kind)))
		}
		return nil
	}
	k.armed[r] = true
	return r
}

// namesOf lists the named routes of a kind.
func (k *compiler) namesOf(kind RouteKind) (names []string) {
	if kind == RequestRoute {
		return k.routeNames()
	}
	for key := range k.prog.named {
		if key.kind == kind && key.name != "" {
			names = append(names, key.name)
		}
	}
	return names
}

// noteIdle notes the routes that nothing runs.
func (k *compiler) noteIdle() {
	for _, item := range k.file.Items {
		r, ok := item.(*routeItem)
		if !ok || k.armed[k.made[r]] || k.armedKinds&Routes(r.Kind) != 0 && r.Name != "" {
			continue
		}
		switch {
		case r.Kind == EventRoute:
			if _, known := k.event(r.Name); known || k.raises {
				continue
			}
			k.idle(r, "there is no such event here; there are "+strings.Join(k.eventNames(), ", "))
		case r.Kind == LocalRoute && k.runs()&Routes(LocalRoute) == 0:
			k.idle(r, "no module that is loaded makes requests of its own")
		case r.Kind == FailureRoute, r.Kind == BranchRoute, r.Kind == OnReplyRoute && r.Name != "":
			k.idle(r, "nothing here arms it")
		}
	}
}

// runs are the kinds of routes that the loaded modules run.
func (k *compiler) runs() (kinds RouteSet) {
	for _, m := range k.modules {
		kinds |= m.Runs
	}
	return kinds
}

// Call runs a route in the midst of another one, as route(name, values...) does, and
// returns its code. The values need not outlive the call. One that would be too deep ends the script.
func (m *Machine) Call(r *Routine, values ...Value) int {
	if !m.deeper(r.at) {
		return -1
	}
	ctl, code, from := m.ctl, m.code, len(m.args)
	m.ctl = 0
	m.args = append(m.args, values...)
	ret := m.call(r, m.args[from:])
	m.args = m.args[:from]
	m.ctl, m.code = ctl, code
	return ret
}
