package loadbalancer

import (
	"math"
	"net/netip"
	"strconv"
	"strings"

	"sipreactor/reactor/modules/internal/destination"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
)

// functions declares the module's functions.
func (m *module) functions() []script.Function {
	text, number, set := script.TextArg, script.IntArg, script.SetArg
	start := func(name, help string, next bool) script.Function {
		return script.Function{Name: name, Usage: name + `(group, "resources"[, "flags"][, $var(attributes)])`, Help: help,
			Args: []script.ArgKind{number, text, text, set}, Min: 2, Routes: script.Requests, Build: m.buildStart(next)}
	}
	alias := start("lb_start_or_next", "lb_next() where a session has begun, else lb_start().", true)
	alias.Aliases = []string{"load_balance"}
	return []script.Function{
		start("lb_start", "Sends the call to the destination of the group that has most room in the resources, by the destination URI. -2: none has room, -3: none is there, -4: there is no such resource.", false),
		alias,
		{
			Name: "lb_next", Usage: "lb_next([$var(attributes)])", Help: "Sends the call to the next destination of the session that lb_start() has begun; codes as there.",
			Args: []script.ArgKind{set}, Routes: script.Requests, Build: m.buildNext,
		},
		{Name: "lb_reset", Usage: "lb_reset()", Help: "Ends the session: lb_start() begins with all destinations again.", Routes: script.Requests, Build: m.buildReset},
		{Name: "lb_is_started", Usage: "lb_is_started()", Help: "Reports whether a session has begun.", Routes: script.Messages, Build: m.buildStarted},
		{
			Name: "lb_disable_dst", Aliases: []string{"lb_disable"}, Usage: "lb_disable_dst()",
			Help: "Disables the destination that was used last; with a probe mode it is pinged until it answers.", Routes: script.Requests, Build: m.buildDisable,
		},
		{
			Name: "lb_is_destination", Usage: `lb_is_destination("ip", port[, group][, active][, $var(attributes)])`,
			Help: "Reports whether an address is that of a destination, with active 1 of one that is enabled. Port 0 is any.",
			Args: []script.ArgKind{text, number, number, number, set}, Min: 2, Routes: script.Messages, Build: m.buildIsDestination,
		},
		{
			Name: "lb_count_call", Usage: `lb_count_call("ip", port, group, "resources"[, undo])`,
			Help: "Counts the call for the destination at an address without sending it there; with undo 1 it takes that back. Group -1 is any.",
			Args: []script.ArgKind{text, number, number, text, number}, Min: 4, Routes: script.Requests, Build: m.buildCount,
		},
	}
}

// session is what of a request's load balancing has to be known for lb_next: it is
// written into an AVP, since it belongs to the transaction.
type session struct {
	request
	tried []int // ids; the last is the current one
}

func (s *session) String() string {
	var b strings.Builder
	b.WriteString(strconv.Itoa(s.group))
	b.WriteByte('|')
	for _, f := range [...]struct {
		on     bool
		letter byte
	}{{s.negative, 'n'}, {s.relative, 'r'}, {s.spread, 's'}} {
		if f.on {
			b.WriteByte(f.letter)
		}
	}
	b.WriteByte('|')
	for i, id := range s.tried {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(id))
	}
	b.WriteByte('|')
	b.WriteString(strings.Join(s.resources, ";"))
	return b.String()
}

// sessionOf reads the session of a request.
func (m *module) sessionOf(x *script.Machine) (s session, ok bool) {
	if m.session.Len(x) == 0 {
		return s, false
	}
	part := strings.SplitN(string(x.Text(m.session.Get(x, 0))), "|", 4)
	if len(part) != 4 {
		return s, false
	}
	var err error
	if s.group, err = strconv.Atoi(part[0]); err != nil {
		return s, false
	}
	s.parseFlags(part[1])
	for id := range strings.SplitSeq(part[2], ",") {
		if n, err := strconv.Atoi(id); err == nil {
			s.tried = append(s.tried, n)
		}
	}
	s.resources = parseNeeds(part[3])
	return s, true
}

// selected is the key of the call's hold of the destination that it was sent to.
type selected struct{}

// advance sends the call to the best destination that its session has not tried.
func (m *module) advance(x *script.Machine, s *session, out script.Setter) int {
	c := x.Context()
	m.drop(c)
	d, code := m.rows.Get().pick(&s.request, s.tried, x.Now(), &m.policy)
	if d == nil {
		m.refused.Add(1)
		return code
	}
	resources := s.resources
	if m.listen() {
		m.calls.Hold(c, selected{}, func() { d.release(resources) })
		m.keep(c, &taken{Destination: d.Row.ID, Resources: resources}, false)
	} else {
		d.release(resources)
	}
	if err := c.SetDestURI(d.uri); err != nil {
		return failed
	}
	m.started.Add(1)
	s.tried = append(s.tried, d.Row.ID)
	m.session.Set(x, script.Text(x.KeepString(s.String())))
	put(x, out, d.Row.Attrs)
	return 1
}

