package mi

import (
	"context"
	"errors"
	"net/netip"
	"strconv"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/blacklist"
	"sipreactor/reactor/rpc"
)

// blacklists are the commands of dst_blacklist.
func (n *Node) blacklists() []rpc.Command {
	set := n.Blacklists
	if set == nil {
		return nil
	}
	// Positional parameters may begin with the transport: destination looks.
	where := []rpc.Param{{Name: "ip"}, {Name: "port", Optional: true}, {Name: "pattern", Optional: true}, {Name: "proto", Optional: true}}
	name := rpc.Param{Name: "name"}
	return []rpc.Command{
		{
			Name: "list_blacklists", Aliases: []string{"blacklists:list"}, Module: "core",
			Help:   "Lists the blacklists and their rules, or those of one.",
			Params: []rpc.Param{{Name: "name", Optional: true}},
			Func: func(_ context.Context, a *rpc.Args) (any, error) {
				all := []rpc.Object{}
				for _, l := range set().Lists() {
					if !a.Has("name") || l.Name() == a.Text("name") {
						all = append(all, describeBlacklist(l, time.Now()))
					}
				}
				if a.Has("name") && len(all) == 0 {
					return nil, errNoBlacklist
				}
				return rpc.Object{{Name: "Blacklists", Value: all}}, nil
			},
		},
		{
			Name: "check_blacklists", Aliases: []string{"blacklists:check_all"}, Module: "core",
			Help:   "Names the blacklists that keep requests from a destination.",
			Params: where,
			Func: func(_ context.Context, a *rpc.Args) (any, error) {
				to, text, err := destination(a)
				if err != nil {
					return nil, err
				}
				names := []string{}
				for _, l := range set().Lists() {
					if _, found := l.Match(to, text, time.Now()); found {
						names = append(names, l.Name())
					}
				}
				return names, nil
			},
		},
		{
			Name: "check_blacklist", Aliases: []string{"blacklists:check"}, Module: "core",
			Help:   "Tells which rule of a blacklist keeps requests from a destination.",
			Params: append([]rpc.Param{name}, where...),
			Func: func(_ context.Context, a *rpc.Args) (any, error) {
				l := set().Find(a.Text("name"))
				if l == nil {
					return nil, errNoBlacklist
				}
				to, text, err := destination(a)
				if err != nil {
					return nil, err
				}
				e, found := l.Match(to, text, time.Now())
				if !found {
					return nil, errors.New("no rule matches")
				}
				return describeRule(&e, time.Now()), nil
			},
		},
		{
			Name: "add_blacklist_rule", Aliases: []string{"blacklists:add_rule"}, Module: "core",
			Help:   "Adds a rule to a blacklist, for a number of seconds or for good.",
			Params: []rpc.Param{name, {Name: "rule"}, {Name: "expire", Kind: rpc.Integer, Optional: true}},
			Func: func(_ context.Context, a *rpc.Args) (any, error) {
				return changeBlacklist(set(), a, func(l *blacklist.List, r blacklist.Rule) error {
					return l.Add(r, time.Duration(max(a.Int("expire"), 0))*time.Second, time.Now())
				})
			},
		},
		{
			Name: "del_blacklist_rule", Aliases: []string{"blacklists:del_rule"}, Module: "core",
			Help:   "Takes a rule out of a blacklist.",
			Params: []rpc.Param{name, {Name: "rule"}},
			Func: func(_ context.Context, a *rpc.Args) (any, error) {
				return changeBlacklist(set(), a, func(l *blacklist.List, r blacklist.Rule) error { return l.Remove(r, time.Now()) })
			},
		},
	}
}

var errNoBlacklist = errors.New("there is no such blacklist")

func describeBlacklist(l *blacklist.List, now time.Time) rpc.Object {
	rules := []rpc.Object{}
	for _, e := range l.Entries(now) {
		rules = append(rules, describeRule(&e, now))
	}
	return rpc.Object{{Name: "name", Value: l.Name()}, {Name: "owner", Value: l.Owner()}, {Name: "flags", Value: l.Flags().String()}, {Name: "Rules", Value: rules}}
}

func describeRule(e *blacklist.Entry, now time.Time) rpc.Object {
	proto := "any"
	if e.Proto != 0 {
		proto = e.Proto.String()
	}
	o := rpc.Object{{Name: "IP", Value: e.Net.String()}, {Name: "Proto", Value: proto}, {Name: "Port", Value: e.Port}, {Name: "Match", Value: e.Pattern}, {Name: "Negated", Value: e.Not}}
	if !e.Until.IsZero() {
		o = append(o, rpc.Field{Name: "Expires in", Value: int(e.Until.Sub(now).Round(time.Second).Seconds())})
	}
	return o
}

// destination reads [proto] ip [port] [pattern]. No transport and no port match only
// rules for any.
func destination(a *rpc.Args) (to reactor.EndPoint, text func() []byte, err error) {
	proto, ip, port, pattern := a.Text("proto"), a.Text("ip"), a.Text("port"), a.Text("pattern")
	if _, first := blacklist.ParseProto(ip); first {
		proto, ip, port, pattern = ip, port, pattern, proto
	}
	if proto != "" {
		var known bool
		if to.Proto, known = blacklist.ParseProto(proto); !known {
			return to, nil, rpc.BadParams("proto %s is not udp, tcp, tls or any", proto)
		}
	}
	if port == "" {
		port = "0"
	}
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return to, nil, rpc.BadParams("ip %q is no IP address", ip)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return to, nil, rpc.BadParams("port %q is not 0 to 65535", port)
	}
	to.Addr = netip.AddrPortFrom(addr, uint16(n))
	return to, func() []byte { return []byte(pattern) }, nil
}

func changeBlacklist(set *blacklist.Set, a *rpc.Args, do func(*blacklist.List, blacklist.Rule) error) (any, error) {
	l := set.Find(a.Text("name"))
	if l == nil {
		return nil, errNoBlacklist
	}
	r, err := blacklist.ParseRule(a.Text("rule"))
	if err != nil {
		return nil, rpc.BadParams("%v", err)
	}
	if err := do(l, r); err != nil {
		return nil, err
	}
	return "OK", nil
}
