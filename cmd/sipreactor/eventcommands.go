package main

import (
	"context"
	"strconv"
	"time"

	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
)

// defaultTTL is how long a subscription of the management interface lasts.
const defaultTTL = time.Hour

// eventCommands are the management commands for events.
func eventCommands(b *script.Background) []rpc.Command {
	return []rpc.Command{
		{Name: "event_subscribe", Aliases: []string{"evi:subscribe"}, Module: "core", Help: "Has a socket get an event; expire is in seconds, 0 ends it.",
			Params: []rpc.Param{{Name: "event"}, {Name: "socket"}, {Name: "expire", Optional: true}},
			Func:   func(_ context.Context, a *rpc.Args) (any, error) { return subscribeEvent(b, a) }},
		{Name: "events_list", Aliases: []string{"evi:list"}, Module: "core", Help: "Lists the events that there are.", Func: func(context.Context, *rpc.Args) (any, error) {
			list := []any{}
			for i, name := range b.EventNames() {
				list = append(list, map[string]any{"name": name, "id": i})
			}
			return map[string]any{"Events": list}, nil
		}},
		{Name: "subscribers_list", Aliases: []string{"evi:subscribers"}, Module: "core", Help: "Lists who gets events.",
			Params: []rpc.Param{{Name: "event", Optional: true}, {Name: "socket", Optional: true}},
			Func:   func(_ context.Context, a *rpc.Args) (any, error) { return eventSubscribers(b, a), nil }},
		{Name: "raise_event", Aliases: []string{"evi:raise"}, Module: "core", Help: "Raises an event; params is a list of values.",
			Params: []rpc.Param{{Name: "event"}, {Name: "params", Optional: true}}, Func: func(_ context.Context, a *rpc.Args) (any, error) {
				name := a.Text("event")
				if err := script.CheckEventName(name); err != nil {
					return nil, rpc.Failed(err.Error(), nil)
				}
				var params []script.Param
				if a.Has("params") {
					params = append(params, script.TextParam("", a.Text("params")))
				}
				b.Raise(name, params...)
				return "OK", nil
			}},
	}
}

func subscribeEvent(b *script.Background, a *rpc.Args) (any, error) {
	ttl := defaultTTL
	if a.Has("expire") {
		n, err := strconv.ParseUint(a.Text("expire"), 10, 31)
		if err != nil {
			return nil, rpc.Failed("expire is a number of seconds", nil)
		}
		if ttl = time.Duration(n) * time.Second; n == 0 {
			ttl = -1
		}
	}
	if err := b.Subscribe(a.Text("event"), a.Text("socket"), ttl); err != nil {
		return nil, rpc.Failed(err.Error(), nil)
	}
	return "OK", nil
}

func eventSubscribers(b *script.Background, a *rpc.Args) any {
	events := []any{}
	now := time.Now()
	for i, name := range b.EventNames() {
		if a.Has("event") && a.Text("event") != name {
			continue
		}
		list := []any{}
		for _, s := range b.Subscribers(name, now) {
			if a.Has("socket") && a.Text("socket") != s.Socket {
				continue
			}
			one := map[string]any{"socket": s.Socket, "expire": "never"}
			if s.Until != 0 {
				one["ttl"] = s.Until - now.Unix()
				delete(one, "expire")
			}
			list = append(list, one)
		}
		if len(list) > 0 {
			events = append(events, map[string]any{"name": name, "id": i, "Subscribers": list})
		}
	}
	return map[string]any{"Events": events}
}
