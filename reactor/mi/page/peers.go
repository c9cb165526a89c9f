package page

import (
	"time"

	"sipreactor/reactor/mi"
)

// maxPeersShown is how many peers an overview lists.
const maxPeersShown = 50

// peer is one trunk.
type peer struct {
	Name, State             string
	Configured              bool
	Connections, Connecting int
	RequestsIn, RequestsOut uint64
	Unanswered              uint64
	Answers                 [6]uint64 // by class, from 1xx
	Failed, Refused         uint64
	P50, P99                float64 // milliseconds; 0 = there was nothing of late
	LastError               string
	LastErrorAt             *time.Time // nil = there was none
	DownFor                 float64    // seconds
}

// peers writes down the peers in most trouble.
func (o *overview) peers(list []mi.Peer, now time.Time) {
	o.Peers, o.PeersTotal = []peer{}, len(list)
	for i := range list[:min(len(list), maxPeersShown)] {
		p := &list[i]
		one := peer{Name: p.Name, State: p.State(), Configured: p.Configured, Connections: p.Connections, Connecting: p.Connecting,
			RequestsIn: p.RequestsIn, RequestsOut: p.RequestsOut, Unanswered: p.Unanswered(), Answers: p.Answers, Failed: p.Failed, Refused: p.Refused,
			P50: inMilliseconds(p.RoundTrip.P50), P99: inMilliseconds(p.RoundTrip.P99), LastError: brief(p.LastError)}
		if p.LastError != "" {
			one.LastErrorAt = &p.LastErrorAt
		}
		if !p.Down.IsZero() {
			one.DownFor = max(0, now.Sub(p.Down).Seconds())
		}
		o.Peers = append(o.Peers, one)
	}
}

func inMilliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
