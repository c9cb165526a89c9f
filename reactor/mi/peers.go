package mi

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sipreactor/reactor"
	"sipreactor/reactor/mi/peers"
	"sipreactor/reactor/rpc"
)

// Peer is a peer with what its connections do.
type Peer struct {
	peers.Info
	// Connections are established, Connecting are ours that are not up yet.
	Connections, Connecting int
	// Reason is why an address of it is left alone, Left for how long; nil and 0 when
	// none is. All tells that all are.
	Reason *reactor.Error
	Left   time.Duration
	All    bool
	alone  int
}

// State is up, down, left alone, connecting or idle: up is a peer with a connection
// that does not fail, idle one without any. One that is left alone is down as well,
// and messages for it are refused at once.
func (p *Peer) State() string {
	switch {
	case p.All && p.Connections == 0:
		return "left alone"
	case !p.Down.IsZero():
		return "down"
	case p.Connections > 0:
		return "up"
	case p.Connecting > 0:
		return "connecting"
	default:
		return "idle"
	}
}

// PeerStates gives the peers with their connections, those in most trouble first;
// nil when there is no table of them.
func (n *Node) PeerStates() []Peer {
	if n.Peers == nil {
		return nil
	}
	var list []Peer
	for _, i := range n.Peers() {
		list = append(list, Peer{Info: i})
	}
	ends, hosts := make(map[netip.AddrPort]int), make(map[netip.Addr]int) // index plus one; -1 several
	for i := range list {
		for _, end := range list[i].Ends {
			ends[end] = i + 1
			if h := hosts[end.Addr()]; h == 0 || h == i+1 {
				hosts[end.Addr()] = i + 1
			} else {
				hosts[end.Addr()] = -1
			}
		}
	}
	for i := range list {
		if s := list[i].Source; s.IsValid() {
			hosts[s] = i + 1
		}
	}
	if b, ok := n.Engine.(BackingOff); ok {
		for _, dead := range b.Backoff() {
			i := ends[dead.Addr]
			if i == 0 {
				continue
			}
			p := &list[i-1]
			p.alone++
			if p.Reason == nil || dead.Left < p.Left {
				p.Reason, p.Left = dead.Reason, dead.Left
			}
			p.All = p.alone >= len(p.Ends)
		}
	}
	if n.Engine != nil {
		n.Engine.Conns(func(c *reactor.ConnInfo) bool {
			i := hosts[c.Remote.Addr()]
			if c.Outbound && ends[c.Remote] != 0 {
				i = ends[c.Remote]
			}
			switch {
			case i <= 0:
			case c.Phase == reactor.PhaseEstablished:
				list[i-1].Connections++
			case c.Outbound && connState(c.Phase) != stateEnding:
				list[i-1].Connecting++
			}
			return true
		})
	}
	slices.SortFunc(list, func(a, b Peer) int { return peers.Trouble(&a.Info, &b.Info) })
	return list
}

// maxListedPeers is how many peers one answer lists when it is not told otherwise.
const maxListedPeers = 50

func (n *Node) peerCommands() []rpc.Command {
	if n.Peers == nil {
		return nil
	}
	return []rpc.Command{{
		Name: "list_peers", Aliases: []string{"peers:list"}, Module: "core",
		Help: "Lists the peers that requests go to or come from, a trunk a row, those in most trouble first; " +
			"those whose name or address has the words, at most limit of them (50).",
		Params: []rpc.Param{{Name: "words", Optional: true}, {Name: "limit", Kind: rpc.Integer, Optional: true}},
		Func:   func(_ context.Context, a *rpc.Args) (any, error) { return n.listPeers(a) },
	}}
}

func (n *Node) listPeers(a *rpc.Args) (any, error) {
	limit := maxListedPeers
	if a.Has("limit") {
		if limit = a.Int("limit"); limit < 1 {
			return nil, rpc.BadParams("limit must be above 0")
		}
	}
	words := strings.Fields(strings.ToLower(a.Text("words")))
	list, total := []rpc.Object{}, 0
	for _, p := range n.PeerStates() {
		if !slices.ContainsFunc(words, func(w string) bool { return !p.has(w) }) {
			if total++; total <= limit {
				list = append(list, p.describe())
			}
		}
	}
	return rpc.Object{{Name: "Peers", Value: list}, {Name: "Total", Value: total}}, nil
}

// has tells whether the peer's name or an address of it has a word.
func (p *Peer) has(word string) bool {
	return strings.Contains(p.Name, word) || p.Source.IsValid() && strings.Contains(p.Source.String(), word) ||
		slices.ContainsFunc(p.Ends, func(a netip.AddrPort) bool { return strings.Contains(a.String(), word) })
}

