package mi

import (
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
)

// namespace begins the names of all our metrics.
const namespace = "sipreactor"

// desc describes a metric of a subsystem.
func desc(subsystem, name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, subsystem, name), help, labels, nil)
}

var (
	proxyDesc     = desc("proxy", "messages_total", "What the proxy did with messages; see the package proxy for the outcomes.", "outcome")
	responsesDesc = desc("proxy", "replies_total", "Responses of our own, by status code.", "code")
	refusedDesc   = desc("proxy", "requests_refused_total", "Requests that validation refused, by status code.", "code")
	brokenDesc    = desc("proxy", "message_defects_total", "Messages that validation refused or dropped, by what was wrong.", "defect")
	expiryDesc    = desc("tls", "certificate_expiry_timestamp_seconds", "When the first of a domain's certificates ends.", "domain", "role")
	tracingDesc   = desc("tls", "tracing", "Whether TLS connections are traced.")
	sentDesc      = desc("trace", "packets_sent_total", "Trace packets that the system took for a collector.", "collector")
	lostDesc      = desc("trace", "packets_dropped_total", "Trace packets that a collector did not get.", "collector")
	redialDesc    = desc("trace", "redials_total", "Attempts to connect to a collector again.", "collector")
	backlogDesc   = desc("trace", "queued_packets", "Trace packets that wait to be sent.", "collector")
	scriptDesc    = desc("script", "statistic", "What the routing script counts by update_stat().", "group", "name")
	startDesc     = desc("", "start_timestamp_seconds", "When the program started.")
	infoDesc      = desc("", "build_info", "The program's version; always 1.", "version")
)

// Collector reads the metrics of a node when it is asked for them. Labels have
// values of fixed sets only, but for the names of domains, of configured peers,
// of collectors and of the script's statistics, which are bounded.
type Collector struct{ node *Node }

// NewCollector makes a Collector, which may be registered with any registry.
func NewCollector(n *Node) *Collector { return &Collector{n} }

// Describe implements prometheus.Collector.
func (c *Collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range figureDescs {
		if d != nil {
			to <- d
		}
	}
	for _, d := range engineDescs {
		to <- d
	}
	for _, d := range peerDescs {
		to <- d
	}
	for _, d := range []*prometheus.Desc{proxyDesc, responsesDesc, refusedDesc, brokenDesc, expiryDesc, tracingDesc,
		sentDesc, lostDesc, redialDesc, backlogDesc, scriptDesc, startDesc, infoDesc} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (c *Collector) Collect(to chan<- prometheus.Metric) {
	n := c.node
	put := putTo(to)
	put(infoDesc, prometheus.GaugeValue, 1, n.Version)
	put(startDesc, prometheus.GaugeValue, float64(n.Started.UnixMilli())/1000)
	if n.Engine != nil {
		collectEngine(n.Engine, to)
		collectConns(n.Engine, put)
	}
	if n.Proxy != nil {
		collectProxy(n.Proxy, put)
	}
	collectPeers(n, to)
	if n.Script != nil {
		n.Script(func(v Value) {
			put(scriptDesc, prometheus.GaugeValue, float64(v.N), v.Group, v.Name)
		})
	}
	for _, t := range n.Traces {
		on := 0.0
		if t.On() {
			on = 1
		}
		if t.Proto == reactor.TLS {
			put(tracingDesc, prometheus.GaugeValue, on)
		}
	}
	if n.Collectors != nil {
		for _, t := range n.Collectors() {
			name := strings.ToValidUTF8(t.Name, "?")
			put(sentDesc, prometheus.CounterValue, float64(t.Sent), name)
			put(lostDesc, prometheus.CounterValue, float64(t.Dropped), name)
			put(redialDesc, prometheus.CounterValue, float64(t.Redials), name)
			put(backlogDesc, prometheus.GaugeValue, float64(t.Queued), name)
		}
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

func putTo(to chan<- prometheus.Metric) putFunc {
	return func(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, kind, v, labels...)
	}
}

func collectProxy(p Proxy, put putFunc) {
	eachCause(p.Defects(), func(cause string, n uint64) { put(brokenDesc, prometheus.CounterValue, float64(n), cause) })
	p.Counters(func(c proxy.Counter, n uint64) { put(proxyDesc, prometheus.CounterValue, float64(n), c.String()) })
	for code := 100; code < 700; code++ {
		if n := p.OwnResponses(code); n > 0 {
			put(responsesDesc, prometheus.CounterValue, float64(n), strconv.Itoa(code))
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
	// What can be collected is served without the rest. A scrape that ends early is nothing to complain of, and ends at
	// the first write that fails, which ContinueOnError would go on from.
	gather := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		families, err := r.Gather()
		if err != nil {
			log.Error("metrics cannot be collected", "error", err)
		}
		if len(families) > 0 {
			err = nil
		}
		return families, err
	})
	return promhttp.HandlerFor(gather, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		ErrorHandling:       promhttp.HTTPErrorOnError,
		MaxRequestsInFlight: 4,
	}), nil
}
