package peers

import (
	"hash/maphash"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

const (
	// maxRows bounds the rows; those of the configuration are never dropped.
	maxRows = 4096
	// MaxConfigured bounds the peers that a configuration can name.
	MaxConfigured = 256
	// maxEnds bounds the addresses that are kept of one peer.
	maxEnds = 16
	// sweepEvery is how often a full table is looked through for rows in which
	// nothing was counted since the last time.
	sweepEvery = 10 * time.Second
	// tripWindow is how long round trips are gathered before a new window begins.
	tripWindow = 5 * time.Minute
	// Others is the name of the row for all peers that found none.
	Others = "others"
)

// Table holds the peers. It is a proxy.Observer and a reactor.Observer. Its
// methods may be called by any goroutine.
type Table struct {
	index index

	mu      sync.Mutex
	names   map[string]*row         // by SIP domain
	ends    map[netip.AddrPort]*row // by where requests are sent
	hosts   map[netip.Addr]*row     // the one row with ends at an address; nil when several have
	sources map[netip.Addr]*row     // by where messages come from, and configured addresses
	list    []*row
	others  row
	swept   time.Time // when rows were last looked through
	turned  time.Time // when windows of round trips last began
}

var (
	_ proxy.Observer   = (*Table)(nil)
	_ reactor.Observer = (*Table)(nil)
)

// New makes a table with rows for the peers that a configuration names: SIP
// domains, addresses, or addresses with ports. Those above MaxConfigured have none
// before they are met.
func New(configured []string) *Table {
	t := &Table{index: index{seed: maphash.MakeSeed()}, names: make(map[string]*row), ends: make(map[netip.AddrPort]*row),
		hosts: make(map[netip.Addr]*row), sources: make(map[netip.Addr]*row), turned: time.Now()}
	t.others.name = Others
	for _, name := range configured {
		if len(t.list) < MaxConfigured {
			t.configure(strings.ToLower(name))
		}
	}
	return t
}

func (t *Table) configure(name string) {
	if end, err := netip.ParseAddrPort(name); err == nil {
		if end = unmap(end); t.ends[end] == nil {
			t.end(t.add(end.String(), true), end)
		}
	} else if addr, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		if addr = addr.Unmap(); t.sources[addr] == nil {
			r := t.add(addr.String(), true)
			r.source, t.sources[addr] = addr, r
		}
	} else if name != "" && t.names[name] == nil {
		t.names[name] = t.add(name, true)
	}
}

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

func (t *Table) add(name string, configured bool) *row {
	r := &row{name: name, configured: configured}
	t.list = append(t.list, r)
	return r
}

// Forwarded implements proxy.Observer. What goes to a phone, by the connection that it registered over, is of no peer.
func (t *Table) Forwarded(to *reactor.Target) {
	if r := t.find(&key{addr: to.Addr, name: to.Name}, true); r != nil {
		r.requestsOut.Add(1)
	}
}

// Failed implements proxy.Observer.
func (t *Table) Failed(_ reactor.Proto, addr netip.AddrPort, name string, cause error) {
	if r := t.find(&key{addr: addr, name: name}, true); r != nil {
		r.failed.Add(1)
		r.fails(cause, time.Now())
	}
}

// Refused implements proxy.Observer.
func (t *Table) Refused(addr netip.AddrPort, name string) {
	if r := t.find(&key{addr: addr, name: name}, true); r != nil {
		r.refused.Add(1)
	}
}

// Received implements proxy.Observer.
func (t *Table) Received(from *reactor.Source) {
	t.find(sourceKey(from), true).requestsIn.Add(1)
}

// Answered implements proxy.Observer.
func (t *Table) Answered(a *proxy.Answer) {
	// By a connection of ours it may be here before Forwarded is told.
	r := t.find(&key{addr: a.From.Remote}, a.From.Outbound)
	if r == nil { // by a connection that the peer has opened
		if r = t.find(sourceKey(a.From), false); r == nil {
			return
		}
	}
	r.answers[min(max(a.Code/100, 1), len(r.answers))-1].Add(1)
	r.works()
	final := a.Code >= 200
	if a.Method == sipframe.INVITE { // whose final response waits for a human
		final = a.Code == 100
	}
	if final && a.After > 0 {
		r.trips.add(a.After)
	}
}

// sourceKey is the key of whom a message comes from: by its address alone, as
// the port of a peer that dials us is another each time.
func sourceKey(s *reactor.Source) *key {
	return &key{addr: netip.AddrPortFrom(s.Remote.Addr(), 0), from: true}
}

