package rpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"sync/atomic"
)

// Dispatcher carries out requests in JSON-RPC 2.0. Any goroutine may call its
// methods; of those that change the commands, one at a time.
type Dispatcher struct {
	table atomic.Pointer[table]
	log   *slog.Logger
}

// table is what commands there are. It does not change.
type table struct {
	byName   map[string]*Command
	commands []*Command
}

// NewDispatcher makes a Dispatcher with the commands which and help. The log
// gets what goes wrong inside of commands; nil discards it.
func NewDispatcher(log *slog.Logger) *Dispatcher {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	d := &Dispatcher{log: log}
	d.table.Store(&table{})
	for _, c := range d.own() {
		if err := d.Register(c); err != nil {
			panic(err)
		}
	}
	return d
}

// Register adds commands. A name that is taken, or a command without a name or
// a Func, is an error.
func (d *Dispatcher) Register(commands ...Command) error { return d.Replace(nil, commands) }

// Replace puts commands in the place of others, all of them or, after an error, none.
// Requests find the ones or the others.
func (d *Dispatcher) Replace(others, commands []Command) error {
	old := d.table.Load()
	next := &table{byName: maps.Clone(old.byName), commands: slices.Clone(old.commands)}
	if next.byName == nil {
		next.byName = make(map[string]*Command)
	}
	for _, c := range others {
		known := next.byName[c.Name]
		maps.DeleteFunc(next.byName, func(_ string, x *Command) bool { return x == known })
		next.commands = slices.DeleteFunc(next.commands, func(x *Command) bool { return x == known })
	}
	for _, c := range commands {
		if c.Name == "" || c.Func == nil {
			return fmt.Errorf("rpc: command %q lacks its name or what it does", c.Name)
		}
		names := append([]string{c.Name}, c.Aliases...)
		for _, name := range names {
			if _, taken := next.byName[name]; taken {
				return fmt.Errorf("rpc: command %s: the name %s is taken", c.Name, name)
			}
		}
		for _, name := range names {
			next.byName[name] = &c
		}
		next.commands = append(next.commands, &c)
	}
	d.table.Store(next)
	return nil
}

// Names lists the commands, without aliases, sorted.
func (d *Dispatcher) Names() []string {
	commands := d.table.Load().commands
	names := make([]string, 0, len(commands))
	for _, c := range commands {
		names = append(names, c.Name)
	}
	slices.Sort(names)
	return names
}

// Command finds a command by its name or one of its aliases.
func (d *Dispatcher) Command(name string) (Command, bool) {
	c := d.table.Load().byName[name]
	if c == nil {
		return Command{}, false
	}
	return *c, true
}

// Handle carries out a request or a batch and gives the answer, nil when there
// is none to give: a request without an id is carried out in silence.
func (d *Dispatcher) Handle(ctx context.Context, request []byte) []byte {
	if len(request) > MaxRequest {
		return TooLarge()
	}
	request = bytes.TrimSpace(request)
	if !json.Valid(request) {
		return answer(noID, nil, &Error{Code: CodeParse, Message: "Parse error"})
	}
	if request[0] != '[' {
		return d.one(ctx, request)
	}
	var batch []json.RawMessage
	if err := json.Unmarshal(request, &batch); err != nil {
		return answer(noID, nil, &Error{Code: CodeParse, Message: "Parse error"})
	}
	if len(batch) == 0 || len(batch) > MaxBatch {
		return answer(noID, nil, badRequest("a batch holds 1 to %d requests", MaxBatch))
	}
	var answers []byte
	for _, r := range batch {
		if a := d.one(ctx, r); a != nil {
			answers = append(append(answers, ','), a...)
		}
	}
	if answers == nil {
		return nil
	}
	answers[0] = '['
	return append(answers, ']')
}

// one handles one request, which is valid JSON.
func (d *Dispatcher) one(ctx context.Context, request json.RawMessage) []byte {
	r, bad := readRequest(request)
	if bad != nil {
		return answer(r.id, nil, bad)
	}
	result, failure := d.call(ctx, r)
	if r.notification {
		return nil
	}
	return answer(r.id, result, failure)
}

func (d *Dispatcher) call(ctx context.Context, r request) (result any, failure *Error) {
	c := d.table.Load().byName[r.method]
	if c == nil {
		return nil, &Error{Code: CodeMethod, Message: "Method not found"}
	}
	args, failure := ParseArgs(r.params, c.Params)
	if failure != nil {
		return nil, failure
	}
	defer func() {
		if p := recover(); p != nil {
			d.log.Error("management command panicked", "command", c.Name, "panic", p, "stack", string(debug.Stack()))
			result, failure = nil, &Error{Code: CodeInternal, Message: "Internal error"}
		}
	}()
	result, err := c.Func(ctx, args)
	if err != nil {
		if errors.As(err, &failure) {
			return nil, failure
		}
		return nil, Failed(c.Name+" failed", err.Error())
	}
	return result, nil
}

// Run carries out one command for the program itself. params is nil, or becomes an
// array or an object in JSON. The result is what a request would get.
func (d *Dispatcher) Run(ctx context.Context, method string, params any) (json.RawMessage, *Error) {
	r := request{method: method}
	if params != nil {
		b, err := json.Marshal(params)
		if err != nil {
			return nil, BadParams("%v", err)
		}
		r.params = b
	}
	result, failure := d.call(ctx, r)
	if failure != nil {
		return nil, failure
	}
	b, err := appendJSON(nil, result)
	if err != nil {
		return nil, &Error{Code: CodeInternal, Message: "Internal error", Data: err.Error()}
	}
	return b, nil
}

// own are the commands that are about commands.
func (d *Dispatcher) own() []Command {
	return []Command{
		{
			Name: "which", Aliases: []string{"core:which"}, Module: "core",
			Help:   "Lists the commands, or the ways in which one of them takes its parameters.",
			Params: []Param{{Name: "command", Optional: true}},
			Func: func(_ context.Context, a *Args) (any, error) {
				if !a.Has("command") {
					return d.Names(), nil
				}
				c, err := d.find(a.Text("command"))
				if err != nil {
					return nil, err
				}
				return c.forms(), nil
			},
		},
		{
			Name: "help", Aliases: []string{"core:help"}, Module: "core",
			Help:   "Tells what a command does and what it takes.",
			Params: []Param{{Name: "mi_cmd", Optional: true}},
			Func: func(_ context.Context, a *Args) (any, error) {
				if !a.Has("mi_cmd") {
					return Object{{"Help", "help mi_cmd: tells about a command; which: lists them"}}, nil
				}
				c, err := d.find(a.Text("mi_cmd"))
				if err != nil {
					return nil, err
				}
				o := Object{{"Help", c.Help}, {"Exported by", c.Module}, {"Usage", c.Usage()}}
				if len(c.Aliases) > 0 {
					o = append(o, Field{"Aliases", c.Aliases})
				}
				return o, nil
			},
		},
	}
}

func (d *Dispatcher) find(name string) (*Command, error) {
	if c := d.table.Load().byName[name]; c != nil {
		return c, nil
	}
	return nil, &Error{Code: CodeNotFound, Message: "unknown MI command", Data: name}
}
