// Package gflags is OpenSIPS' module gflags: 32 flags of the whole program, which the
// script and management set and ask for.
package gflags

import (
	"context"
	"sync/atomic"

	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
)

type module struct {
	initial int64
	flags   *atomic.Uint32 // of this configuration and of those that replace it
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{flags: new(atomic.Uint32)}
	function := func(name, help string, do func(bit uint32) int) script.Function {
		return script.Function{Name: name, Usage: name + "(flag)", Help: help, Args: []script.ArgKind{script.IntArg}, Min: 1, Routes: script.Anywhere, Build: m.build(do)}
	}
	command := func(name, help string, do func(mask uint32) any) rpc.Command {
		return rpc.Command{Name: name, Aliases: []string{"gflags:" + name}, Help: help, Params: []rpc.Param{{Name: "bitmask", Kind: rpc.Integer}},
			Func: func(_ context.Context, a *rpc.Args) (any, error) { return do(uint32(a.Int("bitmask"))), nil }}
	}
	return &script.Module{
		Name: "gflags", Help: "Flags of the whole program.", Instance: m,
		Parameters: []script.Parameter{{Name: "initial", Type: script.IntParam, Max: 1<<32 - 1, Default: "0", Restart: true,
			Help: "The flags at the start, as the bits of a number.", Set: script.Into(&m.initial)}},
		Functions: []script.Function{
			function("set_gflag", "Sets flag 0 to 31.", func(bit uint32) int { m.flags.Or(bit); return 1 }),
			function("reset_gflag", "Clears flag 0 to 31.", func(bit uint32) int { m.flags.And(^bit); return 1 }),
			function("is_gflag", "Reports whether flag 0 to 31 is set.", func(bit uint32) int { return script.Yes(m.flags.Load()&bit != 0) }),
		},
		Commands: []rpc.Command{
			command("set_gflag", "Sets flags by their bits.", func(mask uint32) any { m.flags.Or(mask); return "OK" }),
			command("reset_gflag", "Clears flags by their bits.", func(mask uint32) any { m.flags.And(^mask); return "OK" }),
			command("is_gflag", "Reports whether all flags of a mask are set.", func(mask uint32) any {
				if m.flags.Load()&mask == mask {
					return "TRUE"
				}
				return "FALSE"
			}),
			{Name: "get_gflags", Aliases: []string{"gflags:get_gflags"}, Help: "Tells which flags are set, as the bits of a number.", Func: func(context.Context, *rpc.Args) (any, error) {
				return map[string]any{"decimal": m.flags.Load()}, nil
			}},
		},
		Start: func(e *script.Env) error {
			if old, ok := e.Previous.(*module); ok {
				m.flags = old.flags
				return nil
			}
			m.flags.Store(uint32(m.initial))
			return nil
		},
	}
}

func (m *module) build(do func(bit uint32) int) func(a *script.Args) script.Action {
	return func(a *script.Args) script.Action {
		flag, at := a.Int(0), a.Site()
		return func(x *script.Machine) int {
			n, ok := flag(x)
			if !ok || n < 0 || n > 31 {
				return x.Fail(at, "a flag is a number from 0 to 31")
			}
			return do(1 << n)
		}
	}
}
