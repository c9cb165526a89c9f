package script

import "regexp"

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
	HeaderNameArg                  // text that is the name of a header
	HeadersArg                     // HeaderArg that is whole headers
	MethodArg                      // text that is the method of a request
	TableArg                       // text that is the name of a table
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
	call   *callExpr
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
	expr   expression
}

// functions are the functions by name, other names for the same ones included.
// It is filled by init, as compiling a call looks into it again.
var functions map[string]*Function

func init() {
	functions = make(map[string]*Function)
	for _, part := range []map[string]*Function{
		coreFunctions(), connFunctions(), uriFunctions(), flagFunctions(),
		avpFunctions(), advertiseFunctions(), branchFunctions(), blacklistFunctions(), serialFunctions(), valueFunctions(), viaFunctions(), scriptTraceFunctions(), cacheFunctions(), eventFunctions(), reportFunctions(),
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
func (k *compiler) action(x expression) Action {
	if r, ok := x.(*routeCallExpr); ok {
		return k.routeCall(r)
	}
	c := x.(*callExpr)
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
		case *numberExpr, *varExpr:
			args = []expression{args[1], args[0]}
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
func (k *compiler) unknownFunction(c *callExpr) {
	if module := foreignModule(c.Func); module != "" && !k.hasModule(module) {
		k.absent(c.At, module, clip(c.Func)+"()").functions[c.Func] = true
		return
	}
	if k.unsupported(c.At, LacksFunction, c.Func) {
		return
	}
	k.rep.errorf(c.At, "unknown function %s()%s", clip(c.Func), hint(c.Func, k.words.functionNames()))
}
