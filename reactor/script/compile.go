package script

import (
	"strings"
)

// compiler turns the tree into closures. It resolves every name, so what it
// does not know is an error here and not at runtime.
type compiler struct {
	*settings
	prog  *Program
	file  *File
	vars  map[string]int
	avps  map[string]int
	flags [2]map[string]uint // by name: of messages, of branches
	route *Route             // that is being compiled
	asked map[string]bool    // modules that were found missing
}

// compileRoutes checks and compiles the routes of a file.
func compileRoutes(c *settings, f *File) *Program {
	p := &Program{routes: make(map[string]*routine), loops: c.loops, levels: c.Log, noNewFlag: -1, noNewReply: -1, domainAVP: -1}
	k := &compiler{settings: c, prog: p, file: f, vars: make(map[string]int), avps: make(map[string]int), asked: make(map[string]bool)}
	k.flags[0], k.flags[1] = make(map[string]uint), make(map[string]uint)
	k.declare()
	if c.noNewFlag != "" {
		n, _ := k.flag(1, c.noNewFlag, c.places["tcp_no_new_conn_bflag"])
		p.noNewFlag = int(n)
	}
	if c.noNewReply != "" {
		n, _ := k.flag(0, c.noNewReply, c.places["tcp_no_new_conn_rplflag"])
		p.noNewReply = int(n)
	}
	if c.domainAVP != "" {
		p.domainAVP = k.avp(strings.TrimSuffix(strings.TrimPrefix(c.domainAVP, "$avp("), ")"))
	}
	k.checkContexts()
	for _, item := range f.Items {
		if r, ok := item.(*Route); ok && !c.rep.full() {
			k.routine(r).body = k.body(r)
		}
	}
	for _, t := range []struct{ module, name string }{
		{"proto_tls", c.Trace.TLS.FilterRoute}, {"proto_tcp", c.Trace.TCP.FilterRoute},
	} {
		if t.name != "" && p.routes[t.name] == nil && !c.partial {
			c.rep.errorf(c.places[t.module+"/trace_filter_route"], "there is no route[%s]%s", clip(t.name), hint(t.name, k.routeNames()))
		}
	}
	p.nvars, p.navps = len(k.vars), len(k.avps)
	return p
}

// body compiles a route's statements.
func (k *compiler) body(r *Route) exec {
	k.route = r
	return k.block(r.Body.List, r.Body.At)
}

// declare makes the routines, so that calls find routes that come later.
func (k *compiler) declare() {
	for _, item := range k.file.Items {
		r, ok := item.(*Route)
		if !ok {
			continue
		}
		made := &routine{name: r.Name, at: r.At}
		var at **routine
		switch {
		case r.Kind == RequestRoute && r.Name != "":
			if other := k.prog.routes[r.Name]; other != nil {
				k.rep.errorf(r.At, "route[%s] is defined at line %d already", r.Name, other.at.Line())
			}
			k.prog.routes[r.Name] = made
			continue
		case r.Kind == RequestRoute:
			at = &k.prog.request
		case r.Kind == OnReplyRoute && r.Name == "":
			at = &k.prog.reply
		case r.Kind == ErrorRoute:
			at = &k.prog.failure
		default:
			k.rep.notef(r.At, "%v%s is checked but never run: %s", r.Kind, inBrackets(r.Name), idleRoutes[r.Kind])
			continue
		}
		if *at != nil {
			k.rep.errorf(r.At, "%v is defined at line %d already", r.Kind, (*at).at.Line())
		}
		*at = made
	}
	if k.prog.request == nil && !k.partial {
		k.rep.errorf(k.top(), "there is no route: requests need a route { ... }")
	}
}

// idleRoutes tell why a route is not run.
var idleRoutes = [...]string{
	OnReplyRoute: "a named one is armed by a transaction, and this proxy is stateless; the one without a name is run for every reply",
	LocalRoute:   "this proxy makes no requests of its own",
	StartupRoute: "this version has no place for it",
	TimerRoute:   "this version has no place for it",
	EventRoute:   "this version raises no events for the script",
	FailureRoute: "it is armed by a transaction, and this proxy is stateless",
	BranchRoute:  "it is armed by a transaction, and this proxy is stateless",
}

func inBrackets(name string) string {
	if name == "" {
		return ""
	}
	return "[" + name + "]"
}

// routine gives what declare made for a route; a spare one for those that are
// not run.
func (k *compiler) routine(r *Route) *routine {
	switch {
	case r.Kind == RequestRoute && r.Name != "":
		return k.prog.routes[r.Name]
	case r.Kind == RequestRoute:
		return k.prog.request
	case r.Kind == OnReplyRoute && r.Name == "":
		return k.prog.reply
	case r.Kind == ErrorRoute:
		return k.prog.failure
	default:
		return &routine{}
	}
}

func (k *compiler) routeNames() []string {
	names := make([]string, 0, len(k.prog.routes))
	for n := range k.prog.routes {
		names = append(names, n)
	}
	return names
}

// site makes a place that can fail; what names it in the log.
func (k *compiler) site(at Pos, what string) *site { return &site{pos: at, what: what} }

// slot gives the place of $var(name).
func (k *compiler) slot(name string) int {
	i, ok := k.vars[name]
	if !ok {
		i = len(k.vars)
		k.vars[name] = i
	}
	return i
}

// avp gives the place of $avp(name).
func (k *compiler) avp(name string) int {
	i, ok := k.avps[name]
	if !ok {
		i = len(k.avps)
		k.avps[name] = i
	}
	return i
}

// flag gives the number of a flag by its name, of messages (0) or branches (1).
func (k *compiler) flag(of int, name string, at Pos) (uint, bool) {
	n, ok := k.flags[of][name]
	if ok {
		return n, true
	}
	if len(k.flags[of]) == 64 {
		k.rep.errorf(at, "there are more than 64 flags")
		return 0, false
	}
	n = uint(len(k.flags[of]))
	k.flags[of][name] = n
	return n, true
}
