package nat_traversal

import (
	"hash/maphash"
	"net/netip"
	"sync"

	"sipreactor/reactor"
	core "sipreactor/reactor/dialog"
	"sipreactor/sipframe"
)

// place is an address behind NAT, as it is seen from here.
type place struct {
	proto reactor.Proto
	addr  netip.AddrPort
}

// uri names the place.
func (p place) uri() string {
	text := "sip:" + p.addr.String()
	if p.proto != reactor.UDP {
		text += ";transport=" + p.proto.String()
	}
	return text
}

// placeOf reads what uri gives.
func placeOf(uri []byte) (p place, ok bool) {
	var u sipframe.URI
	if sipframe.ParseURI(uri, &u) != nil {
		return place{}, false
	}
	p.proto = reactor.UDP
	if v, has := u.Param(uri, "transport"); has {
		if p.proto, ok = reactor.ParseProto(v); !ok {
			return place{}, false
		}
	}
	host := string(u.Host.In(uri))
	if len(host) > 2 && host[0] == '[' {
		host = host[1 : len(host)-1]
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return place{}, false
	}
	port := uint16(u.Port)
	if port == 0 {
		port = p.proto.DefaultPort()
	}
	p.addr = netip.AddrPortFrom(a.Unmap(), port)
	return p, true
}

// endpoint is a place that is kept. The table's lock guards it.
type endpoint struct {
	socket                 *reactor.Socket
	flow                   reactor.Handle // of a connection; 0 none
	registered, subscribed int64          // unix seconds until which
	dialogs                map[*core.Dialog]struct{}
}

// wanted reports whether there is a reason to keep it.
func (e *endpoint) wanted(now int64) bool {
	return e.registered > now || e.subscribed > now || len(e.dialogs) > 0
}

// maxEndpoints bounds the places that are kept.
const maxEndpoints = 1_000_000

// table has the places that are kept, each in the second of the interval at which it gets its request. Any goroutine.
type table struct {
	mu    sync.Mutex
	seed  maphash.Seed
	turns []map[place]*endpoint
	n     int
	dirty bool // it is not as the state file has it
}

func newTable(seconds int) *table {
	t := &table{seed: maphash.MakeSeed(), turns: make([]map[place]*endpoint, seconds)}
	for i := range t.turns {
		t.turns[i] = make(map[place]*endpoint)
	}
	return t
}

func (t *table) turnOf(p place) map[place]*endpoint {
	return t.turns[maphash.Comparable(t.seed, p)%uint64(len(t.turns))]
}

// spread has the places get their requests in another interval.
func (t *table) spread(seconds int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.turns) == seconds {
		return
	}
	old := t.turns
	t.turns = newTable(seconds).turns
	for _, turn := range old {
		for p, e := range turn {
			t.turnOf(p)[p] = e
		}
	}
}

// change has f change the endpoint of a place, which there is from then on. It reports whether there was room.
func (t *table) change(p place, f func(e *endpoint)) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	turn := t.turnOf(p)
	e := turn[p]
	if e == nil {
		if t.n >= maxEndpoints {
			return false
		}
		e = &endpoint{}
		turn[p] = e
		t.n++
	}
	f(e)
	t.dirty = true
	return true
}

// hold has a dialog keep a place; with registered, one that is kept for its registration only. It reports whether it does.
func (t *table) hold(p place, d *core.Dialog, registered bool, now int64, from *reactor.Source) bool {
	if registered {
		t.mu.Lock()
		e := t.turnOf(p)[p]
		ok := e != nil && e.registered > now
		t.mu.Unlock()
		if !ok {
			return false
		}
	}
	return t.change(p, func(e *endpoint) {
		if from != nil {
			e.socket, e.flow = from.Socket, from.Conn
		}
		if e.dialogs == nil {
			e.dialogs = make(map[*core.Dialog]struct{})
		}
		e.dialogs[d] = struct{}{}
	})
}

// release takes a dialog from a place.
func (t *table) release(p place, d *core.Dialog) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.turnOf(p)[p]; e != nil {
		delete(e.dialogs, d)
	}
}

// target is a place that is to get its request.
type target struct {
	place
	socket *reactor.Socket
	flow   reactor.Handle
}

// due returns the places whose turn it is. Those that nobody wants any more go.
func (t *table) due(turn int, now int64) (list []target) {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.turns[turn%len(t.turns)]
	for p, e := range all {
		if !e.wanted(now) {
			delete(all, p)
			t.n--
			t.dirty = true
			continue
		}
		list = append(list, target{p, e.socket, e.flow})
	}
	return list
}

// socket returns the listener of a place that is kept; nil: it is not.
func (t *table) socket(p place, now int64) *reactor.Socket {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.turnOf(p)[p]; e != nil && e.wanted(now) {
		return e.socket
	}
	return nil
}

// counts is how many places are kept, and for what.
type counts struct{ all, registered, subscribed, inDialogs int }

func (t *table) count(now int64) (c counts) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, turn := range t.turns {
		for _, e := range turn {
			if e.wanted(now) {
				c.all++
			}
			if e.registered > now {
				c.registered++
			}
			if e.subscribed > now {
				c.subscribed++
			}
			if len(e.dialogs) > 0 {
				c.inDialogs++
			}
		}
	}
	return c
}

// gone forgets the connection of a place, which has ended.
func (t *table) gone(p place, flow reactor.Handle) {
	t.mu.Lock()
	defer t.mu.Unlock()
	turn := t.turnOf(p)
	if e := turn[p]; e != nil && e.flow == flow {
		delete(turn, p)
		t.n--
	}
}
