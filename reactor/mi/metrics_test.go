package mi

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
)

func TestMetrics(t *testing.T) {
	n, _ := fakeNode()
	n.Traces[0].Set(true)
	const want = `
# HELP sipreactor_build_info The program's version; always 1.
# TYPE sipreactor_build_info gauge
sipreactor_build_info{version="sipreactor (1.0 (amd64/linux))"} 1
# HELP sipreactor_connections Connections there are.
# TYPE sipreactor_connections gauge
sipreactor_connections{direction="in",phase="closing",proto="tcp"} 1
sipreactor_connections{direction="in",phase="closing",proto="tls"} 0
sipreactor_connections{direction="in",phase="connecting",proto="tcp"} 0
sipreactor_connections{direction="in",phase="connecting",proto="tls"} 0
sipreactor_connections{direction="in",phase="enrolling",proto="tcp"} 0
sipreactor_connections{direction="in",phase="enrolling",proto="tls"} 0
sipreactor_connections{direction="in",phase="established",proto="tcp"} 0
sipreactor_connections{direction="in",phase="established",proto="tls"} 1
sipreactor_connections{direction="in",phase="handshaking",proto="tcp"} 0
sipreactor_connections{direction="in",phase="handshaking",proto="tls"} 0
sipreactor_connections{direction="out",phase="closing",proto="tcp"} 0
sipreactor_connections{direction="out",phase="closing",proto="tls"} 0
sipreactor_connections{direction="out",phase="connecting",proto="tcp"} 1
sipreactor_connections{direction="out",phase="connecting",proto="tls"} 0
sipreactor_connections{direction="out",phase="enrolling",proto="tcp"} 0
sipreactor_connections{direction="out",phase="enrolling",proto="tls"} 0
sipreactor_connections{direction="out",phase="established",proto="tcp"} 0
sipreactor_connections{direction="out",phase="established",proto="tls"} 0
sipreactor_connections{direction="out",phase="handshaking",proto="tcp"} 0
sipreactor_connections{direction="out",phase="handshaking",proto="tls"} 0
sipreactor_connections{direction="in",phase="closing",proto="ws"} 0
sipreactor_connections{direction="in",phase="connecting",proto="ws"} 0
sipreactor_connections{direction="in",phase="enrolling",proto="ws"} 0
sipreactor_connections{direction="in",phase="established",proto="ws"} 0
sipreactor_connections{direction="in",phase="handshaking",proto="ws"} 0
sipreactor_connections{direction="out",phase="closing",proto="ws"} 0
sipreactor_connections{direction="out",phase="connecting",proto="ws"} 0
sipreactor_connections{direction="out",phase="enrolling",proto="ws"} 0
sipreactor_connections{direction="out",phase="established",proto="ws"} 0
sipreactor_connections{direction="out",phase="handshaking",proto="ws"} 0
sipreactor_connections{direction="in",phase="closing",proto="wss"} 0
sipreactor_connections{direction="in",phase="connecting",proto="wss"} 0
sipreactor_connections{direction="in",phase="enrolling",proto="wss"} 0
sipreactor_connections{direction="in",phase="established",proto="wss"} 0
sipreactor_connections{direction="in",phase="handshaking",proto="wss"} 0
sipreactor_connections{direction="out",phase="closing",proto="wss"} 0
sipreactor_connections{direction="out",phase="connecting",proto="wss"} 0
sipreactor_connections{direction="out",phase="enrolling",proto="wss"} 0
sipreactor_connections{direction="out",phase="established",proto="wss"} 0
sipreactor_connections{direction="out",phase="handshaking",proto="wss"} 0
# HELP sipreactor_connections_accepted_total Connections of peers that were accepted.
# TYPE sipreactor_connections_accepted_total counter
sipreactor_connections_accepted_total 7
# HELP sipreactor_queued_messages Messages that wait to be written.
# TYPE sipreactor_queued_messages gauge
sipreactor_queued_messages{proto="tcp"} 0
sipreactor_queued_messages{proto="tls"} 2
sipreactor_queued_messages{proto="ws"} 0
sipreactor_queued_messages{proto="wss"} 0
# HELP sipreactor_stuck_connections Connections whose peer takes nothing at the moment.
# TYPE sipreactor_stuck_connections gauge
sipreactor_stuck_connections{proto="tcp"} 1
sipreactor_stuck_connections{proto="tls"} 0
sipreactor_stuck_connections{proto="ws"} 0
sipreactor_stuck_connections{proto="wss"} 0
# HELP sipreactor_proxy_replies_total Responses of our own, by status code.
# TYPE sipreactor_proxy_replies_total counter
sipreactor_proxy_replies_total{code="503"} 4
# HELP sipreactor_proxy_requests_refused_total Requests that validation refused, by status code.
# TYPE sipreactor_proxy_requests_refused_total counter
sipreactor_proxy_requests_refused_total{code="400"} 2
# HELP sipreactor_tls_certificate_expiry_timestamp_seconds When the first of a domain's certificates ends.
# TYPE sipreactor_tls_certificate_expiry_timestamp_seconds gauge
sipreactor_tls_certificate_expiry_timestamp_seconds{domain="in",role="server"} 86400
# HELP sipreactor_connects_ended_total Connects that ended, by result: done, or the reason of the failure.
# TYPE sipreactor_connects_ended_total counter
sipreactor_connects_ended_total{result="connect_failed"} 0
sipreactor_connects_ended_total{result="connect_timeout"} 2
sipreactor_connects_ended_total{result="done"} 4
sipreactor_connects_ended_total{result="shutdown"} 1
# HELP sipreactor_connections_refused_total Connections that were accepted and closed at once, by cause.
# TYPE sipreactor_connections_refused_total counter
sipreactor_connections_refused_total{cause="descriptors"} 0
sipreactor_connections_refused_total{cause="max_connections"} 6
sipreactor_connections_refused_total{cause="overload"} 0
sipreactor_connections_refused_total{cause="shutdown"} 0
sipreactor_connections_refused_total{cause="source_connections"} 0
sipreactor_connections_refused_total{cause="source_handshake_rate"} 0
sipreactor_connections_refused_total{cause="source_handshakes"} 0
sipreactor_connections_refused_total{cause="table_full"} 0
sipreactor_connections_refused_total{cause="vanished"} 0
# HELP sipreactor_tls_handshake_duration_seconds How long TLS handshakes that succeeded took, the peer's time included.
# TYPE sipreactor_tls_handshake_duration_seconds histogram
sipreactor_tls_handshake_duration_seconds_bucket{direction="in",le="0.001"} 1
sipreactor_tls_handshake_duration_seconds_bucket{direction="in",le="1"} 4
sipreactor_tls_handshake_duration_seconds_bucket{direction="in",le="+Inf"} 5
sipreactor_tls_handshake_duration_seconds_sum{direction="in"} 2.5
sipreactor_tls_handshake_duration_seconds_count{direction="in"} 5
sipreactor_tls_handshake_duration_seconds_bucket{direction="out",le="+Inf"} 0
sipreactor_tls_handshake_duration_seconds_sum{direction="out"} 0
sipreactor_tls_handshake_duration_seconds_count{direction="out"} 0
# HELP sipreactor_tls_handshake_defects_total What the TLS layer found wrong with handshakes.
# TYPE sipreactor_tls_handshake_defects_total counter
sipreactor_tls_handshake_defects_total{defect="alert_received_unknown_ca"} 1
sipreactor_tls_handshake_defects_total{defect="no_certificate"} 2
# HELP sipreactor_trace_packets_dropped_total Trace packets that a collector did not get.
# TYPE sipreactor_trace_packets_dropped_total counter
sipreactor_trace_packets_dropped_total{collector="homer"} 1
sipreactor_trace_packets_dropped_total{collector="spare"} 2
# HELP sipreactor_script_statistic What the routing script counts by update_stat().
# TYPE sipreactor_script_statistic gauge
sipreactor_script_statistic{group="dynamic",name="active"} 1
sipreactor_script_statistic{group="dynamic",name="calls"} 3
# HELP sipreactor_tls_tracing Whether TLS connections are traced.
# TYPE sipreactor_tls_tracing gauge
sipreactor_tls_tracing 1
`
	err := testutil.CollectAndCompare(NewCollector(n), strings.NewReader(want),
		"sipreactor_build_info", "sipreactor_connections", "sipreactor_connections_accepted_total", "sipreactor_queued_messages",
		"sipreactor_stuck_connections", "sipreactor_proxy_replies_total", "sipreactor_proxy_requests_refused_total",
		"sipreactor_tls_certificate_expiry_timestamp_seconds", "sipreactor_tls_tracing", "sipreactor_connects_ended_total",
		"sipreactor_connections_refused_total", "sipreactor_tls_handshake_duration_seconds", "sipreactor_tls_handshake_defects_total",
		"sipreactor_trace_packets_dropped_total", "sipreactor_script_statistic")
	if err != nil {
		t.Error(err)
	}
}

