package mi

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sipreactor/reactor"
)

// figureDescs are the metrics that reactor.Figures tells, by its index; nil for what
// is none.
var figureDescs = func() []*prometheus.Desc {
	all := make([]*prometheus.Desc, len(reactor.Figures))
	for i := range reactor.Figures {
		if f := &reactor.Figures[i]; f.Metric != "" {
			all[i] = desc("", f.Metric, f.Help, f.Labels...)
		}
	}
	return all
}()

var (
	tookDesc   = desc("tls", "handshake_duration_seconds", "How long TLS handshakes that succeeded took, the peer's time included.", "direction")
	connsDesc  = desc("", "connections", "Connections there are.", "proto", "direction", "phase")
	queueDesc  = desc("", "queued_messages", "Messages that wait to be written.", "proto")
	stuckDesc  = desc("", "stuck_connections", "Connections whose peer takes nothing at the moment.", "proto")
	unreadDesc = desc("", "unread_bytes", "Bytes that wait in the kernel to be read.", "proto")
)

// engineDescs are the other metrics of an engine.
var engineDescs = []*prometheus.Desc{tookDesc, connsDesc, queueDesc, stuckDesc, unreadDesc}

func collectEngine(e Engine, to chan<- prometheus.Metric) {
	put := putTo(to)
	s := e.Stats()
	for i, d := range figureDescs {
		if d == nil {
			continue
		}
		f := &reactor.Figures[i]
		kind := prometheus.CounterValue
		if f.Level {
			kind = prometheus.GaugeValue
		}
		f.Each(&s, func(n uint64, labels ...string) { put(d, kind, float64(n), labels...) })
	}
	for _, p := range allProtos {
		put(unreadDesc, prometheus.GaugeValue, float64(Waiting(e, p)), p.String())
	}
	to <- histogram(tookDesc, &s.HandshakesIn.Took, "in")
	to <- histogram(tookDesc, &s.HandshakesOut.Took, "out")
}

// histogram writes a Histogram in seconds and with cumulative buckets.
func histogram(d *prometheus.Desc, h *reactor.Histogram, labels ...string) prometheus.Metric {
	buckets := make(map[float64]uint64, len(h.Bounds))
	var n uint64
	for i, c := range h.Counts {
		n += c
		if i < len(h.Bounds) {
			buckets[h.Bounds[i].Seconds()] = n
		}
	}
	return prometheus.MustNewConstHistogram(d, n, float64(h.Sum)/float64(time.Second), buckets, labels...)
}

func collectConns(e Engine, put putFunc) {
	counted := count(e)
	eachClass(func(c ConnClass) {
		put(connsDesc, prometheus.GaugeValue, float64(counted.Conns[c]), c.Proto.String(), c.Direction(), c.Phase.String())
	})
	for _, p := range connProtos {
		put(queueDesc, prometheus.GaugeValue, float64(counted.Queued[p]), p.String())
		put(stuckDesc, prometheus.GaugeValue, float64(counted.Stuck[p]), p.String())
	}
}
