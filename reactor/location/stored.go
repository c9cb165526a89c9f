package location

// changed queues a contact for Changed. The shard is locked.
func (t *Table) changed(s *shard, c *node) {
	if c.state == StateSync {
		c.state = StateDirty
	}
	if t.cfg.Persistent && !c.queued {
		c.queued = true
		s.dirty = append(s.dirty, c)
	}
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
	var list []Stored
	var taken []*node
	for i := range t.shards {
		s := &t.shards[i]
		for {
			list, taken = s.take(batch, list[:0], taken[:0])
			if len(taken) == 0 {
				break
			}
			err := store(list)
			s.give(taken, list, err == nil)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// take takes up to batch of what has changed off a shard. What came and went between two calls is passed over.
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

// Restore puts a contact back as it was stored: c's fields and texts, and nothing of c's that is not exported. One that is
// over, or whose address has a contact with that URI and Call-ID, is left out. It reports whether it was put.
func (t *Table) Restore(aor []byte, c *Contact, x *Texts, now int64) bool {
	list := x.list()
	put := &node{Contact: Contact{
		ID: c.ID, Expires: c.Expires, Modified: c.Modified, CSeq: c.CSeq, Flags: c.Flags, BranchFlags: c.BranchFlags,
		Era: c.Era, Methods: c.Methods, RegID: c.RegID, Q: c.Q, Bound: c.Bound, state: StateSync, restored: true},
	}
	if !put.Alive(now) || !put.setTexts(&list) {
		return false
	}
	t.raiseID(put.ID)
	s := t.shard(aor)
	s.mu.Lock()
	r := s.records[string(aor)]
	if r == nil {
		r = &record{aor: string(aor)}
	}
	for have := r.first; have != nil; have = have.next {
		if have.URI() == put.URI() && have.CallID() == put.CallID() {
			s.mu.Unlock()
			return false
		}
	}
	t.insert(s, r, put)
	clear(s.told)
	s.told = s.told[:0] // it is no news
	s.mu.Unlock()
	return true
}
