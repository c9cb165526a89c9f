package drouting

import (
	"math/rand/v2"
	"strings"

	"sipreactor/reactor/script"
)

func (m *module) buildDirect(carriers bool) func(a *script.Args) script.Action {
	return func(a *script.Args) script.Action {
		ids, part, at := a.Text(0), m.partitionArg(a, 3, false), a.Site()
		out := outputs{nil, a.Setter(1), a.Setter(2)}
		if part == nil {
			return nil
		}
		return func(x *script.Machine) int {
			b, _ := ids(x)
			for _, p := range part(x) {
				t := p.get()
				q := query{die: rand.Uint64(), now: x.Now(), policy: &m.policy}
				if m.begin(x, p, t, t.direct(whiteList(string(b)), carriers, &q), userOf(x), out, at) > 0 {
					m.routed.Add(1)
					return 1
				}
			}
			m.unrouted.Add(1)
			return -1
		}
	}
}

// direct gives the ways through gateways, or carriers, of a list of ids.
func (t *Table) direct(ids []string, carriers bool, q *query) (list []hop) {
	var members []member
	for _, id := range ids {
		if carriers {
			if c := t.Carrier(strings.TrimPrefix(id, "#")); c != nil {
				members = append(members, member{carrier: c})
			}
		} else if g := t.Gateway(id); g != nil {
			members = append(members, member{gateway: g})
		}
	}
	list = t.ways(nil, members, asListed, q)
	for i := range list {
		if list[i].carrier == nil {
			list[i].carrier = list[i].gateway.carrier
		}
	}
	return list
}

func (m *module) buildNext(a *script.Args) script.Action {
	part, at := m.partitionArg(a, 3, false), a.Site()
	out := outputs{a.Setter(0), a.Setter(1), a.Setter(2)}
	if part == nil {
		return nil
	}
	return func(x *script.Machine) int {
		parts := part(x)
		w, ok := m.next(x)
		if !ok || len(parts) == 0 || parts[0].name != w.partition {
			return -1
		}
		m.failovers.Add(1)
		return m.take(x, &w, out, at)
	}
}

func (m *module) buildDisable(a *script.Args) script.Action {
	part := m.partitionArg(a, 0, true)
	if part == nil {
		return nil
	}
	return func(x *script.Machine) int {
		p, g := m.taken(x)
		if g == nil {
			return -1
		}
		for _, one := range part(x) {
			if one == p {
				m.disable(p, g)
				return 1
			}
		}
		return -1
	}
}

func (m *module) buildMatch(a *script.Args) script.Action {
	group, flags, number, out, part := a.Int(0), flagsArg(a, 1, "L"), a.Text(2), a.Setter(3), m.partitionArg(a, 4, false)
	if flags == nil || part == nil {
		return nil
	}
	if !a.Given(2) {
		a.Errorf(-1, "dr_match() needs a number")
		return nil
	}
	return func(x *script.Machine) int {
		f, ok := flags(x)
		n, has := group(x)
		b, some := number(x)
		if !ok || !has || !some {
			return -1
		}
		for _, p := range part(x) {
			t := p.get()
			if r, _ := t.find(&query{group: int(n), number: b, strict: f.strict, now: x.Now()}); r != nil {
				put(x, out, t.attrs[r.attrs])
				return 1
			}
		}
		return -1
	}
}
