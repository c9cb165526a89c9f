package registrar

import (
	"bytes"
	"errors"
	"strconv"

	"sipreactor/reactor"
	"sipreactor/reactor/location"
	"sipreactor/reactor/modules/usrloc"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// What lookup() returns besides 1.
const (
	notFound     = -1
	noMethod     = -2
	lookupFailed = -3
)

// lookup builds lookup().
func (m *module) lookup(a *script.Args) script.Action {
	table := m.table(a, 0)
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
		var only phone
		if only, s.single = m.gruu.read(uri); s.single {
			s.only = &only
		}
		user := only.aor
		if len(user) == 0 {
			var bad *refusal
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
	m     *module
	x     *script.Machine
	table *usrloc.Place
	flags *lookupFlags
	only  *phone // of a GRUU
	first bool   // the next contact becomes the Request-URI
	found int
	asked int // contacts that there were, whether they take the method or not
	err   error

	single bool // one contact is enough
}

// find takes the contacts of an address of record. A contact is copied into the request under the table's lock: nothing
// here waits.
func (s *search) find(aor []byte) {
	c := s.x.Context()
	method := methodBit(c.Msg.Method())
	s.table.Table().Lookup(aor, s.x.Now().Unix(), func(b *location.Contact) bool {
		switch {
		case b.FlowLost && b.Bound, s.only != nil && !s.only.is(b):
			return true
		case s.flags.methods && b.Methods&method == 0:
			s.asked++
			return true
		case s.flags.agent != nil && !s.flags.agent.MatchString(b.Agent()):
			return true
		}
		s.asked++
		if err := s.take(c, b); err != nil {
			s.err = err
			return !errors.Is(err, proxy.ErrBranches)
		}
		s.found++
		return !s.flags.noBranches && !s.single
	})
}

// take makes a contact a destination of the request.
func (s *search) take(c *proxy.Context, b *location.Contact) error {
	uri := s.x.KeepString(b.URI())
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
	to.SetFlags(uint64(b.BranchFlags))
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
func (m *module) socketOf(text string) *reactor.Socket {
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

// isRegistered builds is_registered().
func (m *module) isRegistered(a *script.Args) script.Action {
	return m.anyContact(a, func(*script.Args) func(*script.Machine) func(*location.Contact) bool {
		return func(*script.Machine) func(*location.Contact) bool {
			return func(*location.Contact) bool { return true }
		}
	})
}

// isContactRegistered builds is_contact_registered().
func (m *module) isContactRegistered(a *script.Args) script.Action {
	return m.anyContact(a, func(a *script.Args) func(*script.Machine) func(*location.Contact) bool {
		contact, callID := a.Text(2), a.Text(3)
		return func(x *script.Machine) func(*location.Contact) bool {
			uri, byURI := contact(x)
			id, byID := callID(x)
			if !byURI && !byID {
				uri, byURI = contactURI(x.Message())
			}
			return func(c *location.Contact) bool {
				return (!byURI || c.URI() == string(uri)) && (!byID || c.CallID() == string(id))
			}
		}
	})
}

func contactURI(msg *sipframe.Message) ([]byte, bool) {
	a, err := msg.Contact()
	if err != nil || a.Star {
		return nil, false
	}
	return msg.Bytes(a.URI), true
}

// isAddressRegistered builds is_ip_registered().
func (m *module) isAddressRegistered(a *script.Args) script.Action {
	return m.anyContact(a, func(a *script.Args) func(*script.Machine) func(*location.Contact) bool {
		address, port := a.Text(2), a.Text(3)
		return func(x *script.Machine) func(*location.Contact) bool {
			host, _ := address(x)
			p, byPort := port(x)
			return func(c *location.Contact) bool {
				h, n := placeOf(c)
				return sipframe.EqualFold(host, h) && (!byPort || n == string(p))
			}
		}
	})
}

// placeOf returns the host and port that a contact is reached at.
func placeOf(c *location.Contact) (host, port string) {
	uri := []byte(c.URI())
	if r := c.Received(); r != "" {
		uri = []byte(r)
	}
	var u sipframe.URI
	if sipframe.ParseURI(uri, &u) != nil {
		return "", ""
	}
	if u.Port == 0 {
		return string(u.Host.In(uri)), ""
	}
	return string(u.Host.In(uri)), strconv.Itoa(u.Port)
}

// anyContact builds a function that looks for a contact of the user in argument 1.
func (m *module) anyContact(a *script.Args, build func(*script.Args) func(*script.Machine) func(*location.Contact) bool) script.Action {
	table := m.table(a, 0)
	if table == nil {
		return nil
	}
	aor, test := m.aorArg(a, 1, registeringURI), build(a)
	return func(x *script.Machine) int {
		var room [256]byte
		user, bad := aor(x, room[:0])
		if bad != nil {
			return -1
		}
		found := false
		is := test(x)
		table.Table().Lookup(user, x.Now().Unix(), func(c *location.Contact) bool {
			found = is(c)
			return !found
		})
		if found {
			return 1
		}
		return -1
	}
}
