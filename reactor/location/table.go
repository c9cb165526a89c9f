package location

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// Kind says what happened to a contact, or to an address of record.
type Kind uint8

// The kinds of changes.
const (
	Inserted Kind = iota
	Updated
	Deleted
	AORInserted // its first contact came
	AORDeleted  // its last one went
)

// Change is what Config.Notify is told.
type Change struct {
	Kind    Kind
	AOR     string
	Contact Contact // a copy; zero for those of an address of record
	Expired bool    // Deleted, because its time was over
	Asked   bool    // Deleted, because a REGISTER wanted that
}

// Config is what a Table is made of. The zero value is usable.
type Config struct {
	// MaxContacts bounds the contacts of the table; 0 is no bound.
	MaxContacts int
	// NewestFirst orders contacts by their last change instead of by q (desc_time_order).
	NewestFirst bool
	// Persistent has changes kept for Changed. Without it nobody takes them.
	Persistent bool
	// Shared says that others store contacts in the same place: what is over is left to them.
	Shared bool
	// Notify is told each change, after it was made, by the goroutine that made it; nil is nobody.
	Notify func(Change)
}

const (
	shardCount = 128
	wheelSlots = 1024 // seconds; what is due later is passed over until its turn
)

// Table keeps the contacts of addresses of record. Any goroutine may call its methods.
type Table struct {
	cfg    Config
	seed   maphash.Seed
	shards [shardCount]shard
	flows  flows

	lastID   atomic.Uint64
	ids      atomic.Pointer[identities] // nil unless IndexIDs was called
	contacts atomic.Int64
	records  atomic.Int64
	expired  atomic.Uint64
}

// shard has the addresses of record of one hash.
type shard struct {
	mu      sync.Mutex
	records map[string]*record
	wheel   [wheelSlots]*node // by the second of their end
	swept   int64             // the last second that was looked at; 0 none
	dirty   []*node           // to be stored, or with gone to be deleted
	keys    map[string]keys   // of addresses that have some
	told    []Change          // by the call under way
	touched []*node           // by the update under way
	_       [64]byte          // a lock's line is its own
}

// New returns an empty table.
func New(cfg Config) *Table {
	t := &Table{cfg: cfg, seed: maphash.MakeSeed()}
	for i := range t.shards {
		t.shards[i].records = make(map[string]*record)
	}
	t.flows.init()
	return t
}

// Stats are counts of a table.
type Stats struct {
	Records, Contacts int64
	Expired           uint64 // contacts whose time was over, since the start
}

// Stats returns the counts of now.
func (t *Table) Stats() Stats {
	return Stats{Records: t.records.Load(), Contacts: t.contacts.Load(), Expired: t.expired.Load()}
}

func (t *Table) shard(aor []byte) *shard { return &t.shards[maphash.Bytes(t.seed, aor)%shardCount] }

func (t *Table) shardOf(aor string) *shard { return &t.shards[maphash.String(t.seed, aor)%shardCount] }

// Lookup calls visit for each contact of an address that is alive, best first, until that returns false. It returns how
// many there were.
func (t *Table) Lookup(aor []byte, now int64, visit func(*Contact) bool) (n int) {
	s := t.shard(aor)
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.records[string(aor)]
	if r == nil {
		return 0
	}
	for c := r.first; c != nil; c = c.next {
		if !c.Alive(now) {
			continue
		}
		n++
		if !visit(&c.Contact) {
			break
		}
	}
	return n
}

// Each calls visit for every contact, alive or not, shard by shard, until that returns false. Contacts of an address come
// one behind the other.
func (t *Table) Each(visit func(*Contact) bool) {
	for i := range t.shards {
		if !t.shards[i].each(visit) {
			return
		}
	}
}

func (s *shard) each(visit func(*Contact) bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.records {
		for c := r.first; c != nil; c = c.next {
			if !visit(&c.Contact) {
				return false
			}
		}
	}
	return true
}

// Remove drops all contacts of an address. It reports whether there was one.
func (t *Table) Remove(aor []byte) bool {
	return t.RemoveWhere(aor, func(*Contact) bool { return true }) > 0
}

