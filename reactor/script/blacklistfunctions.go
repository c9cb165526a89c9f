package script

import (
	"log/slog"
	"net/netip"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/blacklist"
	"sipreactor/reactor/proxy"
)

// blacklistFunctions are those of dst_blacklist.
func blacklistFunctions() map[string]*Function {
	use := func(name string, do func(c *proxy.Context, list []byte) bool) *Function {
		return &Function{Usage: name + `("blacklist")`, Args: []ArgKind{TextArg}, Min: 1, Routes: Requests, Build: func(a *Args) Action {
			if !a.k.knowsBlacklist(a.list[0]) {
				return nil
			}
			list := a.list[0].text
			return func(m *Machine) int {
				b, ok := list(m)
				if !ok || !do(m.c, b) {
					a.at.say(m, LevelWarn, "script: "+a.at.what+": there is no such blacklist", slog.String("name", string(b)))
					return -1
				}
				return 1
			}
		}}
	}
	const rule = `"ip"[, port[, "proto"[, "pattern"`
	return map[string]*Function{
		"use_blacklist":   use("use_blacklist", (*proxy.Context).UseBlacklist),
		"unuse_blacklist": use("unuse_blacklist", (*proxy.Context).UnuseBlacklist),
		"add_blacklist_rule": {Usage: `add_blacklist_rule("blacklist", ` + rule + `[, expire]]]])`, Min: 2, Routes: Anywhere,
			Args: []ArgKind{TextArg, TextArg, IntArg, TextArg, TextArg, IntArg}, Build: func(a *Args) Action {
				lifetime := a.list[5]
				return changeBlacklist(a, func(m *Machine, l *blacklist.List, r blacklist.Rule) error {
					n := int64(0)
					if lifetime.given {
						n, _ = lifetime.num(m)
					}
					return l.Add(r, time.Duration(max(n, 0))*time.Second, time.Now())
				})
			}},
		"del_blacklist_rule": {Usage: `del_blacklist_rule("blacklist", ` + rule + `]]])`, Min: 2, Routes: Anywhere,
			Args: []ArgKind{TextArg, TextArg, IntArg, TextArg, TextArg}, Build: func(a *Args) Action {
				return changeBlacklist(a, func(_ *Machine, l *blacklist.List, r blacklist.Rule) error { return l.Remove(r, time.Now()) })
			}},
		"check_blacklist_rule": {Usage: `check_blacklist_rule(["blacklist"], ` + rule + `]]])`, Routes: Messages,
			Args: []ArgKind{TextArg, TextArg, IntArg, TextArg, TextArg}, Build: buildCheckBlacklist},
	}
}

// knowsBlacklist reports a constant name of a list that there is not.
func (k *compiler) knowsBlacklist(a argument) bool {
	if !a.given || !a.fixed || k.Proxy.Blacklists.Find(a.str) != nil {
		return true
	}
	names := []string{}
	for _, l := range k.Proxy.Blacklists.Lists() {
		names = append(names, l.Name())
	}
	k.rep.errorf(a.expr.Pos(), "there is no blacklist %s%s", clip(a.str), choices(a.str, names))
	return false
}

// ruleOf reads the arguments from the second on: ip, port, proto and pattern. An ip
// that begins with ! turns the rule around.
func ruleOf(m *Machine, a *Args) (r blacklist.Rule, ok bool) {
	var parts [3]string
	for i, at := range []int{1, 3, 4} {
		if at < len(a.list) && a.list[at].given {
			b, ok := a.list[at].text(m)
			if !ok {
				return r, false
			}
			parts[i] = string(b)
		}
	}
	port := int64(0)
	if len(a.list) > 2 && a.list[2].given {
		if port, ok = a.list[2].num(m); !ok || port < 0 || port > 65535 {
			return r, false
		}
	}
	r, err := blacklist.ParseRule(parts[0])
	if err != nil {
		return r, false
	}
	if parts[1] != "" {
		if r.Proto, ok = blacklist.ParseProto(parts[1]); !ok {
			return r, false
		}
	}
	r.Port, r.Pattern = uint16(port), parts[2]
	return r, true
}

func changeBlacklist(a *Args, do func(*Machine, *blacklist.List, blacklist.Rule) error) Action {
	if !a.k.knowsBlacklist(a.list[0]) {
		return nil
	}
	lists := a.k.Proxy.Blacklists
	return func(m *Machine) int {
		name, ok := a.list[0].text(m)
		list := lists.Find(string(name))
		r, fine := ruleOf(m, a)
		switch {
		case !ok || list == nil:
			a.at.say(m, LevelWarn, "script: "+a.at.what+": there is no such blacklist", slog.String("name", string(name)))
			return -1
		case !fine:
			a.at.say(m, LevelWarn, "script: "+a.at.what+": the arguments are no rule")
			return -1
		}
		if err := do(m, list, r); err != nil {
			a.at.say(m, LevelWarn, "script: "+a.at.what, slog.Any("error", err))
			return -1
		}
		return 1
	}
}

// buildCheckBlacklist asks one list, or those that the message uses.
func buildCheckBlacklist(a *Args) Action {
	if len(a.list) < 2 || !a.list[1].given {
		a.k.rep.errorf(a.call.At, "check_blacklist_rule() takes an ip as its second argument")
		return nil
	}
	if !a.k.knowsBlacklist(a.list[0]) {
		return nil
	}
	lists := a.k.Proxy.Blacklists
	return func(m *Machine) int {
		used := m.c.UsedBlacklists()
		if a.list[0].given {
			name, ok := a.list[0].text(m)
			if used = lists.Mask(name); !ok || used == 0 {
				a.at.say(m, LevelWarn, "script: "+a.at.what+": there is no such blacklist", slog.String("name", string(name)))
				return -1
			}
		}
		r, ok := ruleOf(m, a)
		if !ok || r.Not || !r.Net.IsSingleIP() {
			return -1
		}
		to := reactor.EndPoint{Proto: r.Proto, Addr: netip.AddrPortFrom(r.Net.Addr(), r.Port)}
		return Yes(lists.Match(used, to, func() []byte { return []byte(r.Pattern) }, time.Now()) != nil)
	}
}