func (p *Peer) describe() rpc.Object {
	addresses := []string{}
	for _, a := range p.Ends {
		addresses = append(addresses, a.String())
	}
	if p.Source.IsValid() {
		addresses = append(addresses, p.Source.String())
	}
	var answers rpc.Object
	for c, n := range p.Answers {
		answers = append(answers, rpc.Field{Name: string(rune('1'+c)) + "xx", Value: n})
	}
	o := rpc.Object{{Name: "Peer", Value: p.Name}, {Name: "State", Value: p.State()}, {Name: "Configured", Value: p.Configured}, {Name: "Addresses", Value: addresses},
		{Name: "Connections", Value: p.Connections}, {Name: "Connecting", Value: p.Connecting}, {Name: "Requests in", Value: p.RequestsIn}, {Name: "Requests out", Value: p.RequestsOut},
		{Name: "Unanswered", Value: p.Unanswered()}, {Name: "Answers", Value: answers}, {Name: "Failed", Value: p.Failed}, {Name: "Refused", Value: p.Refused},
		{Name: "Round trip p50", Value: milliseconds(p.RoundTrip.P50)}, {Name: "Round trip p99", Value: milliseconds(p.RoundTrip.P99)}}
	if !p.Down.IsZero() {
		o = append(o, rpc.Field{Name: "Down since", Value: p.Down.Format(time.DateTime)})
	}
	if p.Reason != nil {
		o = append(o, rpc.Field{Name: "Left alone for", Value: p.Left.Round(time.Millisecond).String()}, rpc.Field{Name: "Because of", Value: p.Reason.Error()})
	}
	if p.LastError != "" {
		o = append(o, rpc.Field{Name: "Last error", Value: p.LastError}, rpc.Field{Name: "Last error at", Value: p.LastErrorAt.Format(time.DateTime)})
	}
	return o
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

var (
	peerRequestsDesc = desc("peer", "requests_total", "Requests from and to a configured peer.", "peer", "direction")
	peerAnswersDesc  = desc("peer", "responses_total", "Responses of a configured peer, by class.", "peer", "class")
	peerFailedDesc   = desc("peer", "requests_failed_total", "Requests that could not be sent or delivered to an address of a configured peer.", "peer")
	peerRefusedDesc  = desc("peer", "requests_refused_total", "Requests that got a 503 of ours because a configured peer could not be had.", "peer")
	peerConnsDesc    = desc("peer", "connections", "Connections with a configured peer that are established.", "peer")
	peerDownDesc     = desc("peer", "down", "Whether a configured peer fails: 1, until it answers or is connected to.", "peer")
	peerTripDesc     = desc("peer", "round_trip_seconds", "Time from a request to its final response, an INVITE's to its 100; the quantiles of the last minutes.", "peer")
)

// peerDescs are the metrics of peers.
var peerDescs = []*prometheus.Desc{peerRequestsDesc, peerAnswersDesc, peerFailedDesc, peerRefusedDesc, peerConnsDesc, peerDownDesc, peerTripDesc}

// collectPeers reads the configured peers, which are few: others would make labels
// without end.
func collectPeers(n *Node, to chan<- prometheus.Metric) {
	put := putTo(to)
	for _, p := range n.PeerStates() {
		if !p.Configured {
			continue
		}
		name := strings.ToValidUTF8(p.Name, "?")
		count := func(d *prometheus.Desc, n uint64, labels ...string) {
			put(d, prometheus.CounterValue, float64(n), append([]string{name}, labels...)...)
		}
		count(peerRequestsDesc, p.RequestsIn, "in")
		count(peerRequestsDesc, p.RequestsOut, "out")
		for c, n := range p.Answers {
			count(peerAnswersDesc, n, string(rune('1'+c))+"xx")
		}
		count(peerFailedDesc, p.Failed)
		count(peerRefusedDesc, p.Refused)
		put(peerConnsDesc, prometheus.GaugeValue, float64(p.Connections), name)
		down := 0.0
		if !p.Down.IsZero() {
			down = 1
		}
		put(peerDownDesc, prometheus.GaugeValue, down, name)
		r := &p.RoundTrip
		to <- prometheus.MustNewConstSummary(peerTripDesc, r.Count, r.Sum.Seconds(),
			map[float64]float64{0.5: r.P50.Seconds(), 0.99: r.P99.Seconds()}, name)
	}
}
