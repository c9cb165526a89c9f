package mi

import (
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
)

// namespace begins the names of all our metrics.
const namespace = "sipreactor"

// desc describes a metric of a subsystem.
func desc(subsystem, name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, subsystem, name), help, labels, nil)
}

// engineMetric is a metric that Stats holds as a number.
type engineMetric struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	get  func(s *reactor.Stats) uint64
}

func counter(subsystem, name, help string, get func(*reactor.Stats) uint64) engineMetric {
	return engineMetric{desc(subsystem, name, help), prometheus.CounterValue, get}
}

func gauge(subsystem, name, help string, get func(*reactor.Stats) int) engineMetric {
	return engineMetric{desc(subsystem, name, help), prometheus.GaugeValue, func(s *reactor.Stats) uint64 { return uint64(get(s)) }}
}

var engineMetrics = []engineMetric{
	counter("connections", "accepted_total", "Connections of peers that were accepted.", func(s *reactor.Stats) uint64 { return s.Accepted }),
	counter("connections", "refused_total", "Connections that were accepted and closed at once.", func(s *reactor.Stats) uint64 { return s.Refused }),
	counter("connections", "established_total", "Connections that became ready for messages.", func(s *reactor.Stats) uint64 { return s.Established }),
	counter("connections", "dialled_total", "Connections that we began to open.", func(s *reactor.Stats) uint64 { return s.Dials }),
	counter("connections", "parked_total", "Connects that outlasted the sender's budget and went on alone.", func(s *reactor.Stats) uint64 { return s.Parked }),
	gauge("connections", "parked", "Connects that are going on alone.", func(s *reactor.Stats) int { return s.Parking }),
	gauge("", "peers", "End points that connections are known to.", func(s *reactor.Stats) int { return s.Peers }),
	counter("tls", "handshakes_total", "TLS handshakes that were completed.", func(s *reactor.Stats) uint64 { return s.Handshakes }),
	counter("tls", "handshakes_failed_total", "TLS handshakes that failed.", func(s *reactor.Stats) uint64 { return s.HandshakesFailed }),
	counter("tls", "handshakes_resumed_total", "TLS handshakes that resumed a session.", func(s *reactor.Stats) uint64 { return s.Resumed }),
	counter("messages", "received_total", "Whole messages that were received.", func(s *reactor.Stats) uint64 { return s.MessagesIn }),
	counter("messages", "sent_total", "Messages that were written to connections.", func(s *reactor.Stats) uint64 { return s.MessagesOut }),
	counter("messages", "sent_batches_total", "Batches in which messages were written.", func(s *reactor.Stats) uint64 { return s.Batches }),
	counter("messages", "datagrams_sent_total", "Messages that were sent as datagrams.", func(s *reactor.Stats) uint64 { return s.DatagramsOut }),
	counter("messages", "undelivered_total", "Messages that were taken for sending and not delivered.", func(s *reactor.Stats) uint64 { return s.Undelivered }),
	counter("messages", "malformed_total", "Streams whose framing was lost.", func(s *reactor.Stats) uint64 { return s.Malformed }),
	counter("messages", "overflow_total", "Messages that no worker had room for.", func(s *reactor.Stats) uint64 { return s.Overflow }),
	counter("messages", "dropped_total", "Messages that no worker had room for and that got no answer.", func(s *reactor.Stats) uint64 { return s.Dropped }),
	counter("", "pings_total", "Pings that were answered.", func(s *reactor.Stats) uint64 { return s.Pings }),
	counter("", "received_bytes_total", "Bytes read from sockets.", func(s *reactor.Stats) uint64 { return s.BytesIn }),
	counter("", "sent_bytes_total", "Bytes written to sockets.", func(s *reactor.Stats) uint64 { return s.BytesOut }),
	counter("writes", "blocked_total", "Times that a peer took no more for a while.", func(s *reactor.Stats) uint64 { return s.Blocked }),
	counter("writes", "timed_out_total", "Times that a peer took nothing for longer than the send timeout.", func(s *reactor.Stats) uint64 { return s.SendTimeouts }),
	counter("workers", "takeovers_total", "Times that a worker waited and another took its messages over.", func(s *reactor.Stats) uint64 { return s.Takeovers }),
	counter("workers", "waiters_full_total", "Waits that were refused because as many workers waited already.", func(s *reactor.Stats) uint64 { return s.WaitersFull }),
}

