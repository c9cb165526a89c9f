package registrar

import (
	"bytes"
	"cmp"
	"errors"
	"slices"

	"sipreactor/reactor"
	"sipreactor/reactor/location"
	"sipreactor/reactor/modules/usrloc"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
)

// What lookup() returns besides 1.
const (
	notFound     = -1
	noMethod     = -2
	lookupFailed = -3
)

// Whom is whom a Request-URI is for, where a module knows it: a contact by its ID, or an address of record. The zero value
// is who the URI says.
type Whom struct {
	ID  uint64
	AOR []byte
}

// lookup builds lookup().
func (m *Core) lookup(a *script.Args) script.Action {
	return m.Lookup(a, func([]byte) Whom { return Whom{} })
}

// Lookup builds lookup(); whom is asked about the URI first.
func (m *Core) Lookup(a *script.Args, whom func(uri []byte) Whom) script.Action {
	table := m.Table(a, 0)
	fixed, constant := a.Fixed(1)
	var flags lookupFlags
	var err error
	if constant || !a.Given(1) {
		if flags, err = parseLookupFlags(fixed); err != nil {
			a.Errorf(1, "%v", err)
			return nil
		}
		constant = true
	}
	if table == nil {
		return nil
	}
	text, at := a.Text(1), a.Site()
	target := uriArg(a, 2, func(x *script.Machine) []byte { return x.Context().RequestURI() })
	return func(x *script.Machine) int {
		f := &flags
		if !constant {
			b, _ := text(x)
			own, err := parseLookupFlags(string(b))
			if err != nil {
				return x.Fail(at, err.Error())
			}
			f = &own
		}
		s := search{m: m, x: x, table: table, flags: f, first: !f.branchesOnly}
		var room [256]byte
		uri := target(x)
		who := whom(uri)
		if who.ID != 0 {
			s.single = true
			visit := s.visit()
			table.Table().ByID(who.ID, x.Now().Unix(), func(b *location.Contact) { visit(b) })
			return s.result(at)
		}
		var only phone
		if only, s.single = m.gruu.read(uri); s.single {
			s.only = &only
		}
		user := only.aor
		if len(user) == 0 {
			user = who.AOR
		}
		if len(user) == 0 {
			var bad *Refusal
			if user, bad = m.aorOf(room[:0], uri); bad != nil {
				return notFound
			}
		}
		s.find(user)
		if f.expand && !s.single {
			s.expand()
		}
		return s.result(at)
	}
}

// search is a lookup() under way.
type search struct {
	m        *Core
	x        *script.Machine
	table    *usrloc.Place
	flags    *lookupFlags
	only     *phone // of a GRUU
	first    bool   // the next contact becomes the Request-URI
	found    int
	sleeping []location.Contact // that have to be woken first
	asked    int                // contacts that there were, whether they take the method or not
	err      error

	single bool // one contact is enough
}

// find takes the contacts of an address of record.
func (s *search) find(aor []byte) {
	if !s.table.Shared() {
		s.pick(aor)
		return
	}
	if err := s.table.Do(s.x, aor, false, func() { s.pick(aor) }); err != nil {
		s.err = err
	}
}

// pick takes those that are in memory. A contact is copied into the request under the table's lock: nothing here waits.
func (s *search) pick(aor []byte) {
	table, now := s.table.Table(), s.x.Now().Unix()
	if !s.flags.byLatency {
		table.Lookup(aor, now, s.visit())
		return
	}
	type pinged struct {
		id      uint64
		latency uint32
	}
	var list []pinged
	table.Lookup(aor, now, func(c *location.Contact) bool {
		list = append(list, pinged{c.ID, c.Latency - 1}) // who has not answered comes last
		return true
	})
	slices.SortStableFunc(list, func(a, b pinged) int { return cmp.Compare(a.latency, b.latency) })
	visit, more := s.visit(), true
	for i := 0; i < len(list) && more; i++ {
		table.Lookup(aor, now, func(c *location.Contact) bool {
			if c.ID == list[i].id {
				more = visit(c)
			}
			return c.ID != list[i].id
		})
	}
}

