package drouting

import (
	"math/rand/v2"
	"strings"

	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// functions declares the module's functions.
func (m *module) functions() []script.Function {
	text, number, set := script.TextArg, script.IntArg, script.SetArg
	return []script.Function{
		{
			Name:  "do_routing",
			Usage: `do_routing([group][, "flags"][, "gateways"][, $var(rule attributes)][, $var(gateway attributes)][, $var(carrier attributes)][, "partition"])`,
			Help:  "Sends the request to the first gateway of the rule that its number matches, by the Request-URI; the others are left for use_next_gw(). -1: there is none.",
			Args:  []script.ArgKind{number, text, text, set, set, set, text}, Routes: script.Requests, Build: m.buildRouting,
		},
		{
			Name: "route_to_carrier", Usage: `route_to_carrier("carriers"[, $var(gateway attributes)][, $var(carrier attributes)][, "partition"])`,
			Help: "Sends the request to the first gateway of carriers, without a rule.",
			Args: []script.ArgKind{text, set, set, text}, Min: 1, Routes: script.Requests, Build: m.buildDirect(true),
		},
		{
			Name: "route_to_gw", Usage: `route_to_gw("gateways"[, $var(gateway attributes)][, $var(carrier attributes)][, "partition"])`,
			Help: "Sends the request to the first of the gateways, without a rule.",
			Args: []script.ArgKind{text, set, set, text}, Min: 1, Routes: script.Requests, Build: m.buildDirect(false),
		},
		{
			Name: "use_next_gw", Aliases: []string{"next_routing"},
			Usage: `use_next_gw([$var(rule attributes)][, $var(gateway attributes)][, $var(carrier attributes)][, "partition"])`,
			Help:  "Sends the request to the next of the gateways that are left. -1: there is none.",
			Args:  []script.ArgKind{set, set, set, text}, Routes: script.Requests, Build: m.buildNext,
		},
		{
			Name: "goes_to_gw", Usage: `goes_to_gw([type][, "flags"][, $var(gateway attributes)][, $var(carrier attributes)][, "partition"])`,
			Help: "Reports whether the request goes to the address of a gateway.",
			Args: []script.ArgKind{number, text, set, set, text}, Routes: script.Messages, Build: m.buildIsGateway(goesTo),
		},
		{
			Name: "is_from_gw", Usage: `is_from_gw([type][, "flags"][, $var(gateway attributes)][, $var(carrier attributes)][, "partition"])`,
			Help: "Reports whether the message came from the address of a gateway.",
			Args: []script.ArgKind{number, text, set, set, text}, Routes: script.Messages, Build: m.buildIsGateway(isFrom),
		},
		{
			Name: "dr_is_gw", Usage: `dr_is_gw("uri"[, type][, "flags"][, $var(gateway attributes)][, $var(carrier attributes)][, "partition"])`,
			Help: "Reports whether a URI is at the address of a gateway; a host name is looked up.",
			Args: []script.ArgKind{text, number, text, set, set, text}, Min: 1, Routes: script.Anywhere, Build: m.buildIsGateway(isAt),
		},
		{
			Name: "dr_disable", Usage: `dr_disable(["partition"])`,
			Help: "Disables the gateway that was used last; with a probe mode it is pinged until it answers.",
			Args: []script.ArgKind{text}, Routes: script.Messages, Build: m.buildDisable,
		},
		{
			Name: "dr_match", Usage: `dr_match(group[, "flags"], "number"[, $var(rule attributes)][, "partition"])`,
			Help: "Reports whether a number matches a rule of a group.",
			Args: []script.ArgKind{number, text, text, set, text}, Min: 1, Routes: script.Anywhere, Build: m.buildMatch,
		},
	}
}

// partitionArg gives what finds the partitions that argument i names, which are
// several for *; nil after an error at load.
func (m *module) partitionArg(a *script.Args, i int, wild bool) func(x *script.Machine) []*partition {
	at := a.Site()
	if !m.several {
		if a.Given(i) {
			a.Errorf(i, "there are no partitions: use_partitions is not set")
			return nil
		}
		return func(*script.Machine) []*partition { return m.parts }
	}
	if !a.Given(i) {
		a.Errorf(-1, "with use_partitions a partition must be named")
		return nil
	}
	if text, ok := a.Fixed(i); ok && text == "*" && !wild {
		a.Errorf(i, "%s() takes one partition, not *", a.Name())
		return nil
	}
	name := a.Text(i)
	return func(x *script.Machine) []*partition {
		b, _ := name(x)
		if wild && string(b) == "*" {
			return m.parts
		}
		p := m.find(b)
		if p == nil {
			x.Fail(at, "there is no partition "+string(b))
			return nil
		}
		return []*partition{p}
	}
}

// hasRoute tells whether the script has a route that rules may name.
func (m *module) hasRoute(name string) bool {
	return m.env != nil && m.env.Program.Route(script.RequestRoute, name) != nil
}

// tell tells the script which of several partitions was found.
func (m *module) tell(x *script.Machine, p *partition) {
	if m.matched != nil {
		m.matched(x, script.Text(x.KeepString(p.name)))
	}
}

// userOf gives the user of the Request-URI.
func userOf(x *script.Machine) []byte {
	b := x.Context().RequestURI()
	var u sipframe.URI
	if sipframe.ParseURI(b, &u) != nil {
		return nil
	}
	user := u.User.In(b)
	for i, c := range user {
		if c == ';' { // parameters of the number
			return user[:i]
		}
	}
	return user
}

// callerGroup gives the group of the caller, by the groups of a table.
func (m *module) callerGroup(x *script.Machine, t *Table) (int, bool) {
	from, err := x.Message().From()
	if err == nil {
		b := from.URI.In(x.Message().Raw())
		var u sipframe.URI
		if sipframe.ParseURI(b, &u) == nil {
			key := user{name: string(u.User.In(b))}
			if !m.noDomain {
				key.domain = strings.ToLower(string(u.Host.In(b)))
			}
			if g, ok := t.groups[key]; ok {
				return g, true
			}
		}
	}
	return m.defaultGroup, m.defaultGroup >= 0
}

// routingFlags are those of do_routing and dr_match.
type routingFlags struct {
	fallback, strict, check bool
	weights                 bool // of older versions: now each rule and carrier says how it is sorted
}

// parseRoutingFlags reads flags; bad is the first letter that is none.
func parseRoutingFlags(s []byte, allowed string) (f routingFlags, bad byte) {
	for _, c := range s {
		switch {
		case c == ' ':
		case strings.IndexByte(allowed, c) < 0:
			return f, c
		case c == 'F':
			f.fallback = true
		case c == 'L':
			f.strict = true
		case c == 'C':
			f.check = true
		case c == 'W':
			f.weights = true
		}
	}
	return f, 0
}

// flagsArg gives what reads the flags of argument i; nil after an error at load.
func flagsArg(a *script.Args, i int, allowed string) func(x *script.Machine) (routingFlags, bool) {
	at := a.Site()
	if text, ok := a.Fixed(i); ok {
		f, bad := parseRoutingFlags([]byte(text), allowed)
		if bad != 0 {
			a.Errorf(i, "there is no flag %q: %s", bad, strings.Join(strings.Split(allowed, ""), ", "))
			return nil
		}
		if f.weights {
			a.Notef(i, "the flag W does nothing: sort_alg of the rule and the carrier says how gateways are sorted")
		}
		return func(*script.Machine) (routingFlags, bool) { return f, true }
	}
	text := a.Text(i)
	return func(x *script.Machine) (routingFlags, bool) {
		b, _ := text(x)
		f, bad := parseRoutingFlags(b, allowed)
		if bad != 0 {
			x.Fail(at, "there is no flag "+string(bad))
		}
		return f, bad == 0
	}
}

func (m *module) buildRouting(a *script.Args) script.Action {
	group, flags, list, part, at := a.Int(0), flagsArg(a, 1, "FLCW"), a.Text(2), m.partitionArg(a, 6, true), a.Site()
	out := outputs{a.Setter(3), a.Setter(4), a.Setter(5)}
	if flags == nil || part == nil {
		return nil
	}
	return func(x *script.Machine) int {
		f, ok := flags(x)
		if !ok {
			return -1
		}
		allowed, some := list(x)
		for _, p := range part(x) {
			t := p.get()
			q := query{number: userOf(x), strict: f.strict, fallback: f.fallback, die: rand.Uint64(), now: x.Now(), policy: &m.policy}
			if some {
				q.allowed = whiteList(string(allowed))
			}
			n, given := group(x)
			if q.group = int(n); !given {
				if q.group, given = m.callerGroup(x, t); !given {
					continue
				}
			}
			if f.check {
				if r, _ := t.find(&q); r != nil {
					put(x, out.rule, t.attrs[r.attrs])
					m.tell(x, p)
					return 1
				}
				continue
			}
			if m.route(x, p, t, &q, out, at) > 0 {
				m.tell(x, p)
				m.routed.Add(1)
				return 1
			}
		}
		if !f.check {
			m.unrouted.Add(1)
		}
		return -1
	}
}

// whiteList splits the gateways and carriers that a call may use.
func whiteList(s string) (list []string) {
	list = []string{}
	for id := range strings.SplitSeq(s, ",") {
		if id = strings.TrimSpace(id); id != "" {
			list = append(list, id)
		}
	}
	return list
}

// route routes a request in a partition.
func (m *module) route(x *script.Machine, p *partition, t *Table, q *query, out outputs, at *script.Site) int {
	var few [16]hop
	hops, first := t.route(few[:0], q)
	if first == nil {
		return -1
	}
	if name := t.routes[first.route]; name != "" {
		if r := x.Program().Route(script.RequestRoute, name); r != nil {
			x.Call(r)
		}
	}
	return m.begin(x, p, t, hops, q.number, out, at)
}

// begin takes the first of hops and leaves the others.
func (m *module) begin(x *script.Machine, p *partition, t *Table, hops []hop, number []byte, out outputs, at *script.Site) int {
	ways := make([]way, 0, len(hops))
	for i := range hops {
		if w, ok := p.wayOf(t, &hops[i], number); ok {
			ways = append(ways, w)
		}
	}
	if len(ways) == 0 {
		return -1
	}
	m.leave(x, ways[1:])
	return m.take(x, &ways[0], out, at)
}
