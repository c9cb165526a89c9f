package location

import (
	"errors"

	"sipreactor/reactor"
)

// Errors of Save. With each of them nothing was changed.
var (
	// ErrOutOfOrder: a binding has the same Call-ID and a higher CSeq (RFC 3261 10.3).
	ErrOutOfOrder = errors.New("location: the CSeq is lower than one of the same Call-ID before")
	// ErrTooMany: the address would have more than Update.Max contacts.
	ErrTooMany = errors.New("location: too many contacts of one address")
	// ErrFull: the table has Config.MaxContacts.
	ErrFull = errors.New("location: the table is full")
	// ErrTooLong: the strings of a contact have more than 65,535 bytes.
	ErrTooLong = errors.New("location: a contact is too long")
)

// Binding is one Contact of a REGISTER.
type Binding struct {
	Texts
	// Expires is the unix second it ends in; one that is not in the future removes it, 0 is permanent.
	Expires int64
	// ID is that of NewID for a contact that is new; 0: one is made.
	ID      uint64
	Flags   uint32 // besides those of the Update
	Pushed  bool   // matched by Update.PushParams, and by nothing else
	Q       int16
	Methods uint32
	RegID   uint32
}

// Update is what a REGISTER asks for. Its slices are read until Save returns.
type Update struct {
	AOR  []byte
	CSeq uint32 // the Call-ID is in each binding's Texts, and in CallID for All
	Now  int64
	// All removes every contact of the address ("*"). Bindings are not looked at.
	All    bool
	CallID []byte

	Bindings []Binding
	// Max is how many contacts the address may have, 0 any number. Those that are unreachable give way; with Evict then
	// the oldest, too.
	Max      int
	Evict    bool
	Matching Matching
	Param    string // of ByParam
	// PushParams are the parameters of URIs that pushed bindings are matched by, all of them (RFC 8599).
	PushParams []string
	// Repeats has an equal CSeq of the same Call-ID change the contact; without it, it is a retransmission: for
	// RepeatWithin seconds since the contact's last change, and out of order later. 0 is any time, less than that never.
	Repeats      bool
	RepeatWithin int64

	Flow        reactor.Handle
	Bound       bool
	Flags       uint32
	BranchFlags uint32
	Era         uint8 // of BranchFlags
}

// Save does what a REGISTER asks for, or nothing of it, and calls visit for the contacts that the address has then, best
// first; visit may be nil. The error is one of those above.
func (t *Table) Save(u *Update, visit func(*Contact)) error {
	s := t.shard(u.AOR)
	s.mu.Lock()
	r := s.records[string(u.AOR)]
	if r == nil {
		r = &record{}
	}
	err := t.apply(s, r, u)
	if visit != nil {
		for c := r.first; c != nil; c = c.next {
			if c.Alive(u.Now) {
				visit(&c.Contact)
			}
		}
	}
	clear(s.touched)
	s.touched = s.touched[:0]
	t.tell(s)
	return err
}

// Check tells the error that Save would return now, and calls visit with each binding's index and the contact that it
// would refresh or remove, nil if there is none. Nothing is changed.
func (t *Table) Check(u *Update, visit func(i int, c *Contact)) error {
	s := t.shard(u.AOR)
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.records[string(u.AOR)]
	if r == nil {
		r = &record{}
	}
	for i := range u.Bindings {
		var c *Contact
		if n := r.match(u, &u.Bindings[i]); n != nil && n.Alive(u.Now) {
			c = &n.Contact
		}
		visit(i, c)
	}
	if u.All {
		return u.checkAll(r)
	}
	_, err := t.check(r, u)
	return err
}

// checkAll looks whether all contacts may be removed.
func (u *Update) checkAll(r *record) error {
	for c := r.first; c != nil; c = c.next {
		if u.CSeq < c.CSeq && c.CallID() == string(u.CallID) {
			return ErrOutOfOrder
		}
	}
	return nil
}

func (t *Table) apply(s *shard, r *record, u *Update) error {
	if u.All {
		if err := u.checkAll(r); err != nil {
			return err
		}
		for r.first != nil {
			t.drop(s, r.first, itsPhone)
		}
		return nil
	}
	added, err := t.check(r, u)
	if err != nil {
		return err
	}
	if added > 0 && r.aor == "" {
		r.aor = string(u.AOR)
	}
	for i := range u.Bindings {
		if !u.repeated(i) {
			t.bind(s, r, u, &u.Bindings[i])
		}
	}
	for u.Max > 0 && r.alive(u.Now) > u.Max {
		c := s.oldest(r, u.Now)
		if !u.Evict && c.Alive(u.Now) && !c.Unreachable() {
			break // more than Max were there before
		}
		t.drop(s, c, somebody)
	}
	return nil
}

