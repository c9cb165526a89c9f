package script

import (
	"bytes"
	"regexp"
	"strings"
	"unicode"

	"sipreactor/reactor/proxy"
)

// Action is a compiled call: it gives the code of the function.
type Action func(m *Machine) int

// RouteSet is a set of kinds of routes.
type RouteSet uint16

// Routes makes a set of kinds of routes.
func Routes(kinds ...RouteKind) (c RouteSet) {
	for _, k := range kinds {
		c |= 1 << k
	}
	return c
}

// Sets of kinds of routes.
var (
	// Requests are the routes that have a request to act on.
	Requests = Routes(RequestRoute, ErrorRoute, FailureRoute, BranchRoute, LocalRoute)
	// Messages are those that have a message.
	Messages = Requests | Routes(OnReplyRoute)
	// Anywhere is all.
	Anywhere = Messages | Routes(StartupRoute, TimerRoute, EventRoute)
)

// ArgKind says how an argument is read.
type ArgKind uint8

// The kinds of arguments.
const (
	TextArg         ArgKind = iota // a string with variables, a number or a variable
	IntArg                         // a number, or text that is one
	HeaderArg                      // text that goes into headers: what variables say ends no line there
	RegexArg                       // a regular expression, constant or a variable that holds one
	BodyRegexArg                   // the same, over a body at once: a dot takes line ends, too
	FixedArg                       // a constant string
	FlagArg                        // the name of a flag
	BranchFlagArg                  // the name of a branch flag
	SetArg                         // a variable that takes a value
	AVPArg                         // an AVP
	RouteArg                       // the name of a route
	ReplyRouteArg                  // the name of an onreply_route
	FailureRouteArg                // the name of a failure_route
	BranchRouteArg                 // the name of a branch_route
	NamesArg                       // a constant string that names variables, or one variable that is not expanded
)

// Function is one that scripts can call.
type Function struct {
	Name    string
	Aliases []string // other names
	// Usage is the call as messages and the reference show it, optional arguments in
	// brackets: append_hf("Name: value"[, "Header before"]).
	Usage string
	// Help tells in one sentence what it does, and in others what its codes mean.
	Help string
	Args []ArgKind
	// Min is how many arguments there must be. Those behind may be left out, also in
	// the middle: f("a", , "b").
	Min int
	// Routes are where it may be called; Load sees to that.
	Routes RouteSet
	// Reach are more, where it works when a route[name] that is called from there has it.
	Reach RouteSet
	// Async tells that it may wait, so that it may stand in async() and launch().
	Async bool
	// Build compiles a call; nil after an error that was reported.
	Build func(a *Args) Action

	module string // that has to be loaded; "" is the core
	gaps   bool   // any argument may be left out, Build sees to it
	flip   bool   // a number first and the flag second are taken, too
}

// Args are those of one call, compiled.
type Args struct {
	k      *compiler
	module string // that the function is of
	usage  string
	call   *Call
	at     *Site
	list   []argument
}

// argument is one of a call. Which fields are set depends on its kind; all are
// zero if it was left out.
type argument struct {
	given  bool
	fixed  bool // text is the same for every message
	str    string
	text   func(m *Machine) ([]byte, bool) // false: the variable is null
	num    func(m *Machine) (int64, bool)
	re     *regexp.Regexp
	dotAll bool // of a regular expression from a variable
	flag   uint
	set    Setter
	slot   int // of an AVP
	route  func(m *Machine) *Routine
	expr   Expr
}

// functions are the functions by name, other names for the same ones included.
// It is filled by init, as compiling a call looks into it again.
var functions map[string]*Function

func init() {
	functions = make(map[string]*Function)
	for _, part := range []map[string]*Function{
		coreFunctions(), connFunctions(), uriFunctions(), flagFunctions(),
		avpFunctions(), advertiseFunctions(), branchFunctions(), blacklistFunctions(), serialFunctions(), valueFunctions(), viaFunctions(), scriptTraceFunctions(), cacheFunctions(), eventFunctions(),
	} {
		for name, f := range part {
			functions[name] = f
		}
	}
	for name, old := range otherNames {
		functions[name] = functions[old]
	}
}

