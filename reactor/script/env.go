package script

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/rescue"
	"sipreactor/reactor/rpc"
	"sipreactor/reactor/statusreport"
)

// Surroundings are what modules run in. Each module gets it in an Env.
type Surroundings struct {
	// Log gets what modules have to say; nil discards it.
	Log *slog.Logger
	// Sockets are the listeners; nil: those of the Engine.
	Sockets []*reactor.Socket
	// Engine and Proxy are those that carry the messages.
	Engine *reactor.Engine
	Proxy  *proxy.Proxy
	// Commands are all of the management interface, for who carries out one; nil: there
	// are none.
	Commands *rpc.Dispatcher
	// Events gets what modules raise; nil: nobody listens.
	Events Events
	// Reports gets how ready modules are and what they did last; nil: nobody asks.
	Reports *statusreport.Book
	// StateDir is the folder of what outlives the program; "" is none.
	StateDir string
	// Running is closed once the sockets are open.
	Running <-chan struct{}
}

// Events is who is told of events. Any goroutine may call it, and it does not
// block.
type Events interface {
	// Raise tells of an event.
	Raise(name string, params ...Param)
	// Heard reports whether somebody listens to an event.
	Heard(name string) bool
}

// Env is what a module runs in, from its Start to its Stop.
type Env struct {
	Surroundings
	// Program is the compiled routes of the configuration.
	Program *Program
	// Previous is the module's Instance in the configuration that this one replaces; nil
	// at the start of the program, and behind Start.
	Previous any
	// Trial tells that the configuration is checked and not used: Start reads what is on
	// this machine, for its errors, and changes nothing. Go and Every run nothing, there
	// is no Engine, no Proxy and no StateDir, and databases on a network have no rows.
	// Sockets are those that a start would open.
	Trial bool

	ctx    context.Context
	cancel context.CancelFunc
	tasks  sync.WaitGroup
}

// Heard reports whether somebody listens to an event, for who would have to gather
// its parameters.
func (e *Env) Heard(name string) bool { return e.Events != nil && e.Events.Heard(name) }

// Raise tells of an event that the module has declared. Any goroutine; it does not
// block.
func (e *Env) Raise(name string, params ...Param) {
	if e.Events != nil {
		e.Events.Raise(name, params...)
	}
}

// Listeners goes through the listeners. Any goroutine.
func (e *Env) Listeners(yield func(*reactor.Socket) bool) {
	for _, s := range e.Sockets {
		if !yield(s) {
			return
		}
	}
}

// Go runs f in a goroutine of its own, off the event loops. The context ends with
// the module, which waits for f. A panic is logged.
func (e *Env) Go(f func(ctx context.Context)) {
	if e.Trial {
		return
	}
	e.tasks.Go(func() { e.Guard(f) })
}

// Every runs f every d until the module ends, one run after the other. A run that
// takes longer than d skips the next.
func (e *Env) Every(d time.Duration, f func(ctx context.Context)) {
	if e.Trial {
		return
	}
	e.tasks.Go(func() {
		clock := time.NewTicker(d)
		defer clock.Stop()
		for {
			select {
			case <-e.ctx.Done():
				return
			case <-clock.C:
				e.Guard(f)
			}
		}
	})
}

// Guard runs f once, for who runs many things in a row: a panic is logged, and ends none of the others.
func (e *Env) Guard(f func(ctx context.Context)) {
	_ = rescue.Run(e.Log, "a module", func() { f(e.ctx) })
}

// end ends what Go and Every have begun.
func (e *Env) end() {
	e.cancel()
	e.tasks.Wait()
}

// Instance returns the Instance of a loaded module, such as another module or the
// program asks for; nil if it is not loaded or has none.
func (c *Config) Instance(module string) any {
	for _, m := range c.modules {
		if m.Name == module {
			return m.Instance
		}
	}
	return nil
}

// Instances lists the Instances of the loaded modules that have one.
func (c *Config) Instances() (all []any) {
	for _, m := range c.modules {
		if m.Instance != nil {
			all = append(all, m.Instance)
		}
	}
	return all
}

// Place returns where a global was set, or "module/param" a parameter; no place if it was
// not.
func (c *Config) Place(name string) Pos { return c.places[name] }

// Broken reports whether something is known to be wrong of a module, in a configuration
// that Load has returned with an error.
func (c *Config) Broken(module string) bool { return c.broken[module] }

// Commands lists the management commands of the loaded modules.
func (c *Config) Commands() (all []rpc.Command) {
	for _, m := range c.modules {
		for _, command := range m.Commands {
			if command.Module == "" {
				command.Module = m.Name
			}
			all = append(all, command)
		}
	}
	return all
}

// ModuleStatistics calls f for each statistic of the loaded modules.
func (c *Config) ModuleStatistics(f func(group string, s *Statistic)) {
	for _, m := range c.modules {
		for i := range m.Statistics {
			s := &m.Statistics[i]
			group := s.Group
			if group == "" {
				group = m.Name
			}
			f(group, s)
		}
	}
}