// TestMetricsConventions runs Prometheus' own checks of names, types and help.
func TestMetricsConventions(t *testing.T) {
	n, _ := fakeNode()
	problems, err := testutil.CollectAndLint(NewCollector(n))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	if _, err := promlint.New(strings.NewReader("x 1\n")).Lint(); err != nil {
		t.Error(err)
	}
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(NewCollector(n))
	families, err := r.Gather()
	if err != nil {
		t.Error(err)
	}
	described := make(chan *prometheus.Desc, 100)
	NewCollector(n).Describe(described)
	if len(families) != len(described) {
		t.Errorf("%d metrics are described, %d given", len(described), len(families))
	}
}

// everything is a Proxy that has made every response there is.
type everything struct{ fakeProxy }

func (everything) OwnResponses(int) uint64 { return 1 }
func (everything) Refused(int) uint64      { return 1 }

// TestMetricsAreBounded: however many connections and reasons, the series are
// as many as the fixed sets make.
func TestMetricsAreBounded(t *testing.T) {
	n, e := fakeNode()
	before := testutil.CollectAndCount(NewCollector(n))
	for i := range 5000 {
		e.conns = append(e.conns, reactor.ConnInfo{Source: reactor.Source{Conn: reactor.Handle(i + 10), Proto: reactor.TLS,
			Remote: addr(fmt.Sprintf("192.0.2.%d:%d", i%256, i+1))}, Phase: reactor.PhaseEstablished, Domain: fmt.Sprint(i)})
		e.stats.Closed[reactor.Reason(i%256)]++
	}
	if after := testutil.CollectAndCount(NewCollector(n)); after != before {
		t.Errorf("%d series became %d", before, after)
	}
	n.Proxy = everything{}
	if all := testutil.CollectAndCount(NewCollector(n)); all > before+2*600 {
		t.Errorf("%d series", all)
	}
	if all := testutil.CollectAndCount(NewCollector(&Node{})); all != 2 {
		t.Errorf("a node without parts has %d", all)
	}
}