// otherNames are older spellings.
var otherNames = map[string]string{
	"add_rport": "force_rport", "add_tcp_alias": "force_tcp_alias", "setbranchflag": "setbflag", "resetbranchflag": "resetbflag",
	"isbranchflagset": "isbflagset", "rewriteuri": "seturi", "rewriteuser": "setuser", "setu": "setuser",
	"rewritehost": "sethost", "seth": "sethost", "rewritehostport": "sethostport", "sethp": "sethostport",
	"rewriteport": "setport", "setp": "setport",
	"rewriteuserpass": "setuserpass",
	"setduri":         "setdsturi", "resetduri": "resetdsturi", "isduriset": "isdsturiset",
}

// action compiles a call of a function or route; nil after an error.
func (k *compiler) action(x Expr) Action {
	if r, ok := x.(*RouteCall); ok {
		return k.routeCall(r)
	}
	c := x.(*Call)
	switch c.Func {
	case "assert":
		return k.assertion(c)
	case "async":
		return k.async(c)
	case "launch":
		return k.launch(c)
	}
	f := k.function(c.Func)
	if f == nil {
		k.unknownFunction(c)
		return nil
	}
	if f.module != "" && !k.loaded(f.module) {
		k.missing(c.At, c.Func+"()", f.module)
		return nil
	}
	if len(c.Args) < f.Min || len(c.Args) > len(f.Args) {
		k.rep.errorf(c.At, "%s() takes %s, not %d: %s", c.Func, counted(f.Min, len(f.Args), "argument"), len(c.Args), f.Usage)
		return nil
	}
	a := &Args{k: k, module: f.module, usage: f.Usage, call: c, at: k.site(c.At, c.Func+"()"), list: make([]argument, len(f.Args))}
	args := c.Args
	if f.flip && len(args) == 2 {
		switch args[0].(type) {
		case *Number, *Var:
			args = []Expr{args[1], args[0]}
		}
	}
	for i, arg := range args {
		if arg == nil {
			if i < f.Min && !f.gaps {
				k.rep.errorf(c.At, "argument %d of %s() must be given: %s", i+1, c.Func, f.Usage)
				return nil
			}
			continue
		}
		if !k.argument(&a.list[i], f.Args[i], arg, f) {
			return nil
		}
	}
	if destinationFunctions[c.Func] && len(a.list) > 0 && a.list[0].fixed {
		k.namePeer(a.list[0].str)
	}
	return k.guarded(f.Routes|f.Reach, f.Build(a), a.at)
}

// missing reports a module that is not loaded, once.
func (k *compiler) missing(at Pos, what, module string) {
	if !k.asked[module] && !k.partial {
		k.rep.errorf(at, `%s is of the module %s, which is not loaded: loadmodule "%s.so"`, what, module, module)
		k.asked[module] = true
	}
}

// unknownFunction reports a function that nobody has, or counts it with the module
// that is not here.
func (k *compiler) unknownFunction(c *Call) {
	if module := foreignModule(c.Func); module != "" && !k.hasModule(module) {
		k.absent(c.At, module, clip(c.Func)+"()").functions[c.Func] = true
		return
	}
	if module, ok := lacking(c.Func); ok {
		of := "OpenSIPS' core"
		if module != "" {
			of = "the module " + module
		}
		k.rep.errorf(c.At, "%s() of %s is not supported", clip(c.Func), of)
		return
	}
	k.rep.errorf(c.At, "unknown function %s()%s", clip(c.Func), hint(c.Func, k.words.functionNames()))
}

