package dispatcher

import (
	"net/netip"
	"sync/atomic"

	"sipreactor/reactor/modules/freeswitch"
	"sipreactor/reactor/modules/internal/destination"
	"sipreactor/reactor/modules/internal/manage"
	"sipreactor/reactor/proxy"
)

// Row is a row of a dispatcher table.
type Row struct {
	ID          int64
	Set         int
	URI         string
	Socket      string
	State       destination.State
	Probe       bool // probe_mode: it is pinged while it is active, too
	Weight      int
	server      *freeswitch.URL // who tells the weight; nil: the table has it
	Priority    int
	Attrs       string
	Description string
	where       string // in its table
}

// Destination is a member of a set.
type Destination struct {
	Address destination.Address
	Row     Row
	*Living
	socket *proxy.SocketName
	hits   atomic.Uint64 // how often it was chosen first
	uri    []byte        // of Address, for messages
	index  int           // in its set
	seed   uint64        // of the rendezvous
}

// URI gives where calls are sent.
func (d *Destination) URI() string { return d.Address.URI }

// Living is what of a destination outlives a reload.
type Living struct {
	Health      *destination.Health
	scriptAttrs atomic.Pointer[string] // ds_push_script_attrs
	told        atomic.Int64           // weight that FreeSWITCH has told, and 1; 0: none yet
}

// ScriptAttrs gives what the script has pushed, "" if nothing.
func (l *Living) ScriptAttrs() string {
	if p := l.scriptAttrs.Load(); p != nil {
		return *p
	}
	return ""
}

// SetScriptAttrs replaces what the script has pushed.
func (l *Living) SetScriptAttrs(s string) { l.scriptAttrs.Store(&s) }

// Table is the destinations of a partition, as they were loaded.
type Table struct {
	Sets   []*Set // ordered by when their first row came
	byID   map[int]*Set
	byAddr map[netip.Addr][]*Destination
	byName map[key]*Destination
	tally  manage.Tally // of the load
}

// key is what a destination is found by.
type key struct {
	set int
	uri string
}

// Set gives the set of that number, nil if there is none.
func (t *Table) Set(id int) *Set { return t.byID[id] }

// Find gives the destination of a set with that URI, nil if there is none.
func (t *Table) Find(set int, uri string) *Destination {
	if d := t.byName[key{set, uri}]; d != nil {
		return d
	}
	a, err := destination.ParseAddress(uri)
	if err != nil {
		return nil
	}
	return t.byName[key{set, a.URI}]
}

// anywhere gives a destination of any set with that URI, nil if there is none.
func (t *Table) anywhere(uri string) *Destination {
	for _, s := range t.Sets {
		if d := t.byName[key{s.ID, uri}]; d != nil {
			return d
		}
	}
	return nil
}

// gone tells that a destination gets no calls any more.
func (d *Destination) gone() bool { return d.Health.State() != destination.Active }

// At calls yield with the destinations at an address, port 0 is any, until it
// returns false.
func (t *Table) At(ip netip.Addr, port uint16, yield func(*Destination) bool) {
	for _, d := range t.byAddr[ip.Unmap()] {
		if d.Address.Is(ip.Unmap(), port) && !yield(d) {
			return
		}
	}
}

// Len gives how many destinations there are.
func (t *Table) Len() (n int) {
	for _, s := range t.Sets {
		n += len(s.Members)
	}
	return n
}

// newTable makes a table of destinations whose addresses are known. most is the highest weight
// in sets that have one from FreeSWITCH.
func newTable(all []*Destination, most int) *Table {
	t := &Table{byID: map[int]*Set{}, byAddr: map[netip.Addr][]*Destination{}, byName: map[key]*Destination{}}
	for _, d := range all {
		s := t.byID[d.Row.Set]
		if s == nil {
			s = &Set{ID: d.Row.Set}
			t.byID[s.ID] = s
			t.Sets = append(t.Sets, s)
		}
		s.Members = append(s.Members, d)
		at := key{s.ID, d.Address.URI}
		if t.byName[at] == nil {
			t.byName[at] = d
		}
		var last netip.Addr
		for _, a := range d.Address.Addrs {
			if a.Addr() != last {
				last = a.Addr()
				t.byAddr[last] = append(t.byAddr[last], d)
			}
		}
	}
	for _, s := range t.Sets {
		s.settle(most)
	}
	return t
}

// maxWeight bounds a weight, so that sums of them are no concern.
const maxWeight = 1 << 20