func TestMetricsOverHTTP(t *testing.T) {
	n, _ := fakeNode()
	more := prometheus.NewCounter(prometheus.CounterOpts{Name: "sipreactor_more_total", Help: "More."})
	handler, err := Metrics(n, nil, more)
	if err != nil {
		t.Fatal(err)
	}
	h := serveHTTP(t, HTTPConfig{}, commandsOf(t, n))
	h.Handle("GET /metrics", handler)
	resp, body := send(t, h, "GET", "/metrics", "")
	if resp.StatusCode != 200 {
		t.Fatalf("%d %s", resp.StatusCode, body)
	}
	for _, line := range []string{`sipreactor_tls_handshakes_total{direction="in",version="TLSv1.3"} 4`, "sipreactor_more_total 0", "go_goroutines ", "process_start_time_seconds ",
		`sipreactor_connections_closed_total{blame="none",reason="idle_timeout"} 3`,
		fmt.Sprintf(`sipreactor_proxy_messages_total{outcome="loops"} %d`, proxy.Loops+1)} {
		if !strings.Contains(body, "\n"+line) {
			t.Errorf("%q is missing", line)
		}
	}
	problems, err := promlint.New(strings.NewReader(body)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, namespace) {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	if _, err := Metrics(n, nil, NewCollector(n)); err == nil {
		t.Error("the same metrics twice")
	}
}

// gone is a client that has gone behind its first bytes.
type gone struct {
	http.ResponseWriter
	writes int
}

func (g *gone) Write([]byte) (int, error) {
	g.writes++
	return 0, syscall.EPIPE
}

// TestScrapeThatEndsEarly: who wants no more of the metrics is written nothing more, and no error is logged.
func TestScrapeThatEndsEarly(t *testing.T) {
	n, _ := fakeNode()
	var log bytes.Buffer
	handler, err := Metrics(n, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	w := &gone{ResponseWriter: httptest.NewRecorder()}
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.writes != 1 {
		t.Errorf("%d writes", w.writes)
	}
	if lines := log.String(); strings.Count(lines, "\n") > 1 || strings.Count(lines, "level=DEBUG") != strings.Count(lines, "\n") {
		t.Error(lines)
	}
}

// TestMetricsThatCannotBeCollected: the others are served, and what is wrong is logged.
func TestMetricsThatCannotBeCollected(t *testing.T) {
	n, _ := fakeNode()
	var log bytes.Buffer
	good := prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "good_total", Help: "Good."}, func() float64 { return 1 })
	handler, err := Metrics(n, slog.New(slog.NewTextHandler(&log, nil)), good, twice{})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "\ngood_total 1\n") {
		t.Error(w.Code, w.Body)
	}
	if lines := log.String(); strings.Count(lines, "\n") != 1 || !strings.Contains(lines, "level=ERROR") || !strings.Contains(lines, "twice_total") {
		t.Error(lines)
	}
}

// twice is a collector that gives the same metric two times, which no registry takes.
type twice struct{}

var twiceDesc = prometheus.NewDesc("twice_total", "Twice.", nil, nil)

func (twice) Describe(to chan<- *prometheus.Desc) { to <- twiceDesc }

func (twice) Collect(to chan<- prometheus.Metric) {
	for range 2 {
		to <- prometheus.MustNewConstMetric(twiceDesc, prometheus.CounterValue, 1)
	}
}
