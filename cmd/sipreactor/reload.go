package main

import (
	"context"
	"fmt"
	"strings"

	"sipreactor/reactor/script"
)

// reloader makes what reads the configuration anew, whose path must be good wherever the program works by then.
func reloader(o options) func(previous *script.Program) (*script.Config, error) {
	return guarded(func(previous *script.Program) (*script.Config, error) {
		l := loader(o.process.listen...)
		l.Previous = previous
		if o.file == "" {
			return l.Compile(builtIn, script.Default())
		}
		return l.Load(o.file)
	})
}

// guarded makes a panic an error: that a configuration cannot be read ends no program that serves with another one.
func guarded(load func(previous *script.Program) (*script.Config, error)) func(previous *script.Program) (*script.Config, error) {
	return func(previous *script.Program) (cfg *script.Config, err error) {
		defer func() {
			if p := recover(); p != nil {
				cfg, err = nil, fmt.Errorf("reading the configuration panicked: %v", p)
			}
		}()
		return load(previous)
	}
}

// reload reads everything again that can change while the program runs, and logs what came of it: the routes, and the
// TLS domains.
func (n *node) reload(ctx context.Context, levels logLevels) {
	if n.load != nil {
		if _, err := n.reloadRoutes(levels); err != nil {
			for line := range strings.Lines(err.Error()) {
				n.log.Error("routes are not reloaded, the old ones stay in use: " + strings.TrimSuffix(line, "\n"))
			}
		}
	}
	if err := n.reloadTLS(); err != nil {
		n.log.Error("TLS domains are not reloaded, the old ones stay in use", "error", err)
	} else {
		n.log.Log(ctx, script.LevelNotice.Slog(), "TLS domains are reloaded")
	}
}

// reloadRoutes puts the configuration's routes, modules and statistics in the place of those in use: all of them or,
// with an error, none. It tells, and logs, what of the configuration changes at a restart only.
func (n *node) reloadRoutes(levels logLevels) (atRestart []string, err error) {
	n.reloading.Lock()
	defer n.reloading.Unlock()
	old := n.cfg.Load()
	cfg, err := n.load(old.Program)
	if err != nil {
		return nil, err
	}
	cfg.Program.TakeOver(old.Program)
	cfg.Proxy.Blacklists.Follow(n.proxy.Blacklists())
	if err := cfg.Start(n.surroundings(), old); err != nil {
		return nil, err
	}
	if err := n.commands.Replace(old.Commands(), cfg.Commands()); err != nil {
		cfg.Stop(old)
		return nil, err
	}
	n.cfg.Store(cfg)
	n.proxy.SetBlacklists(cfg.Proxy.Blacklists, cfg.Proxy.DeadTargets)
	n.proxy.SetRouter(cfg.Router())
	n.routes.Replace(cfg.Program)
	old.Stop(cfg)
	if cfg.Log.Level != old.Log.Level {
		levels.log.SetLevel(int(cfg.Log.Level))
	}
	levels.prefix.Store(&cfg.Log.Prefix)
	if cfg.Log.Script != old.Log.Script {
		levels.xlog.SetLevel(int(cfg.Log.Script))
	}
	n.log.Log(context.Background(), script.LevelNotice.Slog(), "routes are reloaded")
	for _, note := range cfg.NeedRestart() {
		n.log.Warn("not reloaded: "+note.Msg, "at", note.Pos)
		atRestart = append(atRestart, note.String())
	}
	return atRestart, nil
}
