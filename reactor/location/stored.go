package location

import "slices"

// changed queues a contact for Changed. The shard is locked.
func (t *Table) changed(s *shard, c *node) {
	if c.state == StateSync {
		c.state = StateDirty
	}
	if t.cfg.Persistent && !c.queued && t.storable(&c.Contact) {
		c.queued = true
		s.dirty = append(s.dirty, c)
	}
}

// storable reports whether a contact has a row, or is to have one. Where others write, too, rows are all there is.
func (t *Table) storable(c *Contact) bool {
	return c.Flags&MemoryOnly == 0 || c.state != StateNew || t.cfg.Shared
}

// Stored is a contact that has to be stored, or whose row has to go.
type Stored struct {
	Contact
	AOR    string
	Delete bool // the row goes; otherwise Contact.State tells whether there is one already
}

// Changed gives store what has changed since it was taken last, at most batch contacts at a time, until nothing is left.
// When store returns an error its batch is kept for the next call, and the error is returned. What changes again while
// store is at work is given again. One goroutine at a time may call it.
func (t *Table) Changed(batch int, store func([]Stored) error) error {
	h := haul{store: store}
	for i := range t.shards {
		for {
			h.take(&t.shards[i], batch)
			if len(h.taken) < batch {
				break
			}
			if err := h.give(); err != nil {
				return err
			}
		}
	}
	return h.give()
}

// haul is a batch of changes, of several shards.
type haul struct {
	store func([]Stored) error
	list  []Stored
	taken []*node
	parts []part
}

// part is how many of a haul are of a shard.
type part struct {
	of *shard
	n  int
}

// take fills the haul up to batch with what has changed in a shard.
func (h *haul) take(s *shard, batch int) {
	before := len(h.taken)
	h.list, h.taken = s.take(batch, h.list, h.taken)
	if n := len(h.taken) - before; n > 0 {
		h.parts = append(h.parts, part{s, n})
	}
}

// give stores the haul, and empties it.
func (h *haul) give() error {
	if len(h.list) == 0 {
		return nil
	}
	err := h.store(h.list)
	at := 0
	for _, p := range h.parts {
		p.of.give(h.taken[at:at+p.n], h.list[at:at+p.n], err == nil)
		at += p.n
	}
	clear(h.taken)
	h.list, h.taken, h.parts = h.list[:0], h.taken[:0], h.parts[:0]
	return err
}

// take takes what has changed off a shard, until there are batch of it with those before. What came and went between two calls is passed over.
func (s *shard) take(batch int, list []Stored, taken []*node) ([]Stored, []*node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for n < len(s.dirty) && len(taken) < batch {
		c := s.dirty[n]
		n++
		c.queued = false
		if c.gone && c.state == StateNew {
			continue
		}
		list = append(list, Stored{Contact: c.Contact, AOR: c.of.aor, Delete: c.gone})
		taken = append(taken, c)
	}
	rest := copy(s.dirty, s.dirty[n:])
	clear(s.dirty[rest:])
	s.dirty = s.dirty[:rest]
	return list, taken
}

// give says what became of a batch.
func (s *shard) give(taken []*node, list []Stored, stored bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, c := range taken {
		switch {
		case stored && list[i].Delete:
		case stored && !c.queued:
			c.state = StateSync
		case stored: // changed, or gone, meanwhile: the row is there now
			c.state = StateDirty
		case !c.queued:
			c.queued = true
			s.dirty = append(s.dirty, c)
		}
		if stored && c.gone && !list[i].Delete && !c.queued {
			// It went while its row was being written.
			c.state, c.queued = StateDirty, true
			s.dirty = append(s.dirty, c)
		}
	}
}

// Unstored returns how many contacts wait for Changed.
func (t *Table) Unstored() (n int) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		n += len(s.dirty)
		s.mu.Unlock()
	}
	return n
}

// Row is a contact as it was stored: its exported fields, and its texts.
type Row struct {
	Contact
	Texts Texts
	// Unstored tells that no row has it, or an older one has: it is given to Changed again.
	Unstored bool
}

// node makes a contact of a row; nil: it is over, or too long.
func (x *Row) node(now int64) *node {
	list := x.Texts.list()
	c := &node{Contact: Contact{
		ID: x.ID, Expires: x.Expires, Modified: x.Modified, CSeq: x.CSeq, Flags: x.Flags, BranchFlags: x.BranchFlags,
		Era: x.Era, Methods: x.Methods, RegID: x.RegID, Q: x.Q, Bound: x.Bound, state: StateSync, restored: true},
	}
	if !c.Alive(now) || !c.setTexts(&list) {
		return nil
	}
	return c
}

// Restore puts a contact back as it was stored. One that is over, or whose address has a contact with that URI and
// Call-ID, or a newer one with that URI, is left out. It reports whether it was put.
func (t *Table) Restore(aor []byte, x *Row, now int64) bool {
	put := x.node(now)
	if put == nil {
		return false
	}
	t.raiseID(put.ID)
	s := t.shard(aor)
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.records[string(aor)]
	if r == nil {
		r = &record{aor: string(aor)}
	}
	for have := r.first; have != nil; have = have.next {
		switch {
		case x.Unstored && have.ID == put.ID && have.restored && have.Modified <= put.Modified: // of an older row
			have.state = StateNew // the row stays, to be written anew
			t.drop(s, have, somebody)
		case have.URI() == put.URI() && (have.CallID() == put.CallID() || have.Modified > put.Modified):
			s.hush()
			return false
		}
	}
	t.insert(s, r, put)
	if x.Unstored {
		t.changed(s, put)
	}
	s.hush()
	return true
}

// Forget drops a contact that was gone before its row was read, unless the row is newer than that: the row goes, and nobody
// is told.
func (t *Table) Forget(aor []byte, id uint64, modified int64) {
	s := t.shard(aor)
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.records[string(aor)]
	if r == nil {
		return
	}
	for c := r.first; c != nil; c = c.next {
		if c.ID == id && c.restored && c.Modified <= modified {
			t.drop(s, c, somebody)
			s.hush()
			return
		}
	}
}

// Replace makes the contacts of an address those that are stored, where others write there, too (Config.Shared). A
// contact that has not changed keeps its flow; one that has still to be stored stays as it is.
func (t *Table) Replace(aor []byte, rows []Row, now int64) {
	s := t.shard(aor)
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.records[string(aor)]
	if r == nil {
		r = &record{aor: string(aor)}
	}
	keys := s.keys[r.aor]
	for c := r.first; c != nil; {
		next := c.next
		i := slices.IndexFunc(rows, func(x Row) bool { return x.ID == c.ID })
		if c.queued || i >= 0 && rows[i].is(&c.Contact) {
			if i >= 0 {
				rows = slices.Delete(rows, i, i+1)
			}
		} else {
			c.state = StateNew // its row, if there is one, is not ours to delete
			t.drop(s, c, somebody)
		}
		c = next
	}
	for i := range rows {
		if c := rows[i].node(now); c != nil {
			t.insert(s, r, c)
		}
	}
	if r.count > 0 && keys != nil {
		s.keys[r.aor] = keys
	}
	s.hush()
}

// is reports whether a contact is as it was stored.
func (x *Row) is(c *Contact) bool {
	return x.Expires == c.Expires && x.CSeq == c.CSeq && string(x.Texts.CallID) == c.CallID() && string(x.Texts.URI) == c.URI()
}

// hush has nobody told of the call under way: it is no news.
func (s *shard) hush() {
	clear(s.told)
	s.told = s.told[:0]
}
