package main

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"

	"sipreactor/reactor"
	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
)

// inProcess begins the program on a file, with a socket of UDP, and ends it with the test.
func inProcess(t *testing.T, path string) (n *node, cfg *script.Config, levels logLevels) {
	t.Helper()
	cfg, err := loader().Load(path)
	if err != nil {
		t.Fatal(err)
	}
	cfg.StateDir = t.TempDir()
	sockets := []reactor.SocketConfig{{Proto: reactor.UDP, Addr: netip.MustParseAddrPort("127.0.0.1:0")}}
	if n, err = assemble(cfg, sockets, newLogger(newOutput(), script.LevelDebug, ""), nil); err != nil {
		t.Fatal(err)
	}
	levels = levelsOf(cfg)
	if err := n.start(cfg, levels, func() {}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = n.engine.Stop(context.Background())
		n.close()
	})
	return n, cfg, levels
}

// TestReloadIsWhole: a configuration of which a part is not taken when it starts leaves nothing of itself: what it has
// begun ends, and the one before serves.
func TestReloadIsWhole(t *testing.T) {
	const head = "socket=udp:127.0.0.1:5060\nloadmodule \"proto_udp.so\"\n"
	n, cfg, levels := inProcess(t, config(t, head+"route { exit; }\n"))
	path := config(t, head+"loadmodule \"first.so\"\nloadmodule \"last.so\"\nroute { drop; }\n")
	for name, spoil := range map[string]func(last *script.Module){
		"a module that does not start": func(last *script.Module) { last.Start = func(*script.Env) error { return errors.New("it does not") } },
		"a command whose name is taken": func(last *script.Module) {
			last.Commands = []rpc.Command{{Name: "version", Func: func(context.Context, *rpc.Args) (any, error) { return nil, nil }}}
		},
	} {
		running := 0
		first := &script.Module{Name: "first", Start: func(*script.Env) error { running++; return nil }, Stop: func(any) { running-- }}
		last := &script.Module{Name: "last"}
		spoil(last)
		n.load = func(previous *script.Program) (*script.Config, error) {
			l := loader()
			l.Previous = previous
			l.Modules = append(slices.Clone(l.Modules), func(*script.Config) *script.Module { return first }, func(*script.Config) *script.Module { return last })
			return l.Load(path)
		}
		routes := n.proxy.Router()
		if _, err := n.reloadRoutes(levels); err == nil || n.cfg.Load() != cfg || n.proxy.Router() != routes || running != 0 {
			t.Errorf("%s: %v; the configuration is the old one: %v, its routes: %v; %d modules of the new one run", name, err, n.cfg.Load() == cfg, n.proxy.Router() == routes, running)
		}
	}
}
