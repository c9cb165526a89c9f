package mi

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"sipreactor/reactor"
	"sipreactor/reactor/rpc"
)

func TestListPeers(t *testing.T) {
	n, _ := fakeNode()
	d := rpc.NewDispatcher(nil)
	if err := d.Register(n.Commands()...); err != nil {
		t.Fatal(err)
	}
	type row struct {
		Peer, State string
		Connections int
		Unanswered  int
		Answers     map[string]int
	}
	ask := func(params string) (rows []row, total int) {
		t.Helper()
		var r struct {
			Result struct {
				Peers []row
				Total int
			}
		}
		if err := json.Unmarshal(d.Handle(t.Context(), []byte(`{"jsonrpc":"2.0","id":1,"method":"list_peers","params":`+params+`}`)), &r); err != nil {
			t.Fatal(err)
		}
		return r.Result.Peers, r.Result.Total
	}
	all, total := ask("[]")
	if total != 3 || len(all) != 3 || all[0].Peer != "192.0.2.99:5061" || all[0].State != "down" || all[2].State != "idle" {
		t.Errorf("%+v", all)
	}
	if trunk := all[1]; trunk.State != "up" || trunk.Connections != 1 || trunk.Unanswered != 2 || trunk.Answers["5xx"] != 2 {
		t.Errorf("%+v", trunk)
	}
	if some, total := ask(`["192.0.2"]`); total != 1 || some[0].Peer != "192.0.2.99:5061" {
		t.Errorf("%+v", some)
	}
	if some, total := ask(`{"limit": 1}`); total != 3 || len(some) != 1 {
		t.Errorf("%+v", some)
	}
	if some, _ := ask(`{"limit": 0}`); some != nil {
		t.Errorf("%+v", some)
	}
}

// TestPeerMetrics: only configured peers make labels.
func TestPeerMetrics(t *testing.T) {
	n, _ := fakeNode()
	const want = `
# HELP sipreactor_peer_connections Connections with a configured peer that are established.
# TYPE sipreactor_peer_connections gauge
sipreactor_peer_connections{peer="192.0.2.99:5061"} 0
sipreactor_peer_connections{peer="trunk.example"} 1
# HELP sipreactor_peer_down Whether a configured peer fails: 1, until it answers or is connected to.
# TYPE sipreactor_peer_down gauge
sipreactor_peer_down{peer="192.0.2.99:5061"} 1
sipreactor_peer_down{peer="trunk.example"} 0
# HELP sipreactor_peer_requests_refused_total Requests that got a 503 of ours because a configured peer could not be had.
# TYPE sipreactor_peer_requests_refused_total counter
sipreactor_peer_requests_refused_total{peer="192.0.2.99:5061"} 3
sipreactor_peer_requests_refused_total{peer="trunk.example"} 0
# HELP sipreactor_peer_requests_total Requests from and to a configured peer.
# TYPE sipreactor_peer_requests_total counter
sipreactor_peer_requests_total{direction="in",peer="192.0.2.99:5061"} 0
sipreactor_peer_requests_total{direction="in",peer="trunk.example"} 1
sipreactor_peer_requests_total{direction="out",peer="192.0.2.99:5061"} 0
sipreactor_peer_requests_total{direction="out",peer="trunk.example"} 9
# HELP sipreactor_peer_round_trip_seconds Time from a request to its final response, an INVITE's to its 100; the quantiles of the last minutes.
# TYPE sipreactor_peer_round_trip_seconds summary
sipreactor_peer_round_trip_seconds{peer="192.0.2.99:5061",quantile="0.5"} 0
sipreactor_peer_round_trip_seconds{peer="192.0.2.99:5061",quantile="0.99"} 0
sipreactor_peer_round_trip_seconds_sum{peer="192.0.2.99:5061"} 0
sipreactor_peer_round_trip_seconds_count{peer="192.0.2.99:5061"} 0
sipreactor_peer_round_trip_seconds{peer="trunk.example",quantile="0.5"} 0.02
sipreactor_peer_round_trip_seconds{peer="trunk.example",quantile="0.99"} 0.25
sipreactor_peer_round_trip_seconds_sum{peer="trunk.example"} 1
sipreactor_peer_round_trip_seconds_count{peer="trunk.example"} 7
`
	err := testutil.CollectAndCompare(NewCollector(n), strings.NewReader(want), "sipreactor_peer_connections", "sipreactor_peer_down",
		"sipreactor_peer_requests_refused_total", "sipreactor_peer_requests_total", "sipreactor_peer_round_trip_seconds")
	if err != nil {
		t.Error(err)
	}
}

// leftAlone is an engine that leaves a destination alone.
type leftAlone struct{ *fakeEngine }

func (leftAlone) Backoff() []reactor.BackoffInfo {
	return []reactor.BackoffInfo{{Proto: reactor.TLS, Addr: addr("192.0.2.99:5061"), Left: time.Second,
		Reason: &reactor.Error{Reason: reactor.ConnectTimeout}}}
}
func (leftAlone) ResetBackoff(netip.AddrPort) int { return 0 }

// TestPeerLeftAlone: the back-off of a peer's destination is in its row.
func TestPeerLeftAlone(t *testing.T) {
	n, e := fakeNode()
	n.Engine = leftAlone{e}
	p := n.PeerStates()[0]
	if p.Name != "192.0.2.99:5061" || p.State() != "left alone" || p.Left != time.Second || p.Reason == nil {
		t.Errorf("%+v", p)
	}
	if got := p.describe().Get("Because of"); got != "connect timeout" {
		t.Errorf("%v", got)
	}
}