// RemoveContact drops the contact of an address that has that URI, byte by byte. It reports whether there was one.
func (t *Table) RemoveContact(aor []byte, uri string) bool {
	return t.RemoveWhere(aor, func(c *Contact) bool { return c.URI() == uri }) > 0
}

// RemoveWhere drops the contacts of an address that which reports true for. It returns how many.
func (t *Table) RemoveWhere(aor []byte, which func(*Contact) bool) (n int) {
	s := t.shard(aor)
	s.mu.Lock()
	if r := s.records[string(aor)]; r != nil {
		for c := r.first; c != nil; {
			next := c.next
			if which(&c.Contact) {
				t.drop(s, c, somebody)
				n++
			}
			c = next
		}
	}
	t.tell(s)
	return n
}

// cause is why a contact goes.
type cause uint8

const (
	somebody cause = iota // management, the script, or room for another
	itsTime
	itsPhone
)

// tell unlocks the shard and tells what the call did to it.
func (t *Table) tell(s *shard) {
	if len(s.told) == 0 {
		s.mu.Unlock()
		return
	}
	told := append([]Change(nil), s.told...)
	clear(s.told)
	s.told = s.told[:0]
	s.mu.Unlock()
	for _, c := range told {
		t.cfg.Notify(c)
	}
}

// note keeps a change for tell. The shard is locked.
func (t *Table) note(s *shard, k Kind, r *record, c *node, why cause) {
	if t.cfg.Notify == nil {
		return
	}
	change := Change{Kind: k, AOR: r.aor, Expired: why == itsTime, Asked: why == itsPhone}
	if c != nil {
		change.Contact = c.Contact
	}
	s.told = append(s.told, change)
}

// insert puts a new contact into its address. The shard is locked.
func (t *Table) insert(s *shard, r *record, c *node) {
	c.of = r
	if r.count++; r.count == 1 {
		s.records[r.aor] = r
		t.records.Add(1)
		t.note(s, AORInserted, r, nil, somebody)
	}
	t.contacts.Add(1)
	t.place(r, c)
	s.schedule(c)
	t.flows.add(c)
	t.ids.Load().add(c)
	t.note(s, Inserted, r, c, somebody)
}

// place links a contact into its address's order.
func (t *Table) place(r *record, c *node) {
	at := &r.first
	for *at != nil && !t.ahead(c, *at) {
		at = &(*at).next
	}
	c.next, *at = *at, c
}

// ahead reports whether a comes before b: by q, and of those with one q who came first.
func (t *Table) ahead(a, b *node) bool {
	if t.cfg.NewestFirst {
		return a.Modified >= b.Modified
	}
	return a.Q > b.Q
}

// unplace takes a contact out of its address's order.
func (r *record) unplace(c *node) {
	for at := &r.first; *at != nil; at = &(*at).next {
		if *at == c {
			*at, c.next = c.next, nil
			return
		}
	}
}

// drop takes a contact out of everything. The shard is locked.
func (t *Table) drop(s *shard, c *node, why cause) {
	r := c.of
	t.note(s, Deleted, r, c, why)
	s.unschedule(c)
	t.flows.remove(c)
	t.ids.Load().remove(c)
	r.unplace(c)
	c.gone = true
	t.contacts.Add(-1)
	if t.cfg.Persistent && c.state != StateNew && !c.queued && !(t.cfg.Shared && why == itsTime) {
		c.queued = true
		s.dirty = append(s.dirty, c)
	}
	if r.count--; r.count == 0 {
		delete(s.records, r.aor)
		delete(s.keys, r.aor)
		t.records.Add(-1)
		t.note(s, AORDeleted, r, nil, somebody)
	}
}

// EachOf is Each for one of so many parts of the table, from 0 on: for who does something to all contacts, spread over a
// time.
func (t *Table) EachOf(part, parts int, visit func(*Contact) bool) {
	for i := range t.shards {
		if i*parts/shardCount == part && !t.shards[i].each(visit) {
			return
		}
	}
}
