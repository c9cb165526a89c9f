package script

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"sipreactor/reactor"
)

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
	c.settle(previous)
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
