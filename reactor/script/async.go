package script

import (
	"bytes"
	"slices"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

// Starter is the Instance of a module that makes transactions, tm.
type Starter interface {
	// StartTransaction makes a transaction of the request at hand, unless it has one. The
	// code is 1, 0 where the script ends (a retransmission), or negative.
	StartTransaction(m *Machine) int
}

// asyncRoutes are where async() may stand.
var asyncRoutes = Routes(RequestRoute, OnReplyRoute, FailureRoute, ErrorRoute)

// maxLaunched bounds what launch() has under way.
const maxLaunched = 1024

const (
	asyncUsage  = `async(function(...), resume_route[, seconds])`
	launchUsage = `launch(function(...)[, report_route[, "text"]])`
)

// waiting reports whether a call is async() or launch(), whose first argument is a call.
func waiting(c *callExpr) bool { return c.Func == "async" || c.Func == "launch" }

// inner compiles the function that async() or launch() runs; nil after an error.
func (k *compiler) inner(c *callExpr, usage string, most int) Action {
	if len(c.Args) < 1 || len(c.Args) > most {
		k.rep.errorf(c.At, "%s() takes %s, not %d: %s", c.Func, counted(1, most, "argument"), len(c.Args), usage)
		return nil
	}
	call, ok := c.Args[0].(*callExpr)
	if !ok {
		at := c.At
		if c.Args[0] != nil {
			at = c.Args[0].Pos()
		}
		k.rep.errorf(at, "%s() takes the call of a function first: %s", c.Func, usage)
		return nil
	}
	if f := k.function(call.Func); f != nil && !f.Async {
		k.rep.errorf(call.At, "%s() never waits: it cannot stand in %s()", call.Func, c.Func)
		return nil
	}
	return k.action(call)
}

// async compiles async(). The function waits as it does without: others take over the
// work. Then the resume route runs for the same message, in its transaction, and behind
// it the script ends.
func (k *compiler) async(c *callExpr) Action {
	run := k.inner(c, asyncUsage, 3)
	if run == nil {
		return nil
	}
	if len(c.Args) < 2 || c.Args[1] == nil {
		k.rep.errorf(c.At, "async() needs a resume route: %s", asyncUsage)
		return nil
	}
	resume := k.reportRoute(c.Args[1])
	if !k.loaded("tm") {
		k.missing(c.At, "async()", "tm")
		return nil
	}
	if resume == nil {
		return nil
	}
	if len(c.Args) == 3 && c.Args[2] != nil {
		n, ok := c.Args[2].(*numberExpr)
		if !ok || n.N < 1 {
			k.rep.errorf(c.Args[2].Pos(), "the time is a number of seconds from 1 on")
			return nil
		}
		k.rep.notef(n.At, "the time of async() does nothing here: a function has its own")
	}
	starter, _ := k.Config.Instance("tm").(Starter)
	at := k.site(c.At, "async()")
	return k.guarded(asyncRoutes, func(m *Machine) int {
		if starter != nil && m.msg.IsRequest() && m.msg.Method() != sipframe.ACK {
			if ret := starter.StartTransaction(m); ret <= 0 {
				return ret
			}
		}
		m.code = run(m)
		if m.ctl&ctlExit == 0 && m.step(at) {
			m.call(resume, nil)
		}
		m.ctl |= ctlExit
		return 0
	}, at)
}

// reportRoute finds the route that an argument names.
func (k *compiler) reportRoute(x expression) *Routine {
	name, ok := constantName(x)
	if !ok {
		k.rep.errorf(x.Pos(), "the route is named by a constant")
		return nil
	}
	r := k.prog.routes[name]
	if r == nil && !k.partial {
		k.rep.errorf(x.Pos(), "there is no route[%s]%s", clip(name), hint(name, k.routeNames()))
	}
	return r
}

// constantName gives the name of a route that an argument is.
func constantName(x expression) (string, bool) {
	switch x := x.(type) {
	case *wordExpr:
		return x.Text, true
	case *stringExpr:
		return x.Text, true
	case *numberExpr:
		return itoa(int(x.N)), true
	default:
		return "", false
	}
}

// launch compiles launch(): the function runs beside the script, with the message and the
// variables as they stand, and then the report route, without a message. What it sets
// is seen there alone.
func (k *compiler) launch(c *callExpr) Action {
	run := k.inner(c, launchUsage, 3)
	if run == nil {
		return nil
	}
	var report *Routine
	if len(c.Args) > 1 && c.Args[1] != nil {
		if report = k.reportRoute(c.Args[1]); report == nil {
			return nil
		}
	}
	text := func(*Machine) Value { return null }
	if len(c.Args) > 2 && c.Args[2] != nil {
		if text = k.routeArg(c.Args[2]); text == nil {
			return nil
		}
	}
	at := k.site(c.At, "launch()")
	return func(m *Machine) int {
		select {
		case m.prog.launched <- struct{}{}:
		default:
			at.say(m, LevelWarn, "script: launch(): too many are under way")
			return -1
		}
		away := m.away()
		arg := away.keptValue(text(m))
		go func() {
			defer func() { <-away.prog.launched }()
			defer away.prog.rescue(at.pos)
			away.code = run(away)
			away.report(report, arg)
		}()
		return 1
	}
}

// detached copies the message with the Call-ID that the script knows, which a Context away from its Proxy has no other way to.
func (m *Machine) detached(raw []byte) []byte {
	id := m.c.CallID()
	i := m.msg.Find(sipframe.HeaderCallID)
	if i < 0 || bytes.Equal(id, m.msg.CallID()) {
		return bytes.Clone(raw)
	}
	value := m.msg.Header(i).Value
	return slices.Concat(raw[:value.Off], id, raw[value.End():])
}

// away makes a machine with copies of the message and the variables, for another
// goroutine.
func (m *Machine) away() *Machine {
	o := m.prog.machine()
	c := &proxy.Context{Msg: new(sipframe.Message), Src: new(reactor.Source)}
	if raw := m.msg.Raw(); len(raw) > 0 {
		_ = c.Msg.Parse(m.detached(raw)) // it has been parsed before
	}
	if m.c.Src != nil {
		*c.Src = *m.c.Src
	}
	o.own = &proxy.Context{Msg: new(sipframe.Message), Src: &nowhere}
	o.reset(c, m.kind)
	if m.alone() {
		o.own = c
	} else if uri := m.c.RequestURI(); len(uri) > 0 {
		_ = c.SetRequestURI(uri)
	}
	for i, v := range m.vars {
		o.vars[i] = o.keptValue(v)
	}
	o.nameAVPs(m.named)
	for i, list := range m.avps[:m.prog.navps+len(m.named)] {
		for _, v := range list {
			o.avps[i] = append(o.avps[i], o.keptValue(v))
		}
	}
	for i, v := range m.locals {
		if f, ok := v.(Forker); ok {
			o.locals[i] = f.Fork()
		}
	}
	return o
}

// keptValue copies a value of another machine.
func (m *Machine) keptValue(v Value) Value {
	if v.kind == textValue {
		v.s = m.Keep(v.s)
	}
	return v
}

// report runs the report route of launch(), with the function's code.
func (m *Machine) report(r *Routine, arg Value) {
	if r == nil {
		return
	}
	m.c, m.msg, m.kind, m.ctl = m.own, m.own.Msg, EventRoute, 0
	m.args = append(m.args[:0], arg)
	m.call(r, m.args)
}
