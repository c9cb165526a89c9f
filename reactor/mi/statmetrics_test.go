package mi

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// TestNamedMetrics: names as OpenSIPS' module makes them, in its three modes.
func TestNamedMetrics(t *testing.T) {
	s := NewStatistics(func(add func(Value)) {
		add(Value{Group: "net", Name: "waiting_tls", N: 3, Gauge: true})
		add(Value{Group: "net", Name: "accepted", N: 7})
		add(Value{Group: "dynamic", Name: "accepted", N: 9, Gauge: true})
		add(Value{Group: "method", Name: "X-OWN", N: 1})
	})
	const help = "# HELP %s A statistic that get_statistics gives, too.\n# TYPE %s "
	head := func(name, kind string) string { return strings.ReplaceAll(help, "%s", name) + kind + "\n" }
	for _, tt := range []struct {
		c    NamedMetrics
		want string
	}{
		{NamedMetrics{Names: []string{"net:", "method:X-OWN"}, Prefix: "opensips", Delimiter: "_"},
			head("opensips_accepted", "counter") + "opensips_accepted 7\n" + head("opensips_waiting_tls", "gauge") + "opensips_waiting_tls 3\n" +
				head("opensips_X_OWN", "counter") + "opensips_X_OWN 1\n"},
		{NamedMetrics{Names: []string{"all"}, Prefix: "opensips", Delimiter: "_"}, // two have one name: the first
			head("opensips_accepted", "counter") + "opensips_accepted 7\n" + head("opensips_waiting_tls", "gauge") + "opensips_waiting_tls 3\n" +
				head("opensips_X_OWN", "counter") + "opensips_X_OWN 1\n"},
		{NamedMetrics{Names: []string{"accepted"}, Prefix: "p", Delimiter: "__", Group: func(g string) string { return "g" + g }},
			head("p__gdynamic__accepted", "gauge") + "p__gdynamic__accepted 9\n" + head("p__gnet__accepted", "counter") + "p__gnet__accepted 7\n"},
		{NamedMetrics{Names: []string{"accepted"}, Prefix: "p", Delimiter: "_", Label: "of"},
			head("p_accepted", "counter") + `p_accepted{of="dynamic"} 9` + "\n" + `p_accepted{of="net"} 7` + "\n"},
		{NamedMetrics{Prefix: "p", Delimiter: "_"}, ""},
	} {
		tt.c.Statistics = s
		if err := testutil.CollectAndCompare(&tt.c, strings.NewReader(tt.want)); err != nil {
			t.Errorf("%+v: %v", tt.c, err)
		}
	}
}

// TestNamedMetricsOfANode: whatever there is can be given beside the node's own
// metrics.
func TestNamedMetricsOfANode(t *testing.T) {
	n, _ := fakeNode()
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(NewCollector(n), &NamedMetrics{Statistics: n.Statistics(), Names: []string{"all"}, Prefix: "opensips", Delimiter: "_"})
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "opensips_") {
			named++
		}
	}
	if named < 100 {
		t.Errorf("%d statistics", named)
	}
}