// Observe tells the loaded modules what happens to connections: reactor.Observer.
func (c *Config) Observe(e *reactor.Event) {
	for _, m := range c.modules {
		if m.Observe != nil {
			m.Observe(e)
		}
	}
}

// Router is what routes messages: the program, as the loaded modules have it.
func (c *Config) Router() proxy.Router {
	var r proxy.Router = c.Program
	for _, m := range c.modules {
		if m.Wrap != nil {
			r = m.Wrap(r)
		}
	}
	if c.Program.failure != nil {
		r = refusing{r, c.Program}
	}
	return r
}

// Start starts the loaded modules, those that others need first. previous is the
// configuration that is replaced; nil: this is the first. After an error none of them
// runs, and those of previous go on.
func (c *Config) Start(in Surroundings, previous *Config) error {
	if in.Log == nil {
		in.Log = slog.New(slog.DiscardHandler)
	}
	if in.Events != nil && c.Program != nil {
		c.Program.heard.Store(&in.Events)
	}
	if c.Program != nil {
		c.Program.reports.Store(in.Reports)
	}
	if b, ok := in.Events.(*Background); ok {
		b.subscribed.carry(c.modules)
	}
	if in.Sockets == nil && in.Engine != nil {
		in.Sockets = in.Engine.Sockets()
	}
	if in.Sockets != nil {
		if err := c.CheckSockets(in.Sockets); err != nil {
			return err
		}
	}
	if previous != nil {
		c.countOn(previous)
	}
	for _, m := range c.startOrder() {
		e := &Env{Surroundings: in, Program: c.Program}
		e.ctx, e.cancel = context.WithCancel(context.Background())
		c.started = append(c.started, running{m, e})
		if m.Start == nil {
			continue
		}
		if previous != nil {
			e.Previous = previous.Instance(m.Name)
		}
		err := m.Start(e)
		e.Previous = nil // or each would keep all that were before it
		if err != nil {
			c.started = c.started[:len(c.started)-1]
			e.end()
			c.Stop(previous)
			return c.startError(m, err)
		}
	}
	return nil
}

// startError places the error of a module's Start.
func (c *Config) startError(m *Module, err error) error {
	if errors.As(err, new(*Error)) {
		return ErrorAt(c.places[loadPlace+m.Name], err)
	}
	return ErrorAt(c.places[loadPlace+m.Name], fmt.Errorf("module %s: %w", m.Name, err))
}

// Try starts each module that reads files for a trial and stops it again, and returns what
// is wrong, of all of them: nil, or of type Errors. A module of which something is known to
// be wrong is left out. It may be called for a configuration that Load has returned with
// an error. The log gets what a start would warn of; sockets are those that it would open.
func (c *Config) Try(log *slog.Logger, sockets []*reactor.Socket) error {
	var all []error
	running := make(chan struct{})
	for _, m := range c.startOrder() {
		if !m.Trial || c.broken[m.Name] || slices.ContainsFunc(m.Needs, func(need string) bool { return !c.places[loadPlace+need].IsValid() || c.broken[need] }) {
			continue
		}
		e := &Env{Surroundings: Surroundings{Log: log, Running: running, Sockets: sockets}, Program: c.Program, Trial: true}
		e.ctx, e.cancel = context.WithCancel(context.Background())
		err := m.Start(e)
		e.end()
		if err != nil {
			all = append(all, c.startError(m, err))
		} else if m.Stop != nil {
			m.Stop(nil)
		}
	}
	return ErrorAt(Pos{}, errors.Join(all...))
}

// running is a module that runs.
type running struct {
	*Module
	env *Env
}

// Stop ends the modules that run, the last one first. next is the configuration that
// takes over; nil: the program ends.
func (c *Config) Stop(next *Config) {
	for _, s := range slices.Backward(c.started) {
		s.env.end()
		if s.Module.Stop == nil {
			continue
		}
		var other any
		if next != nil {
			other = next.Instance(s.Name)
		}
		s.Module.Stop(other)
	}
	c.started = nil
}

// startOrder lists the modules, each one behind those that it needs or uses.
func (c *Config) startOrder() (order []*Module) {
	byName := make(map[string]*Module)
	for _, m := range c.modules {
		byName[m.Name] = m
	}
	done := make(map[*Module]bool)
	var visit func(m *Module)
	visit = func(m *Module) {
		if m == nil || done[m] {
			return
		}
		done[m] = true
		for _, other := range slices.Concat(m.Needs, m.Uses) {
			visit(byName[other])
		}
		order = append(order, m)
	}
	for _, m := range c.modules {
		visit(m)
	}
	return order
}

// ErrRestart is what a Start says of a change that a reload cannot make.
var ErrRestart = errors.New("this changes at a restart of the program only")
