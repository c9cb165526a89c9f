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

const (
	tableShards = 64
	wheelSlots  = 4096
)

// Table keeps the dialogs. Any goroutine may call its methods.
type Table struct {
	cfg    Config
	k0, k1 uint64 // of the MAC
	seed   maphash.Seed
	next   atomic.Uint32
	notify atomic.Pointer[func(Change)]

	byID [tableShards]struct {
		mu  sync.RWMutex
		all map[ID]*Dialog
		_   [64]byte
	}
	byCallID [tableShards]struct {
		mu  sync.RWMutex
		all map[string]*Dialog
		_   [64]byte
	}
	wheel struct {
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
	t := &Table{cfg: cfg, seed: maphash.MakeSeed()}
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
	for i := range tableShards {
		t.byID[i].all = make(map[ID]*Dialog)
		t.byCallID[i].all = make(map[string]*Dialog)
	}
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
	s := &t.byID[d.ID.Number%tableShards]
	s.mu.Lock()
	if s.all[d.ID] != nil {
		s.mu.Unlock()
		return false
	}
	s.all[d.ID] = d
	s.mu.Unlock()
	c := &t.byCallID[maphash.String(t.seed, d.CallID)%tableShards]
	c.mu.Lock()
	d.nextOfCallID = c.all[d.CallID]
	c.all[d.CallID] = d
	c.mu.Unlock()
	t.count.Add(1)
	return true
}

// leave takes it out of everything.
func (t *Table) leave(d *Dialog) {
	s := &t.byID[d.ID.Number%tableShards]
	s.mu.Lock()
	if s.all[d.ID] == d {
		delete(s.all, d.ID)
		t.count.Add(-1)
	}
	s.mu.Unlock()
	c := &t.byCallID[maphash.String(t.seed, d.CallID)%tableShards]
	c.mu.Lock()
	first := c.all[d.CallID]
	for at := &first; *at != nil; at = &(*at).nextOfCallID {
		if *at == d {
			*at = d.nextOfCallID
			break
		}
	}
	if first == nil {
		delete(c.all, d.CallID)
	} else {
		c.all[d.CallID] = first
	}
	c.mu.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left = true
	d.change()
}

// ByID finds a dialog by its ID; nil: there is none, or the ID is invented.
func (t *Table) ByID(id ID) *Dialog {
	s := &t.byID[id.Number%tableShards]
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.all[id]
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
	c := &t.byCallID[maphash.Bytes(t.seed, callID)%tableShards]
	c.mu.RLock()
	defer c.mu.RUnlock()
	for d := c.all[string(callID)]; d != nil; d = d.nextOfCallID {
		list = append(list, d)
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
	for i := range t.byID {
		s := &t.byID[i]
		s.mu.RLock()
		list := make([]*Dialog, 0, len(s.all))
		for _, d := range s.all {
			list = append(list, d)
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
