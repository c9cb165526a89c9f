package relay

import (
	"context"
	"time"

	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
)

// Commands declares the management commands of a module: MODULE_enable, MODULE_show and MODULE_reload.
func (f *Fleet[C]) Commands(module string, t *Table) []rpc.Command {
	return []rpc.Command{
		t.Command(module, f.Reload, func() *script.Env { return f.env }),
		{Name: module + "_enable", Aliases: []string{module + ":enable"}, Module: module, Help: "Enables a node (1), disables it (0), or has it pinged until it answers (2); in all sets unless one is named.",
			Params: []rpc.Param{{Name: "url"}, {Name: "enable", Kind: rpc.Integer}, {Name: "setid", Kind: rpc.Integer, Optional: true}}, Func: f.enable},
		{Name: module + "_show", Aliases: []string{module + ":show"}, Module: module, Help: "Lists the nodes of all sets.", Func: f.show},
	}
}

func (f *Fleet[C]) enable(_ context.Context, a *rpc.Args) (any, error) {
	to, ok := map[int]state{0: disabled, 1: enabled, 2: probing}[a.Int("enable")]
	if !ok {
		return nil, &rpc.Error{Code: rpc.CodeParams, Message: "Invalid params", Data: "enable is 0, 1 or 2"}
	}
	found := false
	for n := range f.All {
		if n.URL != a.Text("url") || a.Has("setid") && n.Set != a.Int("setid") {
			continue
		}
		found = true
		n.recheck.Store(0)
		if was := state(n.state.Swap(int32(to))); (was == enabled) != (to == enabled) {
			status := "inactive"
			if to == enabled {
				status = "active"
			}
			f.changed(n, status, "management interface")
		}
	}
	if !found {
		return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "No such node"}
	}
	return "OK", nil
}

// show lists the nodes. recheck_ticks is in how many seconds one is pinged, -1 is never.
func (f *Fleet[C]) show(context.Context, *rpc.Args) (any, error) {
	sets := []rpc.Object{}
	for _, number := range f.Numbers() {
		nodes := []rpc.Object{}
		for i, n := range f.Of(number) {
			off, ticks := 0, int64(0)
			switch n.is() {
			case enabled:
			case disabled:
				off, ticks = 1, -1
			case probing:
				off, ticks = 1, max(0, int64(time.Until(time.Unix(0, n.recheck.Load()))/time.Second))
			}
			nodes = append(nodes, rpc.Object{
				{Name: "url", Value: n.URL}, {Name: "index", Value: i}, {Name: "disabled", Value: off},
				{Name: "weight", Value: n.Weight}, {Name: "recheck_ticks", Value: ticks},
			})
		}
		sets = append(sets, rpc.Object{{Name: "Set", Value: number}, {Name: "Nodes", Value: nodes}})
	}
	return sets, nil
}
