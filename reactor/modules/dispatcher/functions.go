package dispatcher

import (
	"net/netip"
	"path"
	"strings"

	"sipreactor/reactor/modules/internal/destination"
	"sipreactor/reactor/script"
)

// functions declares the module's functions.
func (m *module) functions() []script.Function {
	asked := script.Routes(script.RequestRoute, script.FailureRoute, script.BranchRoute, script.LocalRoute)
	text, number := script.TextArg, script.IntArg
	return []script.Function{
		{
			Name: "ds_select_dst", Usage: `ds_select_dst(set, algorithm[, "flags"][, "partition"][, max_results])`,
			Help: "Sends the request to a member of the set, by the destination URI. -1: there is none.",
			Args: []script.ArgKind{number, number, text, text, number}, Min: 2, Routes: asked, Build: m.buildSelect(toDestination),
		},
		{
			Name: "ds_select_domain", Usage: `ds_select_domain(set, algorithm[, "flags"][, "partition"][, max_results])`,
			Help: "As ds_select_dst(), by host and port of the Request-URI.",
			Args: []script.ArgKind{number, number, text, text, number}, Min: 2, Routes: asked, Build: m.buildSelect(toDomain),
		},
		{
			Name: "ds_next_dst", Usage: `ds_next_dst(["partition"])`, Help: "Sends the request to the next one of those that ds_select_dst() left with the flag f. -1: there is none.",
			Args: []script.ArgKind{text}, Routes: asked, Build: m.buildNext(toDestination),
		},
		{
			Name: "ds_next_domain", Usage: `ds_next_domain(["partition"])`, Help: "As ds_next_dst(), by host and port of the Request-URI.",
			Args: []script.ArgKind{text}, Routes: asked, Build: m.buildNext(toDomain),
		},
		{
			Name: "ds_mark_dst", Usage: `ds_mark_dst(["state"][, "partition"])`,
			Help: "Makes the destination that was chosen last inactive (i, without a state), active (a) or, when it was called as often as ds_probing_threshold says, probing (p).",
			Args: []script.ArgKind{text, text}, Routes: asked | script.Routes(script.OnReplyRoute), Build: m.buildMark,
		},
		{
			Name: "ds_count", Usage: `ds_count(set, "states", $var[, "partition"])`, Help: "Counts the members of a set that are in one of the states: a, i, p.",
			Args: []script.ArgKind{number, text, script.SetArg, text}, Min: 3, Routes: script.Anywhere, Build: m.buildCount,
		},
		{
			Name: "ds_is_in_list", Usage: `ds_is_in_list("ip", port[, set][, "partition"][, active_only][, "pattern"])`,
			Help: "Reports whether an address is that of a member of a set, of any without one or with -1. Port 0 is any.",
			Args: []script.ArgKind{text, number, number, text, number, text}, Min: 2, Routes: script.Messages, Build: m.buildIsInList,
		},
		{
			Name: "ds_push_script_attrs", Usage: `ds_push_script_attrs("attributes", "ip", port, set[, "partition"])`,
			Help: "Gives the members of a set at an address attributes of the script's.",
			Args: []script.ArgKind{text, text, number, number, text}, Min: 4, Routes: script.Anywhere, Build: m.buildPush,
		},
		{
			Name: "ds_get_script_attrs", Usage: `ds_get_script_attrs("uri", set[, "partition"], $var)`, Help: "Reads what ds_push_script_attrs() has given a destination.",
			Args: []script.ArgKind{text, number, text, script.SetArg}, Min: 2, Routes: script.Anywhere, Build: m.buildGet,
		},
	}
}

// partitionArg gives what finds the partition that argument i names; nil after an
// error at load. At run time a name that is none gives nil, which is logged.
func (m *module) partitionArg(a *script.Args, i int) func(x *script.Machine) *partition {
	at := a.Site()
	fixed, constant := a.Fixed(i)
	if !a.Given(i) {
		fixed, constant = "", true
	}
	if constant {
		p := m.find([]byte(fixed))
		if p == nil {
			if fixed == "" {
				a.Errorf(-1, "there is no default partition: a partition must be named")
			} else {
				a.Errorf(i, "there is no partition %s", fixed)
			}
			return nil
		}
		return func(*script.Machine) *partition { return p }
	}
	name := a.Text(i)
	return func(x *script.Machine) *partition {
		b, _ := name(x)
		p := m.find(b)
		if p == nil {
			x.Fail(at, "there is no partition "+string(b))
		}
		return p
	}
}

