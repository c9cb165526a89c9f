package script

import (
	"context"
	"errors"
	"log/slog"
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
// takes longer than d skips the next. The first is d after the sockets are open, whose
// addresses nobody may read before; without Running nothing is waited for.
func (e *Env) Every(d time.Duration, f func(ctx context.Context)) {
	if e.Trial {
		return
	}
	e.tasks.Go(func() {
		if e.Running != nil {
			select {
			case <-e.ctx.Done():
				return
			case <-e.Running:
			}
		}
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

// ErrRestart is what a Start says of a change that a reload cannot make.
var ErrRestart = errors.New("this changes at a restart of the program only")