// drop lets go of the destination that the call was sent to.
func (m *module) drop(c *proxy.Context) {
	if m.calls.Drop(c, selected{}) {
		m.keep(c, new(taken), true)
	}
}

func put(x *script.Machine, out script.Setter, s *string) {
	switch {
	case out == nil:
	case s == nil:
		out(x, script.Value{})
	default:
		out(x, script.Text(x.KeepString(*s)))
	}
}

func (m *module) buildStart(next bool) func(a *script.Args) script.Action {
	return func(a *script.Args) script.Action {
		group, needs, flags, out, at := a.Int(0), a.Text(1), a.Text(2), a.Setter(3), a.Site()
		if text, ok := a.Fixed(2); ok {
			if bad, ok := new(request).parseFlags(text); !ok {
				a.Errorf(2, "there is no flag %q: n, r, s", bad)
				return nil
			}
		}
		return func(x *script.Machine) int {
			if next {
				if s, ok := m.sessionOf(x); ok {
					return m.advance(x, &s, out)
				}
			}
			n, ok := group(x)
			b, has := needs(x)
			if !ok || !has || n < 0 || n > math.MaxInt32 {
				return x.Fail(at, "group and resources must be a number and a text")
			}
			s := session{request: request{group: int(n), resources: parseNeeds(string(b))}}
			letters, _ := flags(x)
			if bad, ok := s.parseFlags(string(letters)); !ok {
				return x.Fail(at, "there is no flag "+string(bad))
			}
			m.session.Clear(x)
			return m.advance(x, &s, out)
		}
	}
}

func (m *module) buildNext(a *script.Args) script.Action {
	out := a.Setter(0)
	return func(x *script.Machine) int {
		s, ok := m.sessionOf(x)
		if !ok {
			return failed
		}
		return m.advance(x, &s, out)
	}
}

func (m *module) buildReset(*script.Args) script.Action {
	return func(x *script.Machine) int {
		m.drop(x.Context())
		m.session.Clear(x)
		return 1
	}
}

func (m *module) buildStarted(*script.Args) script.Action {
	return func(x *script.Machine) int { return script.Yes(m.session.Len(x) > 0) }
}

func (m *module) buildDisable(*script.Args) script.Action {
	return func(x *script.Machine) int {
		s, ok := m.sessionOf(x)
		if !ok || len(s.tried) == 0 {
			return -1
		}
		d := m.rows.Get().Destination(s.tried[len(s.tried)-1])
		if d == nil {
			return -1
		}
		m.disable(d)
		return 1
	}
}

// address reads an address and a port; ok is false where they are none.
func address(ip []byte, port int64) (netip.Addr, uint16, bool) {
	a, ok := destination.ParseIP(ip)
	return a, uint16(port), ok && port >= 0 && port <= 65535
}

func (m *module) buildIsDestination(a *script.Args) script.Action {
	ip, port, group, active, out := a.Text(0), a.Int(1), a.Int(2), a.Int(3), a.Setter(4)
	return func(x *script.Machine) int {
		b, _ := ip(x)
		n, _ := port(x)
		addr, p, ok := address(b, n)
		if !ok {
			return -1
		}
		g, given := group(x)
		if !given {
			g = anyGroup
		}
		only, _ := active(x)
		d := m.rows.Get().At(addr, p, int(g), only != 0)
		if d == nil {
			return -1
		}
		put(x, out, d.Row.Attrs)
		return 1
	}
}

// counted is the key of a hold by lb_count_call.
type counted struct {
	id        int
	resources string
}

func countedKey(id int, resources []string) any { return counted{id, strings.Join(resources, ";")} }

func (m *module) buildCount(a *script.Args) script.Action {
	ip, port, group, needs, undo, at := a.Text(0), a.Int(1), a.Int(2), a.Text(3), a.Int(4), a.Site()
	return func(x *script.Machine) int {
		b, _ := ip(x)
		n, _ := port(x)
		addr, p, ok := address(b, n)
		g, has := group(x)
		if !ok || !has {
			return x.Fail(at, "address, port and group must be such")
		}
		text, _ := needs(x)
		r := request{group: int(g), resources: parseNeeds(string(text)), negative: true}
		d := m.rows.Get().At(addr, p, int(g), false)
		if d == nil || len(r.resources) == 0 {
			return -1
		}
		for _, name := range r.resources {
			if d.resource(name) == nil {
				return -1
			}
		}
		t := &taken{Destination: d.Row.ID, Resources: r.resources, Counted: true}
		if back, _ := undo(x); back != 0 {
			if !m.calls.Drop(x.Context(), t.key()) {
				return -1
			}
			m.keep(x.Context(), t, true)
			return 1
		}
		if !m.listen() {
			return -1
		}
		d.take(&r)
		m.calls.Hold(x.Context(), t.key(), func() { d.release(r.resources) })
		m.keep(x.Context(), t, false)
		return 1
	}
}
