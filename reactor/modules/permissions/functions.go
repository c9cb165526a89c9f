package permissions

import (
	"fmt"
	"path/filepath"
	"sync/atomic"

	"sipreactor/reactor/modules/internal/destination"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// functions declares the module's functions.
func (m *module) functions() []script.Function {
	text, number, set := script.TextArg, script.IntArg, script.SetArg
	requests := script.Requests
	return []script.Function{
		{
			Name: "check_address", Usage: `check_address(group, "ip", port, "proto"[, $var(info)][, "pattern"][, "partition"])`,
			Help: "Reports whether an address is in a group of the address table, in any for group 0; the variable gets the row's context_info.",
			Args: []script.ArgKind{number, text, number, text, set, text, text}, Min: 4, Routes: script.Anywhere, Build: m.buildCheck,
		},
		{
			Name: "check_source_address", Usage: `check_source_address(group[, $var(info)][, "pattern"][, "partition"])`,
			Help: "check_address() with the address, port and transport that the message came from.",
			Args: []script.ArgKind{number, set, text, text}, Min: 1, Routes: script.Messages, Build: m.buildCheckSource,
		},
		{
			Name: "get_source_group", Usage: `get_source_group($var(group)[, "partition"])`,
			Help: "Finds the group that the address, port and transport are in that the message came from; -1: none.",
			Args: []script.ArgKind{set, text}, Min: 1, Routes: script.Messages, Build: m.buildGroup,
		},
		{
			Name: "allow_routing", Usage: `allow_routing(["basename"][, "deny file"])`,
			Help: "Reports whether the rules allow From to call the Request-URI, and those of all branches. With two names they are the files that allow and deny.",
			Args: []script.ArgKind{script.FixedArg, script.FixedArg}, Routes: requests, Build: m.buildRouting,
		},
		{
			Name: "allow_register", Usage: `allow_register("basename"[, "deny file"])`,
			Help: "Reports whether the rules allow To to register each of the Contacts.",
			Args: []script.ArgKind{script.FixedArg, script.FixedArg}, Min: 1, Routes: requests, Build: m.buildRegister,
		},
		{
			Name: "allow_uri", Usage: `allow_uri("basename", "uri")`,
			Help: "Reports whether the rules allow From to reach the URI.",
			Args: []script.ArgKind{script.FixedArg, text}, Min: 2, Routes: requests, Build: m.buildURI,
		},
	}
}

// partitionArg gives what finds the partition that argument i names; nil after an
// error at load.
func (m *module) partitionArg(a *script.Args, i int) func(x *script.Machine) *partition {
	at := a.Site()
	name, fixed := a.Fixed(i)
	if !a.Given(i) {
		name, fixed = defaultPartition, true
	}
	if fixed {
		p := m.byName[name]
		switch {
		case p == nil && name == defaultPartition:
			a.Errorf(-1, "there is no address table: db_url or address_file is not set")
			return nil
		case p == nil:
			a.Errorf(i, "there is no partition %s", name)
			return nil
		}
		return func(*script.Machine) *partition { return p }
	}
	get := a.Text(i)
	return func(x *script.Machine) *partition {
		b, ok := get(x)
		if !ok {
			return m.byName[defaultPartition]
		}
		p := m.byName[string(b)]
		if p == nil {
			x.Fail(at, "there is no partition "+string(b))
		}
		return p
	}
}

// ask looks up a question and tells the script of the row.
func (p *partition) ask(x *script.Machine, q *question, info script.Setter) int {
	a := p.get().find(q)
	if a == nil {
		return -1
	}
	if info != nil {
		if a.Info == nil {
			return info(x, script.Value{})
		}
		return info(x, script.Text(x.KeepString(*a.Info)))
	}
	return 1
}

// groupArg gives what reads argument i as a group; nil after an error at load.
func groupArg(a *script.Args, i int) func(x *script.Machine) (int, bool) {
	get := a.Int(i)
	return func(x *script.Machine) (int, bool) {
		n, ok := get(x)
		return int(n), ok && n >= 0
	}
}

// patternArg gives what reads argument i as the text that patterns are matched with.
func patternArg(a *script.Args, i int) func(x *script.Machine) []byte {
	get := a.Text(i)
	return func(x *script.Machine) []byte {
		if b, ok := get(x); ok && len(b) > 0 {
			return b
		}
		return nil
	}
}

func (m *module) buildCheck(a *script.Args) script.Action {
	group, ip, port, proto, info, pattern, part, at := groupArg(a, 0), a.Text(1), a.Int(2), a.Text(3), a.Setter(4), patternArg(a, 5), m.partitionArg(a, 6), a.Site()
	if part == nil {
		return nil
	}
	if text, ok := a.Fixed(3); ok {
		if _, known := parseAskedProto([]byte(text)); !known {
			a.Errorf(3, "%q is no transport: any, udp, tcp, tls, sctp", text)
			return nil
		}
	}
	return func(x *script.Machine) int {
		p := part(x)
		g, ok := group(x)
		if p == nil || !ok {
			return x.Fail(at, "the group is no number")
		}
		b, _ := ip(x)
		addr, ok := destination.ParseIP(b)
		if !ok {
			return x.Fail(at, fmt.Sprintf("%q is no IP address", b))
		}
		n, ok := port(x)
		if !ok || n < 0 || n > 65535 {
			return x.Fail(at, "the port is no number from 0 to 65535")
		}
		t, _ := proto(x)
		q := question{group: g, ip: addr, port: uint16(n), pattern: pattern(x)}
		if q.proto, ok = parseAskedProto(t); !ok {
			return x.Fail(at, fmt.Sprintf("%q is no transport", t))
		}
		return p.ask(x, &q, info)
	}
}

// source is the question of where a message came from.
func source(x *script.Machine) question {
	src := x.Context().Src
	return question{ip: src.Remote.Addr().Unmap(), port: src.Remote.Port(), proto: proto(src.Proto)}
}

func (m *module) buildCheckSource(a *script.Args) script.Action {
	group, info, pattern, part, at := groupArg(a, 0), a.Setter(1), patternArg(a, 2), m.partitionArg(a, 3), a.Site()
	if part == nil {
		return nil
	}
	return func(x *script.Machine) int {
		p := part(x)
		g, ok := group(x)
		if p == nil || !ok {
			return x.Fail(at, "the group is no number")
		}
		q := source(x)
		q.group, q.pattern = g, pattern(x)
		return p.ask(x, &q, info)
	}
}

func (m *module) buildGroup(a *script.Args) script.Action {
	out, part := a.Setter(0), m.partitionArg(a, 1)
	if part == nil {
		return nil
	}
	return func(x *script.Machine) int {
		p := part(x)
		if p == nil {
			return -1
		}
		q := source(x)
		row := p.get().find(&q)
		if row == nil {
			return -1
		}
		return out(x, script.Int(int64(row.Group)))
	}
}

// pair gives the rules of two files, which are read when the module starts.
func (m *module) pair(allow, deny string) *atomic.Pointer[Pair] {
	at := [2]string{m.path(allow), m.path(deny)}
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.pairs[at]
	if p == nil {
		p = new(atomic.Pointer[Pair])
		p.Store(&Pair{})
		m.pairs[at] = p
	}
	return p
}

func (m *module) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(m.dir, name)
}