// check looks whether an update can be done as a whole, and returns how many contacts it adds.
func (t *Table) check(r *record, u *Update) (added int, err error) {
	removed, unreachable := 0, r.unreachable(u.Now)
	for i := range u.Bindings {
		b := &u.Bindings[i]
		total := 0
		for _, part := range b.list() {
			total += len(part)
		}
		if total > maxTexts {
			return 0, ErrTooLong
		}
		c := r.match(u, b)
		switch {
		case c != nil && u.CSeq < c.CSeq && c.CallID() == string(b.CallID),
			c != nil && u.retransmits(c, b) && u.RepeatWithin != 0 && u.Now-c.Modified > max(u.RepeatWithin, -1):
			return 0, ErrOutOfOrder
		case u.repeated(i):
		case (c == nil || !c.Alive(u.Now)) && b.over(u.Now):
		case c == nil || !c.Alive(u.Now):
			added++
		default:
			if b.over(u.Now) {
				removed++
			}
			if c.Unreachable() {
				unreachable--
			}
		}
	}
	left := r.alive(u.Now) - unreachable - removed + added
	switch {
	case u.Max > 0 && left > u.Max && added > 0 && !(u.Evict && len(u.Bindings) <= u.Max):
		return 0, ErrTooMany
	case added > 0 && t.cfg.MaxContacts > 0 && t.contacts.Load()+int64(added) > int64(t.cfg.MaxContacts):
		return 0, ErrFull
	}
	return added, nil
}

// retransmits reports whether a binding is a retransmission of the one that a contact has.
func (u *Update) retransmits(c *node, b *Binding) bool {
	return c.CSeq == u.CSeq && !u.Repeats && c.CallID() == string(b.CallID) && c.URI() == string(b.URI)
}

// repeated reports whether a later binding is of the same contact: the last one holds.
func (u *Update) repeated(i int) bool {
	for j := i + 1; j < len(u.Bindings); j++ {
		if string(u.Bindings[j].URI) == string(u.Bindings[i].URI) {
			return true
		}
	}
	return false
}

func (b *Binding) over(now int64) bool { return b.Expires != 0 && b.Expires <= now }

// alive counts the contacts that are.
func (r *record) alive(now int64) (n int) {
	for c := r.first; c != nil; c = c.next {
		if c.Alive(now) {
			n++
		}
	}
	return n
}

// unreachable counts those of them that nothing reaches.
func (r *record) unreachable(now int64) (n int) {
	for c := r.first; c != nil; c = c.next {
		if c.Alive(now) && c.Unreachable() {
			n++
		}
	}
	return n
}

// bind does what one binding asks for. check has said that it can be done.
func (t *Table) bind(s *shard, r *record, u *Update, b *Binding) {
	c := r.match(u, b)
	switch {
	case c == nil && b.over(u.Now):
		return
	case c == nil:
		if b.ID == 0 {
			b.ID = t.NewID()
		}
		c = &node{Contact: Contact{ID: b.ID}}
		c.fill(u, b)
		t.insert(s, r, c)
		t.changed(s, c)
	case u.retransmits(c, b):
	case b.over(u.Now):
		t.drop(s, c, itsPhone)
		return
	default:
		s.unschedule(c)
		t.flows.remove(c)
		q := c.Q
		c.fill(u, b)
		t.flows.add(c)
		s.schedule(c)
		if q != c.Q || t.cfg.NewestFirst {
			r.unplace(c)
			t.place(r, c)
		}
		t.changed(s, c)
		t.note(s, Updated, r, c, somebody)
	}
	s.touched = append(s.touched, c)
}

// fill gives a contact what a binding says. It is in no list that depends on that.
func (c *Contact) fill(u *Update, b *Binding) {
	list := b.list()
	c.setTexts(&list)
	c.Expires, c.Modified, c.Q, c.Methods, c.RegID = b.Expires, u.Now, b.Q, b.Methods, b.RegID
	c.CSeq, c.Flow, c.Bound, c.Flags, c.BranchFlags, c.Era = u.CSeq, u.Flow, u.Bound, u.Flags|b.Flags, u.BranchFlags, u.Era
	c.FlowLost, c.restored = false, false
}

func (s *shard) isTouched(c *node) bool {
	for _, x := range s.touched {
		if x == c {
			return true
		}
	}
	return false
}

// oldest returns the contact of an address that gives way first: one that does not count, or that nothing reaches, then
// the one whose last change is the longest ago, before any that the update under way made.
func (s *shard) oldest(r *record, now int64) *node {
	rank := func(c *node) int64 {
		switch {
		case !c.Alive(now), c.Unreachable():
			return c.Modified - 1<<62
		case s.isTouched(c):
			return c.Modified + 1<<62
		}
		return c.Modified
	}
	var old *node
	for c := r.first; c != nil; c = c.next {
		if old == nil || rank(c) < rank(old) || rank(c) == rank(old) && c.ID < old.ID {
			old = c
		}
	}
	return old
}