// Observe implements reactor.Observer: connections that come up or fail.
func (t *Table) Observe(e *reactor.Event) {
	up := e.Kind == reactor.ConnEstablished && e.Src.Outbound
	failed := e.Kind == reactor.ConnClosed && e.Err.Blame != reactor.BlameNone
	if !up && !failed {
		return
	}
	k := &key{addr: e.Src.Remote}
	if !e.Src.Outbound {
		k = sourceKey(e.Src)
	}
	switch r := t.find(k, false); {
	case r == nil:
	case up:
		r.works()
	case k.from:
		r.trouble.Store(newTrouble(e.Err, e.Time))
	default:
		r.fails(e.Err, e.Time)
	}
}

// find gives the row of a key. nil: there is none and none is wanted, or nothing
// tells of whom the key is.
func (t *Table) find(k *key, wanted bool) *row {
	if r := t.index.get(k); r != nil {
		return r
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	name := strings.ToLower(k.name)
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		name = "" // an address is known by itself
	}
	r := t.known(k, name)
	if r == nil && wanted && (name != "" || k.addr.IsValid() || k.from && k.addr.Addr().IsValid()) {
		r = t.make(k, name)
	}
	if r == nil || r == &t.others {
		return r
	}
	if !k.from && k.addr.IsValid() && !slices.Contains(r.ends, k.addr) {
		t.end(r, k.addr)
	}
	t.index.put(*k, r)
	return r
}

// known gives the row that the table has for a key.
func (t *Table) known(k *key, name string) *row {
	switch {
	case k.from:
		ip := k.addr.Addr()
		if r := t.sources[ip]; r != nil && (r.configured || t.hosts[ip] == nil) {
			return r
		}
		return t.hosts[ip]
	case name != "":
		return t.names[name]
	}
	if r := t.ends[k.addr]; r != nil {
		return r
	}
	if r := t.sources[k.addr.Addr()]; r != nil && r.configured {
		return r
	}
	return nil
}

// make makes a row, or gives that of all others.
func (t *Table) make(k *key, name string) *row {
	if len(t.list) >= maxRows && !t.sweep(time.Now()) {
		return &t.others
	}
	switch {
	case k.from:
		r := t.add(k.addr.Addr().String(), false)
		r.source, t.sources[k.addr.Addr()] = k.addr.Addr(), r
		return r
	case name != "":
		r := t.add(name, false)
		t.names[name] = r
		return r
	default:
		return t.add(k.addr.String(), false)
	}
}

// end notes where requests to a peer are sent.
func (t *Table) end(r *row, at netip.AddrPort) {
	t.ends[at] = r
	if len(r.ends) == maxEnds {
		if old := r.ends[0]; t.ends[old] == r {
			delete(t.ends, old)
			t.index.remove(key{addr: old})
		}
		r.ends = r.ends[1:]
	}
	r.ends = append(r.ends, at)
	t.index.remove(key{addr: at})
	ip := at.Addr()
	if one, there := t.hosts[ip]; !there {
		t.hosts[ip] = r
	} else if one != r {
		t.hosts[ip] = nil
	}
	t.index.remove(key{addr: netip.AddrPortFrom(ip, 0), from: true})
}

// sweep drops rows in which nothing was counted for a while. It tells whether
// there is room now.
func (t *Table) sweep(now time.Time) bool {
	if now.Sub(t.swept) < sweepEvery {
		return false
	}
	t.swept = now
	gone := make(map[*row]bool)
	t.list = slices.DeleteFunc(t.list, func(r *row) bool {
		n := r.activity()
		still := n == r.counted && !r.configured
		if r.counted = n; still {
			gone[r] = true
		}
		return still
	})
	if len(gone) == 0 {
		return false
	}
	drop(t.names, gone)
	drop(t.ends, gone)
	drop(t.hosts, gone)
	drop(t.sources, gone)
	t.index.clear()
	return true
}

// drop deletes what leads to rows that are gone.
func drop[K comparable](m map[K]*row, gone map[*row]bool) {
	for k, r := range m {
		if gone[r] {
			delete(m, k)
		}
	}
}

// Peers describes the peers, at most 4,096 and one for all others, in no order.
// What is known of a peer's own requests, by their address alone, is in the row
// of the destination at this address, if there is just one.
func (t *Table) Peers() []Info {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := time.Now(); now.Sub(t.turned) >= tripWindow {
		t.turned = now
		for _, r := range t.list {
			r.trips.turn()
		}
	}
	list := make([]Info, 0, len(t.list)+1)
	at := make(map[*row]int)
	var sources []*row
	for _, r := range t.list {
		if r.source.IsValid() && !r.configured && t.hosts[r.source] != nil {
			sources = append(sources, r)
			continue
		}
		at[r] = len(list)
		list = append(list, r.info())
	}
	for _, r := range sources {
		if i, there := at[t.hosts[r.source]]; there {
			list[i].add(r)
		}
	}
	if t.others.activity() > 0 {
		list = append(list, t.others.info())
	}
	return list
}