// argument compiles one argument.
func (k *compiler) argument(a *argument, kind ArgKind, x Expr, f *Function) bool {
	a.given, a.expr = true, x
	switch kind {
	case AVPArg:
		return k.avpArg(a, x, f)
	case RouteArg, ReplyRouteArg, FailureRouteArg, BranchRouteArg:
		return k.routeNameArg(a, kind, x, f)
	}
	switch x := x.(type) {
	case *String:
		if kind == SetArg {
			if v := k.quotedVariable(x); v != nil {
				a.set = k.setter(v, false)
				return a.set != nil
			}
			k.rep.errorf(x.At, "found %q, expected %s: %s", clip(x.Text), argNames[kind], f.Usage)
			return false
		}
		if kind == IntArg && x.Text == "" { // OpenSIPS 2 left it out so
			a.given = false
			return true
		}
		return k.stringArg(a, kind, x, f)
	case *Number:
		if kind == FlagArg || kind == BranchFlagArg {
			k.numberedFlag(x.At, itoa(int(x.N)))
			return k.flagArg(a, kind, itoa(int(x.N)), x.At)
		}
		if kind == RegexArg || kind == BodyRegexArg || kind == SetArg {
			k.rep.errorf(x.At, "found the number %d, expected %s: %s", x.N, argNames[kind], f.Usage)
			return false
		}
		text := []byte(itoa(int(x.N)))
		a.fixed, a.str = true, string(text)
		a.text = func(*Machine) ([]byte, bool) { return text, true }
		a.num = func(*Machine) (int64, bool) { return x.N, true }
		return true
	case *Word:
		if kind == FlagArg || kind == BranchFlagArg {
			return k.flagArg(a, kind, x.Text, x.At)
		}
		k.rep.errorf(x.At, "found %s, expected %s: %s", clip(x.Text), argNames[kind], f.Usage)
		return false
	case *Var:
		if kind == NamesArg {
			a.fixed, a.str = true, x.Text
			return true
		}
		if kind == SetArg {
			a.set = k.setter(x, false)
			return a.set != nil
		}
		if kind != TextArg && kind != IntArg && kind != HeaderArg && kind != RegexArg && kind != BodyRegexArg {
			k.rep.errorf(x.At, "found %s, expected %s: %s", clip(x.Text), argNames[kind], f.Usage)
			return false
		}
		get := k.variable(x)
		if get == nil {
			return false
		}
		a.dotAll = kind == BodyRegexArg
		a.text = func(m *Machine) ([]byte, bool) {
			v := get(m)
			if kind == HeaderArg {
				return m.OneLine(v), v.kind != nullValue
			}
			return m.Text(v), v.kind != nullValue
		}
		a.num = func(m *Machine) (int64, bool) { return get(m).Int() }
		return true
	default:
		k.rep.errorf(x.Pos(), "an argument is a string, a number or a variable: assign the expression to a $var() first")
		return false
	}
}

var argNames = [...]string{
	TextArg: "a string, a number or a variable", HeaderArg: "a string, a number or a variable", IntArg: "a number or a variable", RegexArg: "a regular expression in quotes, or a variable", BodyRegexArg: "a regular expression in quotes, or a variable",
	FixedArg: "a constant string", FlagArg: "the name of a flag", BranchFlagArg: "the name of a branch flag", SetArg: "a variable that can be assigned to",
	AVPArg: "an AVP, $avp(name)", RouteArg: "the name of a route", ReplyRouteArg: "the name of an onreply_route",
	FailureRouteArg: "the name of a failure_route", BranchRouteArg: "the name of a branch_route",
	NamesArg: "a string that names variables, or a variable",
}

