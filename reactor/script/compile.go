package script

import (
	"cmp"

	"sipreactor/tlsstate"
)

// compiler turns the tree into closures. It resolves every name, so what it
// does not know is an error here and not at runtime.
type compiler struct {
	*settings
	prog  *Program
	file  *parsedFile
	vars  map[string]int
	avps  map[string]int
	flags [2]map[string]uint // by name: of messages, of branches
	route *routeItem         // that is being compiled
	// raises tells that a script raises events of its own.
	raises bool
	made   map[*routeItem]*Routine
	asked  map[string]bool // modules that were found missing

	unattended []string // routes that modules run without a message

	armed      map[*Routine]bool     // that something runs
	given      map[routeKey][]string // names of parameters that a module gives a route
	armedKinds RouteSet              // of which names that messages tell are run
}

// compileRoutes checks and compiles the routes of a file.
func compileRoutes(c *settings, f *parsedFile, previous *Program) *Program {
	p := &Program{routes: make(map[string]*Routine), events: make(map[string]*Routine), named: make(map[routeKey]*Routine), loops: c.loops, levels: c.Log, logLevel: newLevelSwitch(c.Log.Level), xlogLevel: newLevelSwitch(c.Log.Script), launched: make(chan struct{}, maxLaunched), domainAVP: -1, sipAVP: -1, eventNames: c.eventNames(), follow: newFollower()}
	k := &compiler{settings: c, prog: p, file: f, vars: make(map[string]int), avps: make(map[string]int), asked: make(map[string]bool), made: make(map[*routeItem]*Routine), armed: make(map[*Routine]bool), given: make(map[routeKey][]string)}
	k.flags[0], k.flags[1] = make(map[string]uint), make(map[string]uint)
	k.declare()
	k.prog.stats = newStatistics(previous) // nothing else keeps it: what functions are compiled from may live as long as their program
	if c.noNewFlag != "" {
		n, _ := k.flag(1, c.noNewFlag, c.places["tcp_no_new_conn_bflag"])
		p.noNewFlags = 1 << n
	}
	if c.noNewResponse != "" {
		n, _ := k.flag(0, c.noNewResponse, c.places["tcp_no_new_conn_rplflag"])
		p.noNewResponses = 1 << n
	}
	k.checkModules()
	c.TLSLibrary = cmp.Or(c.TLSLibrary, tlsstate.GoLibrary)
	c.namePeers()
	k.checkContexts()
	k.noteOpenRelays()
	for _, item := range f.Items {
		if r, ok := item.(*routeItem); ok && !c.rep.full() {
			k.made[r].body = k.body(r)
		}
	}
	k.noteIdle()
	p.nvars, p.navps, p.avps = len(k.vars), len(k.avps), k.avps
	return p
}

// body compiles a route's statements.
func (k *compiler) body(r *routeItem) exec {
	k.route = r
	return k.block(r.Body.List, r.Body.At)
}

// declare makes the routines, so that calls find routes that come later.
func (k *compiler) declare() {
	for _, item := range k.file.Items {
		r, ok := item.(*routeItem)
		if !ok {
			continue
		}
		made := &Routine{prog: k.prog, kind: r.Kind, name: r.Name, at: k.site(r.At, r.Kind.String()+inBrackets(r.Name))}
		k.made[r] = made
		var other *Routine
		switch {
		case r.Kind == RequestRoute && r.Name != "":
			other, k.prog.routes[r.Name] = k.prog.routes[r.Name], made
		case r.Kind == RequestRoute:
			other, k.prog.request = k.prog.request, made
		case r.Kind == OnReplyRoute && r.Name == "":
			other, k.prog.reply = k.prog.reply, made
		case r.Kind == ErrorRoute:
			other, k.prog.failure = k.prog.failure, made
			k.rep.notef(r.At, "error_route is run for a function, operator or assignment that fails, too ($err.class is 3 then): exit in it ends the request's script")
		case r.Kind == StartupRoute:
			other, k.prog.startup = k.prog.startup, made
		case r.Kind == TimerRoute:
			other = k.prog.timer(r, made)
		case r.Kind == EventRoute:
			made.params, _ = k.event(r.Name)
			other, k.prog.events[r.Name] = k.prog.events[r.Name], made
		default:
			key := routeKey{r.Kind, r.Name}
			other, k.prog.named[key] = k.prog.named[key], made
		}
		if other != nil {
			k.rep.errorf(r.At, "%v%s is defined at line %d already", r.Kind, inBrackets(r.Name), other.at.pos.Line())
		}
	}
	if k.prog.request == nil && !k.partial {
		k.rep.errorf(k.top(), "there is no route: requests need a route { ... }")
	}
}

// idle notes that a route is not run.
func (k *compiler) idle(r *routeItem, why string) {
	k.rep.notef(r.At, "%v%s is checked but never run: %s", r.Kind, inBrackets(r.Name), why)
}

func inBrackets(name string) string {
	if name == "" {
		return ""
	}
	return "[" + name + "]"
}

func (k *compiler) routeNames() []string {
	names := make([]string, 0, len(k.prog.routes))
	for n := range k.prog.routes {
		names = append(names, n)
	}
	return names
}

// site makes a place that can fail; what names it in the log.
func (k *compiler) site(at Pos, what string) *Site { return &Site{pos: at, what: what} }

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
	k.prog.flagNames[of] = append(k.prog.flagNames[of], name)
	return n, true
}
