package mi

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// NamedMetrics is a prometheus.Collector of statistics under the names that
// OpenSIPS' module prometheus gives them: PREFIX_name, for dashboards that are
// there already. What a name holds that a metric's may not becomes _. Of two
// statistics that come to one series the first is given.
type NamedMetrics struct {
	Statistics *Statistics
	// Names are names, groups (group:), group:name or all.
	Names []string
	// Prefix stands before each name, Delimiter between the parts.
	Prefix, Delimiter string
	// Group, unless it is nil, puts the group before the name, changed by it.
	Group func(group string) string
	// Label, unless it is empty, is the label that has the group.
	Label string
}

// Describe implements prometheus.Collector. Names are not known beforehand.
func (*NamedMetrics) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c *NamedMetrics) Collect(to chan<- prometheus.Metric) {
	kinds := make(map[string]prometheus.ValueType)
	given := make(map[[2]string]bool)
	c.Statistics.gather(wanted(c.Names), func(v Value) {
		parts := []string{v.Name}
		if c.Group != nil {
			parts = []string{c.Group(v.Group), v.Name}
		}
		name := plainName(c.Prefix + c.Delimiter + strings.Join(parts, c.Delimiter))
		var labels, values []string
		if c.Label != "" {
			labels, values = []string{c.Label}, []string{v.Group}
		}
		series := [2]string{name, strings.Join(values, "")}
		if given[series] {
			return
		}
		given[series] = true
		kind, known := kinds[name]
		if !known {
			kind = prometheus.CounterValue
			if v.Gauge {
				kind = prometheus.GaugeValue
			}
			kinds[name] = kind
		}
		d := prometheus.NewDesc(name, "A statistic that get_statistics gives, too.", labels, nil)
		if m, err := prometheus.NewConstMetric(d, kind, float64(v.N), values...); err == nil {
			to <- m
		}
	})
}
