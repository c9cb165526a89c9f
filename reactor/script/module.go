package script

import (
	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/rpc"
)

// Constructor makes a module for one configuration. The program lists one for
// each module that loadmodule can name. It must not change cfg: it is called for
// modules that the configuration does not load, too, and by the reference. What
// parameters set later may go into cfg.
type Constructor func(cfg *Config) *Module

// Module is a module of OpenSIPS as the language sees it: what it declares, and
// when its own code is called. It belongs to one configuration; a reload makes
// another.
type Module struct {
	// Name is that of loadmodule, without path and suffix.
	Name string
	// Help tells in one sentence what the module is for.
	Help string
	// Note tells, where the module is loaded, what of it does nothing here; ""
	// is nothing to tell.
	Note string
	// Needs are modules that have to be loaded for this one.
	Needs []string
	// Uses are modules that this one makes use of where they are loaded, in whatever order
	// that is: they start before it.
	Uses []string
	// AtStart tells that the module takes part from the start of the program or not at
	// all: one that a reload loads is idle until then.
	AtStart bool
	// Instance is what others get of the module by Config.Instance; nil is nothing.
	Instance any

	Parameters []Parameter
	Functions  []Function
	Variables  []Variable
	// Commands are those of the management interface. They are served once the
	// module has started.
	Commands   []rpc.Command
	Statistics []Statistic
	Events     []Event
	// Lacks are what OpenSIPS' module of that name has besides, and why it is not here.
	Lacks []Lack
	// Runs are the kinds of routes without a name that the module runs by itself,
	// as tm runs the local_route.
	Runs RouteSet

	// Wrap puts the module between the proxy and the routes; nil: it stands aside.
	Wrap func(routes proxy.Router) proxy.Router

	// Loaded is called at the loadmodule, before any parameter: for defaults of the
	// configuration that differ with the module. It may be nil, as the others.
	Loaded func()
	// Check is called when all parameters are read, and before the routes are
	// compiled. What is wrong goes to l.
	Check func(l *Loading)
	// Observe is told what happens to connections, as a reactor.Observer is: on their
	// loops, so it must not wait.
	Observe func(e *reactor.Event)

	// Start is called before the sockets open, or before the routes are swapped at a
	// reload. After an error the configuration is not used. An error that ErrorAt has
	// given no place is one of the loadmodule.
	Start func(e *Env) error
	// Trial tells that Start reads files. A check of the configuration then calls it
	// with Env.Trial, and Stop behind it.
	Trial bool
	// Stop is called when the module's time is over. next is the instance of the
	// configuration that takes over, nil at the end of the program; what that one has
	// taken over in its Start is no longer this one's.
	Stop func(next any)
}

// Statistic is a number that a module counts, in the group of its name.
type Statistic struct {
	Name, Help string
	// Group is another group than the module's name; "" is that.
	Group string
	// Gauge tells that the number goes down, too.
	Gauge bool
	// Count is what is counted, and Value what is asked when the statistic is wanted, by any
	// goroutine: a module has one of the two.
	Count *Count
	Value func() uint64
	// Reset sets it to 0; nil: a reset hides what was counted before.
	Reset func()
}

// Event is something that an event_route can be for.
type Event struct {
	Name, Help string
	// Params are what $param() can name there, in the order in which subscribers get
	// them.
	Params []string
}