func (m *module) buildMark(a *script.Args) script.Action {
	state, part, at := a.Text(0), m.partitionArg(a, 1), a.Site()
	if part == nil {
		return nil
	}
	if text, ok := a.Fixed(0); ok && a.Given(0) {
		if _, ok := destination.ParseState(text); !ok {
			a.Errorf(0, "%q is no state: a, i or p", text)
			return nil
		}
	}
	return func(x *script.Machine) int {
		p := part(x)
		if p == nil {
			return -1
		}
		s := destination.Inactive
		if b, ok := state(x); ok && len(b) > 0 {
			if s, ok = destination.ParseState(string(b)); !ok {
				return x.Fail(at, string(b)+" is no state: a, i or p")
			}
		}
		d := p.chosen(x)
		if d == nil {
			return -1
		}
		if s != destination.Probing {
			m.set(p, d, s, "script")
		} else if d.Health.Miss(m.probing.threshold, "script", x.Now()) {
			m.changed(p, d, destination.Active, s, "script")
		}
		return 1
	}
}

func (m *module) buildCount(a *script.Args) script.Action {
	set, states, out, part, at := a.Int(0), a.Text(1), a.Setter(2), m.partitionArg(a, 3), a.Site()
	if part == nil {
		return nil
	}
	return func(x *script.Machine) int {
		p := part(x)
		id, ok := set(x)
		filter, _ := states(x)
		if p == nil || !ok {
			return -1
		}
		s := p.get().Set(int(id))
		if s == nil {
			return -1
		}
		var wanted [3]bool
		for _, c := range filter {
			state, ok := destination.ParseState(string(c))
			if !ok {
				return x.Fail(at, string(filter)+" are no states: a, i, p")
			}
			wanted[state] = true
		}
		n := int64(0)
		for _, d := range s.Members {
			if wanted[d.Health.State()] {
				n++
			}
		}
		return out(x, script.Int(n))
	}
}

func (m *module) buildIsInList(a *script.Args) script.Action {
	ip, port, set, part, only, pattern := a.Text(0), a.Int(1), a.Int(2), m.partitionArg(a, 3), a.Int(4), a.Text(5)
	if part == nil {
		return nil
	}
	if text, ok := a.Fixed(5); ok && a.Given(5) {
		if _, err := path.Match(text, ""); err != nil {
			a.Errorf(5, "%q is no pattern", text)
			return nil
		}
	}
	return func(x *script.Machine) int {
		p := part(x)
		b, ok := ip(x)
		if p == nil || !ok {
			return -1
		}
		addr, ok := destination.ParseIP(b)
		if !ok {
			return -1
		}
		n, _ := port(x)
		if n < 0 || n > 65535 {
			return -1
		}
		id, ok := set(x)
		if !ok {
			id = -1
		}
		active, _ := only(x)
		glob, globbed := pattern(x)
		found := -1
		p.get().At(addr, uint16(n), func(d *Destination) bool {
			switch {
			case id != -1 && int64(d.Row.Set) != id, active != 0 && d.Health.State() != destination.Active:
				return true
			case globbed && !matches(string(glob), d.Row.Attrs):
				return true
			}
			found = 1
			if m.setID != nil && id == -1 {
				m.setID(x, script.Int(int64(d.Row.Set)))
			}
			return false
		})
		return found
	}
}

// matches matches attributes with a pattern of the shell, to which a slash is
// nothing special.
func matches(pattern, text string) bool {
	ok, err := path.Match(strings.ReplaceAll(pattern, "/", "\x00"), strings.ReplaceAll(text, "/", "\x00"))
	return ok && err == nil
}

func (m *module) buildPush(a *script.Args) script.Action {
	attrs, ip, port, set, part := a.Text(0), a.Text(1), a.Int(2), a.Int(3), m.partitionArg(a, 4)
	if part == nil {
		return nil
	}
	return func(x *script.Machine) int {
		p := part(x)
		text, _ := attrs(x)
		b, _ := ip(x)
		n, ok := port(x)
		id, has := set(x)
		if p == nil || !ok || !has || !p.push(string(text), string(b), n, id) {
			return -1
		}
		return 1
	}
}

// push gives the destinations of a set at an address attributes; it reports
// whether there are any.
func (p *partition) push(attrs, ip string, port, set int64) (found bool) {
	addr, err := netip.ParseAddr(strings.Trim(ip, "[]"))
	if err != nil || port < 0 || port > 65535 {
		return false
	}
	p.get().At(addr, uint16(port), func(d *Destination) bool {
		if int64(d.Row.Set) == set {
			d.SetScriptAttrs(attrs)
			found = true
		}
		return true
	})
	return found
}

func (m *module) buildGet(a *script.Args) script.Action {
	uri, set, part, out := a.Text(0), a.Int(1), m.partitionArg(a, 2), a.Setter(3)
	if part == nil {
		return nil
	}
	if out == nil {
		a.Errorf(-1, "ds_get_script_attrs() needs a variable for the attributes")
		return nil
	}
	return func(x *script.Machine) int {
		p := part(x)
		b, _ := uri(x)
		id, ok := set(x)
		if p == nil || !ok {
			return -1
		}
		d := p.get().Find(int(id), string(b))
		if d == nil {
			return -1
		}
		return out(x, script.Text(x.KeepString(d.ScriptAttrs())))
	}
}