func (k *compiler) stringArg(a *argument, kind ArgKind, x *String, f *Function) bool {
	a.str = x.Text
	switch kind {
	case FlagArg, BranchFlagArg:
		return k.flagArg(a, kind, x.Text, x.At)
	case RegexArg, BodyRegexArg:
		compile := compileLineRegex
		if kind == BodyRegexArg {
			compile = compileRegex
		}
		a.re = k.regex(x, compile)
		return a.re != nil
	case FixedArg, NamesArg:
		a.fixed = true
		return true
	}
	format := k.format(x)
	if kind == HeaderArg {
		format = k.headFormat(x)
	}
	if format == nil {
		return false
	}
	a.fixed = !strings.Contains(x.Text, "$")
	if a.fixed {
		b := []byte(x.Text)
		a.text = func(*Machine) ([]byte, bool) { return b, true }
	} else {
		a.text = func(m *Machine) ([]byte, bool) { return format(m), true }
	}
	if kind != IntArg {
		return true
	}
	if a.fixed {
		n, ok := number64([]byte(x.Text))
		if !ok {
			k.rep.errorf(x.At, "found %q, expected a number: %s", clip(x.Text), f.Usage)
			return false
		}
		a.num = func(*Machine) (int64, bool) { return n, true }
	} else {
		a.num = func(m *Machine) (int64, bool) { return number64(format(m)) }
	}
	return true
}

func (k *compiler) flagArg(a *argument, kind ArgKind, name string, at Pos) bool {
	if name == "" || strings.ContainsAny(name, "$ \t") {
		k.rep.errorf(at, "%q is no name of a flag", clip(name))
		return false
	}
	of := 0
	if kind == BranchFlagArg {
		of = 1
	}
	var ok bool
	a.flag, ok = k.flag(of, name, at)
	return ok
}

// format compiles a string in which variables are expanded; a null one is
// written <null>, as there.
func (k *compiler) format(s *String) func(m *Machine) []byte {
	return k.expanded(s, func(m *Machine, v Value) Value { return v })
}

// headFormat is format for what goes into headers: line ends are the script's, not
// those of a decoder or of a body.
func (k *compiler) headFormat(s *String) func(m *Machine) []byte {
	return k.expanded(s, func(m *Machine, v Value) Value {
		if v.kind == nullValue || v.kind == intValue {
			return v
		}
		return Text(m.OneLine(v))
	})
}

// OneLine gives a value's text as it may stand in a header: without the line ends
// behind it, and with spaces for control characters.
func (m *Machine) OneLine(v Value) []byte {
	b := bytes.TrimRight(m.Text(v), "\r\n")
	if bytes.IndexFunc(b, unicode.IsControl) < 0 {
		return b
	}
	from := len(m.arena)
	m.arena = append(m.arena, b...)
	b = m.arena[from:len(m.arena):len(m.arena)]
	proxy.OneLine(b)
	return b
}

// expanded is format with each variable's value passed through f.
func (k *compiler) expanded(s *String, f func(m *Machine, v Value) Value) func(m *Machine) []byte {
	parts := formatOf(k.rep, s)
	if parts == nil && s.Text != "" {
		return nil
	}
	if len(parts) == 0 {
		return func(*Machine) []byte { return nil }
	}
	var get []expr
	for _, p := range parts {
		if p.Var == nil {
			v := Text([]byte(p.Text))
			get = append(get, func(*Machine) Value { return v })
			continue
		}
		g := k.variable(p.Var)
		if g == nil {
			return nil
		}
		get = append(get, func(m *Machine) Value { return f(m, g(m)) })
	}
	return func(m *Machine) []byte {
		// Each part may write into the arena, so they are gathered first.
		from := len(m.stack)
		for _, g := range get {
			m.stack = append(m.stack, g(m))
		}
		all := m.stack[from:]
		m.stack = m.stack[:from]
		start := len(m.arena)
		for _, v := range all {
			switch v.kind {
			case nullValue:
				m.arena = append(m.arena, "<null>"...)
			case intValue:
				m.Text(v)
			default:
				m.arena = append(m.arena, v.s...)
			}
		}
		return m.arena[start:len(m.arena):len(m.arena)]
	}
}