// readRules reads all files of rules again: all or none of them.
func (m *module) readRules() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	fresh := map[[2]string]*Pair{}
	for at := range m.pairs {
		p, err := ReadPair(at[0], at[1])
		if err != nil {
			return err
		}
		fresh[at] = &p
	}
	for at, p := range fresh {
		m.pairs[at].Store(p)
	}
	return nil
}

// pairArg gives the rules that the first two arguments name.
func (m *module) pairArg(a *script.Args, two bool) *atomic.Pointer[Pair] {
	if !a.Given(0) {
		return m.pair(m.allowFile, m.denyFile)
	}
	name, _ := a.Fixed(0)
	if two && a.Given(1) {
		deny, _ := a.Fixed(1)
		return m.pair(name, deny)
	}
	return m.pair(name+m.allowSuffix, name+m.denySuffix)
}

func (m *module) buildRouting(a *script.Args) script.Action {
	rules := m.pairArg(a, true)
	return func(x *script.Machine) int {
		c := x.Context()
		var few [4][]byte
		uris := append(few[:0], c.BranchURI(0))
		for i := 1; !m.firstOnly && i < c.Branches(); i++ {
			uris = append(uris, c.BranchURI(i))
		}
		from, err := x.Message().From()
		if err != nil {
			return -1
		}
		return script.Yes(rules.Load().Allowed(from.URI.In(x.Message().Raw()), uris))
	}
}

func (m *module) buildRegister(a *script.Args) script.Action {
	rules := m.pairArg(a, true)
	return func(x *script.Machine) int {
		msg := x.Message()
		to, err := msg.To()
		if err != nil {
			return -1
		}
		uris := contacts(msg)
		if len(uris) == 0 { // none, or all of them removed
			return 1
		}
		return script.Yes(rules.Load().Allowed(to.URI.In(msg.Raw()), uris))
	}
}

// contacts lists the URIs of the Contacts of a message.
func contacts(msg *sipframe.Message) (uris [][]byte) {
	values := msg.Values(sipframe.HeaderContact)
	for v, ok := values.Next(); ok; v, ok = values.Next() {
		var one sipframe.NameAddr
		if msg.NameAddr(v, &one) == nil && !one.Star {
			uris = append(uris, one.URI.In(msg.Raw()))
		}
	}
	return uris
}

func (m *module) buildURI(a *script.Args) script.Action {
	rules, uri := m.pairArg(a, false), a.Text(1)
	return func(x *script.Machine) int {
		from, err := x.Message().From()
		to, ok := uri(x)
		if err != nil || !ok {
			return -1
		}
		return script.Yes(rules.Load().Allowed(from.URI.In(x.Message().Raw()), [][]byte{to}))
	}
}
