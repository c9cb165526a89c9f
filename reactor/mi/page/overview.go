package page

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/mi"
)

const (
	// maxShown bounds each list of an overview.
	maxShown = 10
	// freshFor is how long an overview is given to whoever asks; or restShare
	// times as long as making it took, if that is longer.
	freshFor, restShare = 500 * time.Millisecond, 20
)

// overview is the answer of the command overview, but for the samples.
type overview struct {
	Version   string
	Started   time.Time
	Now       time.Time
	Listeners []listener
	// Connections counts those there are by protocol, direction and phase.
	Connections []class
	Counted     counted
	// Totals are the engine's figures since the start, as statistics name them.
	Totals  map[string]uint64
	Closes  []tally
	Refused []tally
	// Connecting are the destinations of connects and handshakes of ours that are
	// under way, Slow the peers for which messages wait or that take none.
	Connecting []destination
	Slow       []slowPeer
	SlowTotal  int
	// Peers are those in most trouble, one a trunk; PeersTotal is how many are known.
	Peers      []peer
	PeersTotal int
	// Destinations are where modules send calls, those that get none first;
	// DestinationsTotal is how many there are.
	Destinations      []member
	DestinationsTotal int
	Domains           []domain
	Slowest           []slowHandshake
	Errors            []failure
	ErrorsTotal       uint64
	EventsLost        uint64
	// Tracing is on or off; "" when nothing can be traced.
	Tracing string
}

type listener struct {
	Proto, Address, Tag string
	Connections         int // accepted by it
}

type class struct {
	Proto, Direction, Phase string
	Count                   int
}

// counted is what the connections that there are come to, and the refusals within the samples.
type counted struct {
	Established, Connecting, Stuck, Queued int
	RefusedRecent                          uint64
}

// tally is a count since the start, and of that what came within the samples.
type tally struct {
	Reason        string
	Total, Recent uint64
}

type destination struct {
	Proto, Remote           string
	Connecting, Handshaking int
	Parked                  int // of those, whose sender went on
	Oldest                  float64
	Last                    string // the id of one of them
	age                     time.Duration
}

type slowPeer struct {
	ID, Proto, Remote, Direction string
	Queue                        int
	Stuck                        bool
	Idle                         float64
}

// maker makes overviews for all who ask.
type maker struct {
	node *mi.Node
	rec  *Recorder

	mu    sync.Mutex
	last  *overview
	until time.Time
}

// get gives an overview that is fresh enough. It is not to be changed.
func (m *maker) get() *overview {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := time.Now(); m.last == nil || !now.Before(m.until) {
		m.last = m.make(now)
		m.until = rest(now)
	}
	return m.last
}

// rest is until when what was begun to be counted is fresh: the longer it took,
// the longer.
func rest(began time.Time) time.Time {
	now := time.Now()
	return now.Add(max(freshFor, restShare*now.Sub(began)))
}

func (m *maker) make(now time.Time) *overview {
	n := m.node
	s := n.Engine.Stats()
	o := &overview{Version: n.Version, Started: n.Started, Now: now}
	o.Totals = totalsOf(&s)
	c := newCount()
	n.Engine.Conns(func(i *reactor.ConnInfo) bool { c.take(i); return true })
	for i := range n.Traces {
		if n.Traces[i].On() {
			o.Tracing = "on"
		} else if o.Tracing == "" {
			o.Tracing = "off"
		}
	}
	o.peers(n.PeerStates(), now)
	o.members(n.DestinationList(), now)
	m.rec.lock()
	defer m.rec.mu.Unlock()
	c.into(o, &m.rec.trails)
	o.listeners(n.Engine.Sockets(), c.accepted)
	o.tallies(&s, m.rec.samples.ago())
	o.domains(n, c.byDomain, now)
	o.record(m.rec, now)
	return o
}

func (o *overview) listeners(sockets []*reactor.Socket, accepted map[*reactor.Socket]int) {
	o.Listeners = []listener{}
	for _, s := range sockets {
		o.Listeners = append(o.Listeners, listener{s.Proto.String(), s.Addr.String(), s.Tag, accepted[s]})
	}
}

// totalsOf reads the table of figures: those of one value, by group:name.
func totalsOf(s *reactor.Stats) map[string]uint64 {
	all := make(map[string]uint64)
	for i := range reactor.Figures {
		if f := &reactor.Figures[i]; f.Labels == nil {
			f.Each(s, func(n uint64, _ ...string) { all[f.Group+":"+f.Name] = n })
		}
	}
	return all
}

// tallies counts closes and refusals by reason, the most frequent first.
func (o *overview) tallies(s *reactor.Stats, ago *sample) {
	o.Closes, o.Refused = []tally{}, []tally{}
	o.Counted.RefusedRecent = s.Refused
	if ago != nil {
		o.Counted.RefusedRecent -= min(s.Refused, ago.refused)
	}
	for r, total := range s.Closed {
		recent := total
		if ago != nil && int(r) < len(ago.closed) {
			recent -= min(total, ago.closed[r])
		}
		o.Closes = append(o.Closes, tally{r.String(), total, recent})
	}
	for cause, total := range s.RefusedFor {
		o.Refused = append(o.Refused, tally{Reason: cause.String(), Total: total})
	}
	for _, list := range [][]tally{o.Closes, o.Refused} {
		slices.SortFunc(list, func(a, b tally) int {
			return cmp.Or(cmp.Compare(b.Total, a.Total), cmp.Compare(a.Reason, b.Reason))
		})
	}
}
