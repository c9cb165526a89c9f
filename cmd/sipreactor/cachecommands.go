package main

import (
	"context"
	"strconv"
	"time"

	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
)

// cache gives a cache of the configuration in use; nil if there is none of that id.
func (n *node) cache(id string) script.Cache { return n.cfg.Load().Cache(id) }

// cacheCommands are the management commands for caches, which are found by their ids.
func cacheCommands(find func(id string) script.Cache) []rpc.Command {
	system, attr := rpc.Param{Name: "system"}, rpc.Param{Name: "attr"}
	with := func(do func(c script.Cache, a *rpc.Args) (any, error)) func(context.Context, *rpc.Args) (any, error) {
		return func(_ context.Context, a *rpc.Args) (any, error) {
			c := find(a.Text("system"))
			if c == nil {
				return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "there is no such cache"}
			}
			return do(c, a)
		}
	}
	return []rpc.Command{
		{Name: "cache_store", Aliases: []string{"cache:store"}, Module: "core", Help: "Gives a key of a cache a value, for good or for expire seconds.",
			Params: []rpc.Param{system, attr, {Name: "value"}, {Name: "expire", Optional: true}}, Func: with(func(c script.Cache, a *rpc.Args) (any, error) {
				var ttl time.Duration
				if a.Has("expire") {
					seconds, err := strconv.ParseUint(a.Text("expire"), 10, 31)
					if err != nil {
						return nil, rpc.BadParams("expire is a number of seconds")
					}
					ttl = time.Duration(seconds) * time.Second
				}
				return "OK", c.Set(a.Text("attr"), a.Text("value"), ttl)
			})},
		{Name: "cache_fetch", Aliases: []string{"cache:fetch"}, Module: "core", Help: "Gives the value of a key of a cache.",
			Params: []rpc.Param{system, attr}, Func: with(func(c script.Cache, a *rpc.Args) (any, error) {
				value, ok, err := c.Get(a.Text("attr"))
				if err != nil || !ok {
					return "Value not found", err
				}
				return rpc.Object{{Name: "key", Value: a.Text("attr")}, {Name: "value", Value: value}}, nil
			})},
		{Name: "cache_remove", Aliases: []string{"cache:remove"}, Module: "core", Help: "Takes a key away from a cache.",
			Params: []rpc.Param{system, attr}, Func: with(func(c script.Cache, a *rpc.Args) (any, error) { return "OK", c.Remove(a.Text("attr")) })},
	}
}
