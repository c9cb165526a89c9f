// Package script is the language of opensips.cfg: it reads a configuration,
// checks it and compiles its routes.
//
// Load gives a Config: sockets and parameters in the types of the packages that
// use them, and a Program, which is the proxy.Router of the routes.
//
//	loader := script.Loader{Modules: []script.Constructor{sl.New, maxfwd.New}}
//	cfg, err := loader.Load("opensips.cfg")
//	if err != nil {
//		log.Fatal(err) // file:line:col: message, one line for each error
//	}
//	p, err := proxy.New(cfg.Proxy, cfg.Router())
//
// # The language
//
// It is that of OpenSIPS 3: the grammar, the binding of operators, the codes of
// functions and what NULL compares to are the same. What a configuration asks
// for and cannot have is an error with its place, all errors at once; what it
// asks for and does not need is a Note that says why. Nothing is skipped
// otherwise.
//
// These are the ways in which a program runs otherwise than there:
//
//   - $var() begins as NULL with each message; there it keeps what an earlier
//     message of the same process left in it.
//   - Numbers have 64 bits.
//   - A number is joined to a text by + as its decimal digits; there it is an
//     error unless it comes from a variable.
//   - Regular expressions run on package regexp: there are no back references, and
//     no input makes them slow. Where two alternatives match at one place, the
//     first one counts and not the longest, which shows in substitutions only.
//   - All arguments of route() are evaluated at the call.
//   - A runtime error (a division by 0, operands that do not fit, a URI that is
//     none, a header that is none) is logged with its place and runs the
//     error_route, where $err.info tells what it was; then the script goes on, as
//     there. A script that takes too long for a message is stopped.
//   - The error_route gets requests that cannot be read, too: $err.class is 1, and
//     $err.rcode and $err.rreason are how they are answered unless the route does;
//     a code of 0 means that there can be no answer. They are sent nowhere.
//   - Assignments in conditions are refused: they are mistaken for comparisons.
//   - A parameter of a TLS domain whose name a server and a client domain share is
//     that of the one declared last.
//   - Serial numbers of certificates ($tls_peer_serial) are whole, in decimal; there
//     they are cut to 32 bits.
//   - $(<request>...) in an onreply_route without a transaction and $(<reply>...) in a
//     route are NULL: the other message is not kept.
//   - forward() sends to the branch of the Request-URI alone: stateless forwarding
//     does not fork. An index of a branch that is not there is an error.
//   - A {re.subst,$var(x)} and its kind hold no variables in the replacement.
//   - codec_delete() and its kind refuse a stream, by port 0, that would have no
//     codec left. remove_body_part() makes the one part that is left the body, if it
//     has no headers besides its type.
//   - set_advertised_address() and record_route_preset() want an alias of the name
//     they write into Record-Route, as there.
//   - myself can be compared with any text: a URI, or host[:port].
//   - update_stat() makes at most 1,000 statistics, as their names may come from
//     messages. One that is counted down below 0 reads as 0. $stat() of a statistic
//     that is not the script's own is a wait, as DNS is: for configurations that
//     look at one now and then.
//   - trace(), or sip_trace(), traces with the id of the connection that carries the
//     message, unless a correlation id is given. There are no traces of B2B sessions:
//     the scope "b" is refused.
//
// # Where
//
//	from text to a tree            lexer.go, include.go, parser.go; items.go for what a file has, route.go, statement.go,
//	                               expression.go, variable.go; the tree: ast.go
//	from the tree to closures      compile.go, flow.go, loop.go, assignment.go, condition.go, arithmetic.go, routecall.go;
//	                               a call's arguments: functionarguments.go
//	what a message runs            program.go, machine.go, value.go; what a module runs: routine.go
//	what a module declares         module.go, parameter.go, functions.go (args.go), variables.go (use.go), event.go
//	what it is given               loading.go when it is checked, env.go when it runs; local.go, avps.go, cache.go, bus.go
//	how all is loaded, started     load.go, loadmodules.go, config.go, start.go; reloads: changes.go
//	core parameters                globals.go, sockets.go, idleglobals.go; of TLS domains: tlsplaces.go
//	the core's own                 *functions.go, *variables.go, corevalues.go, *transforms.go
//	what is wrong, or a note       errors.go, check.go, absent.go, lack.go, oldnames.go; open relays: openrelay.go and
//	                               relay*.go
//	routes without a message       alone.go, background.go, async.go
//	traces                         tracefunctions.go, follow.go, beguntraces.go
//	what -H prints                 reference.go
//
// # How it runs
//
// The lexer and the parser make a tree with a place (Pos) on every node, which nobody
// else sees.
// Compiling resolves each name to a slot, a function or a route, so at runtime
// there is no lookup, no parsing and no reflection: closures call closures. What
// a message needs besides is in a machine that a proxy.Context keeps: slots of
// variables, and an arena for the texts that are put together, which is emptied
// behind each message. A typical route allocates nothing.
//
// A Program is immutable, but for what its statistics count, and safe for any number
// of goroutines. A reload compiles a new one (Loader.Previous), starts its modules
// beside the old ones (Config.Start), and has it take over (Program.TakeOver,
// proxy.Proxy.SetRouter, Background.Replace); the old modules are stopped then.
//
// # Without a message
//
// Some routes run when no message asks for it. They have no message, so its
// variables are NULL, what acts on one is an error at Load, and the error_route is
// not run for them.
//
//   - The startup_route: Program.Startup.
//   - timer_route[name, seconds]: Program.Timers, and each one's Run.
//   - event_route[name]: Program.Event, for the events of connections (event.go) and
//     those that modules declare.
//   - trace_filter_route: Program.Filter.
//
// A Background runs the first three. It goes between the program and the engine:
//
//	background := script.NewBackground(cfg.Program)
//	engineConfig.Observer = background // or one that passes events on to it
//	...                                // engine.Start()
//	background.Start()
//	defer background.Close() // behind engine.Stop()
package script
