package dialog

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// ErrFull: there are as many dialogs as may be.
var ErrFull = errors.New("dialog: there are too many dialogs")

// Change is a change of state. Dialog is nil if there was none.
type Change struct {
	Dialog   *Dialog
	Old, New State
}

// Config is what a Table is made of. The zero value is usable.
type Config struct {
	// Max is how many dialogs there may be; 0 is 1,000,000.
	Max int
	// Persistent has changes kept for Changed.
	Persistent bool
	// Notify is told each change of state, by the goroutine that made it and with no lock held; nil is nobody.
	Notify func(Change)
}

const wheelSlots = 4096

// Table keeps the dialogs. Any goroutine may call its methods.
type Table struct {
	cfg    Config
	k0, k1 uint64 // of the MAC
	seed   maphash.Seed
	next   atomic.Uint32
	notify atomic.Pointer[func(Change)]

	ids, callIDs index
	wheel        struct {
		mu    sync.Mutex
		slots [wheelSlots]*Dialog
		swept int64
	}

	count                       atomic.Int64
	active, early               atomic.Int64
	processed, expired, failed_ atomic.Uint64
	changed                     struct {
		mu   sync.Mutex
		all  []*Dialog // that are to be stored, or whose rows have to go
		gone []*Dialog // those of them that have ended and had a row
	}
}

// New returns an empty table.
func New(cfg Config) *Table {
	t := &Table{cfg: cfg, seed: maphash.MakeSeed(), ids: index{kind: byID}, callIDs: index{kind: byCallID}}
	if t.cfg.Max <= 0 {
		t.cfg.Max = 1_000_000
	}
	if cfg.Notify != nil {
		t.SetNotify(cfg.Notify)
	}
	var random [20]byte
	rand.Read(random[:]) // never fails
	t.k0, t.k1 = binary.BigEndian.Uint64(random[:]), binary.BigEndian.Uint64(random[8:])
	t.next.Store(binary.BigEndian.Uint32(random[16:]) & 0xffffff)
	return t
}

// SetNotify has f told of changes from now on, in the place of Config.Notify.
func (t *Table) SetNotify(f func(Change)) { t.notify.Store(&f) }

// Stats are counts of a table.
type Stats struct {
	Active, Early              int64 // that have not ended; those of them that were not answered
	Processed, Expired, Failed uint64
}

// Stats returns the counts of now.
func (t *Table) Stats() Stats {
	return Stats{Active: t.active.Load(), Early: t.early.Load(), Processed: t.processed.Load(), Expired: t.expired.Load(), Failed: t.failed_.Load()}
}

// Init is what a dialog begins with.
type Init struct {
	CallID, FromTag, FromURI, ToURI, RequestURI string
	Caller                                      Leg // Tag, Contact, Routes and CSeq
	CSeq                                        uint32
	Timeout, Delay                              int64 // seconds
	Flags                                       Flag
}

// Create makes a dialog of an INVITE.
func (t *Table) Create(in *Init, now int64) (*Dialog, error) {
	if t.count.Load() >= int64(t.cfg.Max) {
		return nil, ErrFull
	}
	d := &Dialog{
		CallID: in.CallID, FromTag: in.FromTag, FromURI: in.FromURI, ToURI: in.ToURI, RequestURI: in.RequestURI,
		Created: now, InviteCSeq: in.CSeq, table: t,
		state: Unconfirmed, timeout: in.Timeout, expires: now + in.Timeout, delay: in.Delay, flags: in.Flags,
		caller: in.Caller, answered: -1,
	}
	d.callees, d.attached = d.room.callees[:0], d.room.attached[:0]
	if d.RequestURI == d.ToURI {
		d.RequestURI = d.ToURI // one text for both
	}
	for {
		d.ID = t.seal(t.next.Add(1))
		if t.enter(d) {
			break
		}
	}
	t.processed.Add(1)
	t.active.Add(1)
	t.schedule(d, now+in.Timeout)
	return d, nil
}

