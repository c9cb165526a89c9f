package mi

import (
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/rpc"
	"sipreactor/tlsstate"
)

// counting tells how often the connections were walked over.
type counting struct {
	fakeEngine
	walks int
}

func (c *counting) Conns(f func(*reactor.ConnInfo) bool) {
	c.walks++
	c.fakeEngine.Conns(f)
}

func TestConnFigures(t *testing.T) {
	_, fake := fakeNode()
	e := &counting{fakeEngine: *fake}
	s := NewStatistics(ConnFigures(e))
	got := map[string]uint64{}
	s.Each(func(v Value) {
		if v.Group != "net" || !v.Gauge {
			t.Errorf("%+v", v)
		}
		if v.N > 0 {
			got[v.Name] = v.N
		}
	})
	want := map[string]uint64{"connections_tls_in_established": 1, "connections_tcp_out_connecting": 1,
		"connections_tcp_in_closing": 1, "queued_tls": 2, "stuck_tcp": 1}
	for name, n := range want {
		if got[name] != n {
			t.Errorf("%s is %d", name, got[name])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%v", got)
	}
	if e.walks != 1 {
		t.Errorf("%d walks for one look", e.walks)
	}
	d := rpc.NewDispatcher(nil)
	if err := d.Register(s.Commands()...); err != nil {
		t.Fatal(err)
	}
	ask(t, d, "list_statistics", "[]")
	ask(t, d, "reset_statistics", `["all"]`)
	ask(t, d, "get_statistics", `["core:"]`)
	if e.walks != 1 {
		t.Errorf("%d walks, though nobody wanted the figures", e.walks)
	}
}

func TestCertificateFigures(t *testing.T) {
	in := func(d time.Duration) time.Time { return time.Now().Add(d) }
	domains := []tlsstate.DomainInfo{
		{Config: tlsstate.DomainConfig{Name: "edge.example", Role: tlsstate.Server}, NotAfter: in(36 * time.Hour)},
		{Config: tlsstate.DomainConfig{Name: "carrier-1"}, NotAfter: in(-time.Hour)},
		{Config: tlsstate.DomainConfig{Name: "bare", Role: tlsstate.Client}},
	}
	got := map[string]uint64{}
	NewStatistics(CertificateFigures(func() []tlsstate.DomainInfo { return domains })).Each(func(v Value) { got[v.Group+":"+v.Name] = v.N })
	one, first := got["tls:days_left_server_edge_example"]
	none, second := got["tls:days_left_client_carrier_1"]
	if one != 1 || none != 0 || !first || !second || len(got) != 2 {
		t.Errorf("%v", got)
	}
}