// visit returns what takes a contact and reports whether more are wanted.
func (s *search) visit() func(b *location.Contact) bool {
	c := s.x.Context()
	method := methodBit(c.Msg.Method())
	return func(b *location.Contact) bool {
		switch {
		case b.Unreachable(), s.only != nil && !s.only.is(b):
			return true
		case s.flags.methods && b.Methods&method == 0:
			s.asked++
			return true
		case s.flags.maxLatency > 0 && int64(b.Latency) > s.flags.maxLatency:
			return true
		case s.flags.agent != nil && !s.flags.agent.MatchString(b.Agent()):
			return true
		}
		s.asked++
		if s.m.asleep(b, s.x.Now().Unix()) {
			s.sleeping = append(s.sleeping, *b)
			return !s.flags.noBranches && !s.single
		}
		if err := s.take(c, b); err != nil {
			s.err = err
			return !errors.Is(err, proxy.ErrBranches)
		}
		s.found++
		return !s.flags.noBranches && !s.single
	}
}

// take makes a contact a destination of the request.
func (s *search) take(c *proxy.Context, b *location.Contact) error {
	uri := s.x.Keep(s.m.appendAwake(nil, b))
	var to *proxy.Branch
	if s.first {
		if err := c.SetRequestURI(uri); err != nil {
			return err
		}
		to = c.Branch(0)
	} else {
		var err error
		if to, err = c.AppendBranch(uri, false); err != nil {
			return err
		}
	}
	s.first = false
	next := b.Received()
	if path := b.Path(); path != "" {
		if err := to.SetPath(s.x.KeepString(path)); err != nil {
			return err
		}
		next = firstURI(path)
	}
	if err := to.SetDestURI(s.x.KeepString(next)); err != nil {
		return err
	}
	to.SetQ(int(b.Q))
	to.SetFlags(uint64(s.m.places.Flags(b)))
	to.SetFlow(0, false)
	if b.Flow != 0 && !b.FlowLost {
		to.SetFlow(b.Flow, b.Bound)
	}
	if socket := s.m.socketOf(b.Socket()); socket != nil {
		to.SetSocket(socket)
	}
	if s.m.attr != nil && b.Attr() != "" {
		to.SetAttr(proxy.Attr{Name: s.m.attrName, Text: s.x.KeepString(b.Attr()), IsText: true})
	}
	return nil
}

// firstURI returns the first URI of a Path.
func firstURI(path string) string {
	b := []byte(path)
	if open, end := bytes.IndexByte(b, '<'), bytes.IndexByte(b, '>'); open >= 0 && end > open {
		return path[open+1 : end]
	}
	return path
}

// expand replaces the branches of the request by the contacts of whom they name.
func (s *search) expand() {
	c := s.x.Context()
	old := c.Branches() - 1
	if s.found > 1 {
		old -= s.found - 1 // those that find appended stand behind them
	}
	var room [256]byte
	for range old {
		uri := s.x.Keep(c.BranchURI(1))
		c.RemoveBranch(1)
		if aor, bad := s.m.aorOf(room[:0], uri); bad == nil {
			s.find(aor)
		}
	}
}

func (s *search) result(at *script.Site) int {
	if len(s.sleeping) > 0 {
		if rc := s.wake(at); rc <= 0 || s.found == 0 {
			return rc
		}
	}
	switch {
	case s.found > 0:
		return 1
	case s.err != nil:
		s.x.Fail(at, s.err.Error())
		return lookupFailed
	case s.asked > 0:
		return noMethod
	default:
		return notFound
	}
}

// socketOf finds the listener that a contact registered by, nil if it is none of ours now.
func (m *Core) socketOf(text string) *reactor.Socket {
	if text == "" || m.env == nil || m.env.Engine == nil {
		return nil
	}
	var room [80]byte
	for _, s := range m.env.Engine.Sockets() {
		if string(appendSocket(room[:0], s)) == text {
			return s
		}
	}
	return nil
}