// enter puts a dialog into the indexes. It reports false if its ID is taken.
func (t *Table) enter(d *Dialog) bool {
	hash := d.ID.hash()
	s := t.ids.shard(hash)
	s.mu.Lock()
	if s.ofID(d.ID, hash) != nil {
		s.mu.Unlock()
		return false
	}
	s.add(d, byID, hash)
	s.mu.Unlock()
	hash = maphash.String(t.seed, d.CallID)
	s = t.callIDs.shard(hash)
	s.mu.Lock()
	s.add(d, byCallID, hash)
	s.mu.Unlock()
	t.count.Add(1)
	return true
}

// leave takes it out of everything.
func (t *Table) leave(d *Dialog) {
	for _, x := range [...]*index{&t.ids, &t.callIDs} {
		s := x.shard(d.chained[x.kind].hash)
		s.mu.Lock()
		if s.remove(d, x.kind) && x.kind == byID {
			t.count.Add(-1)
		}
		s.mu.Unlock()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left = true
	d.change()
}

// ByID finds a dialog by its ID; nil: there is none, or the ID is invented.
func (t *Table) ByID(id ID) *Dialog {
	hash := id.hash()
	s := t.ids.shard(hash)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.ofID(id, hash)
}

// ofID finds a dialog by its ID. The shard is locked.
func (c *chains) ofID(id ID, hash uint64) *Dialog {
	d := c.first(hash)
	for d != nil && d.ID != id {
		d = d.chained[byID].next
	}
	return d
}

// ByCallID finds a dialog by its Call-ID, one that has not ended first.
func (t *Table) ByCallID(callID []byte) *Dialog {
	var ended *Dialog
	var room [4]*Dialog
	for _, d := range t.appendOf(room[:0], callID) {
		if d.State() != Ended {
			return d
		}
		ended = d
	}
	return ended
}

// appendOf appends the dialogs of a Call-ID.
func (t *Table) appendOf(list []*Dialog, callID []byte) []*Dialog {
	hash := maphash.Bytes(t.seed, callID)
	s := t.callIDs.shard(hash)
	s.mu.RLock()
	defer s.mu.RUnlock()
	for d := s.first(hash); d != nil; d = d.chained[byCallID].next {
		if d.chained[byCallID].hash == hash && d.CallID == string(callID) {
			list = append(list, d)
		}
	}
	return list
}

// ByTags finds the dialog of a Call-ID that has these tags, and which way a request with them goes.
func (t *Table) ByTags(callID, from, to []byte) (*Dialog, Direction) {
	var room [4]*Dialog
	for _, d := range t.appendOf(room[:0], callID) {
		if dir := d.DirectionOf(from, to); dir != Unknown {
			return d, dir
		}
	}
	return nil, Unknown
}

// DirectionOf tells which way a message with these tags goes; Unknown: they are not those of the dialog.
func (d *Dialog) DirectionOf(from, to []byte) Direction {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.FromTag == string(from) && (d.calleeOf(to) >= 0 || len(d.callees) == 0):
		return Downstream
	case d.FromTag == string(to) && (d.calleeOf(from) >= 0 || len(d.callees) == 0):
		return Upstream
	default:
		return Unknown
	}
}

// Each calls visit for every dialog until that returns false. It holds no lock meanwhile.
func (t *Table) Each(visit func(*Dialog) bool) {
	for i := range t.ids.shards {
		s := &t.ids.shards[i]
		s.mu.RLock()
		list := make([]*Dialog, 0, s.many)
		for _, d := range s.heads {
			for ; d != nil; d = d.chained[byID].next {
				list = append(list, d)
			}
		}
		s.mu.RUnlock()
		for _, d := range list {
			if !visit(d) {
				return
			}
		}
	}
}

// tell counts a change and tells of it.
func (t *Table) tell(c Change) {
	if c.Dialog == nil {
		return
	}
	t.countState(c.Old, -1)
	t.countState(c.New, 1)
	if c.New == Ended && c.Old < Answered {
		t.failed_.Add(1)
	}
	if f := t.notify.Load(); f != nil {
		(*f)(c)
	}
}

func (t *Table) countState(s State, n int64) {
	if s != Ended {
		t.active.Add(n)
	}
	if s == Early {
		t.early.Add(n)
	}
}