var (
	closedDesc  = desc("connections", "closed_total", "Connections that ended, by reason and side to blame.", "reason", "blame")
	connsDesc   = desc("", "connections", "Connections there are.", "proto", "direction", "phase")
	queueDesc   = desc("", "queued_messages", "Messages that wait to be written.", "proto")
	stuckDesc   = desc("", "stuck_connections", "Connections whose peer takes nothing at the moment.", "proto")
	unreadDesc  = desc("", "unread_bytes", "Bytes that wait in the kernel to be read.", "proto")
	proxyDesc   = desc("proxy", "messages_total", "What the proxy did with messages; see the package proxy for the outcomes.", "outcome")
	repliesDesc = desc("proxy", "replies_total", "Replies of our own, by status code.", "code")
	refusedDesc = desc("proxy", "requests_refused_total", "Requests that validation refused, by status code.", "code")
	expiryDesc  = desc("tls", "certificate_expiry_timestamp_seconds", "When the first of a domain's certificates ends.", "domain", "role")
	tracingDesc = desc("tls", "tracing", "Whether TLS connections are traced.")
	startDesc   = desc("", "start_timestamp_seconds", "When the program started.")
	infoDesc    = desc("", "build_info", "The program's version; always 1.", "version")
)

// Collector reads the metrics of a node when it is asked for them. Labels have
// values of fixed sets only, the names of domains excepted.
type Collector struct{ node *Node }

// NewCollector makes a Collector, which may be registered with any registry.
func NewCollector(n *Node) *Collector { return &Collector{n} }

// Describe implements prometheus.Collector.
func (c *Collector) Describe(to chan<- *prometheus.Desc) {
	for i := range engineMetrics {
		to <- engineMetrics[i].desc
	}
	for _, d := range []*prometheus.Desc{closedDesc, connsDesc, queueDesc, stuckDesc, unreadDesc, proxyDesc,
		repliesDesc, refusedDesc, expiryDesc, tracingDesc, startDesc, infoDesc} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (c *Collector) Collect(to chan<- prometheus.Metric) {
	n := c.node
	put := func(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, kind, v, labels...)
	}
	put(infoDesc, prometheus.GaugeValue, 1, n.Version)
	put(startDesc, prometheus.GaugeValue, float64(n.Started.UnixMilli())/1000)
	if n.Engine != nil {
		collectEngine(n.Engine, put)
		collectConns(n.Engine, put)
	}
	if n.Proxy != nil {
		collectProxy(n.Proxy, put)
	}
	if n.Trace != nil {
		on := 0.0
		if n.Trace.On() {
			on = 1
		}
		put(tracingDesc, prometheus.GaugeValue, on)
	}
	if n.Domains != nil {
		for _, d := range n.Domains() {
			if d.NotAfter.IsZero() {
				continue
			}
			put(expiryDesc, prometheus.GaugeValue, float64(d.NotAfter.Unix()), strings.ToValidUTF8(d.Config.Name, "?"), roleName(d.Config.Role))
		}
	}
}

// putFunc takes one value.
type putFunc func(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string)

func collectEngine(e Engine, put putFunc) {
	s := e.Stats()
	for i := range engineMetrics {
		m := &engineMetrics[i]
		put(m.desc, m.kind, float64(m.get(&s)))
	}
	eachReason(func(r reactor.Reason) {
		put(closedDesc, prometheus.CounterValue, float64(s.Closed[r]), strings.ReplaceAll(r.String(), " ", "_"), r.Blame().String())
	})
	for _, p := range []reactor.Proto{reactor.UDP, reactor.TCP, reactor.TLS} {
		put(unreadDesc, prometheus.GaugeValue, float64(waiting(e.Sockets(), p)), p.String())
	}
}

func collectConns(e Engine, put putFunc) {
	counted := count(e)
	eachClass(func(c connClass) {
		put(connsDesc, prometheus.GaugeValue, float64(counted.conns[c]), c.proto.String(), c.direction(), c.phase)
	})
	for _, p := range connProtos {
		put(queueDesc, prometheus.GaugeValue, float64(counted.queued[p]), p.String())
		put(stuckDesc, prometheus.GaugeValue, float64(counted.stuck[p]), p.String())
	}
}

func collectProxy(p Proxy, put putFunc) {
	p.Counters(func(c proxy.Counter, n uint64) { put(proxyDesc, prometheus.CounterValue, float64(n), c.String()) })
	for code := 100; code < 700; code++ {
		if n := p.Replies(code); n > 0 {
			put(repliesDesc, prometheus.CounterValue, float64(n), strconv.Itoa(code))
		}
		if n := p.Refused(code); n > 0 {
			put(refusedDesc, prometheus.CounterValue, float64(n), strconv.Itoa(code))
		}
	}
}

// Metrics serves the node's metrics, and those of the Go runtime and the
// process, to Prometheus. Further collectors may be given. The log gets what
// could not be collected.
func Metrics(n *Node, log *slog.Logger, more ...prometheus.Collector) (http.Handler, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	r := prometheus.NewRegistry()
	all := append([]prometheus.Collector{NewCollector(n), collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})}, more...)
	for _, c := range all {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(log.Handler(), slog.LevelError),
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: 4,
	}), nil
}
