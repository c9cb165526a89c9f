package script

import (
	"slices"
	"strings"
)

// PrometheusConfig is what the module prometheus says: which statistics are
// given to Prometheus under names as OpenSIPS makes them.
type PrometheusConfig struct {
	Root        string // path, without the slash: metrics
	Prefix      string // of each name: opensips
	GroupPrefix string // of the group's name
	Delimiter   string // between the parts of a name: _
	GroupLabel  string // for GroupLabelled: group
	GroupMode   GroupMode
	// Statistics are names, groups (group:), group:name or all.
	Statistics []string
}

// GroupMode says where the group of a statistic stands.
type GroupMode uint8

// The values of group_mode.
const (
	GroupLeftOut GroupMode = iota
	GroupInName
	GroupLabelled
)

const (
	prometheusModule = "prometheus"
	fixedLabels      = "what is counted has its labels in the metrics of this program, which are always given"
)

func defaultPrometheus() PrometheusConfig {
	return PrometheusConfig{Root: "metrics", Prefix: "opensips", Delimiter: "_", GroupLabel: "group"}
}

var prometheusParams = map[string]*globalSpec{
	"root": textParam(func(c *settings, s string) string {
		if s = strings.Trim(s, "/"); s == "" || strings.Trim(s, urlPath) != "" || strings.Contains(s, "//") {
			return "is a path of letters, digits, - and _"
		}
		c.Prometheus.Root = s
		return ""
	}),
	"prefix": textParam(func(c *settings, s string) string {
		if s == "" || strings.Trim(s, metricLetters) != "" || s[0] >= '0' && s[0] <= '9' {
			return "is a name of letters, digits and _"
		}
		if slices.Contains(takenPrefixes, s) {
			return "is taken by metrics that are always given; others than " + strings.Join(takenPrefixes, ", ") + " are free"
		}
		c.Prometheus.Prefix = s
		return ""
	}),
	"group_prefix": metricWord(func(p *PrometheusConfig) *string { return &p.GroupPrefix }),
	"delimiter":    metricWord(func(p *PrometheusConfig) *string { return &p.Delimiter }),
	"group_label": textParam(func(c *settings, s string) string {
		if s == "" || strings.Trim(s, metricLetters) != "" || s[0] >= '0' && s[0] <= '9' {
			return "is a name of letters, digits and _"
		}
		c.Prometheus.GroupLabel = s
		return ""
	}),
	"group_mode": number(0, 2, "", func(c *settings, n int) { c.Prometheus.GroupMode = GroupMode(n) }),
	"statistics": textParam(func(c *settings, s string) string {
		for _, name := range strings.Fields(s) {
			if !slices.Contains(c.Prometheus.Statistics, name) {
				c.Prometheus.Statistics = append(c.Prometheus.Statistics, name)
			}
		}
		return ""
	}),
	"labels":       refusedParam(fixedLabels),
	"script_route": refusedParam("a script adds statistics by update_stat() of the module statistics"),
}

// takenPrefixes begin the names of metrics that are given anyway.
var takenPrefixes = []string{"sipreactor", "go", "process", "promhttp"}

const (
	metricLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
	urlPath       = metricLetters + "-/"
)

// metricWord is a part of a metric's name, which may be empty.
func metricWord(field func(p *PrometheusConfig) *string) *globalSpec {
	return textParam(func(c *settings, s string) string {
		if strings.Trim(s, metricLetters) != "" {
			return "has letters, digits and _ only"
		}
		*field(&c.Prometheus) = s
		return ""
	})
}

// finishPrometheus checks what the module says as a whole.
func (c *settings) finishPrometheus() {
	switch {
	case !c.loaded(prometheusModule) || c.partial:
	case !c.loaded("httpd"):
		c.rep.errorf(c.top(), `prometheus answers by the module httpd, which is not loaded: loadmodule "httpd.so"`)
	case c.loaded("mi_http") && strings.Trim(c.MI.HTTP.Root, "/") == c.Prometheus.Root:
		c.rep.errorf(c.places["prometheus/root"], "/%s is where mi_http answers", c.Prometheus.Root)
	}
}
