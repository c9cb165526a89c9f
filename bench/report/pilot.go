package report

import (
	"fmt"
	"strings"
)

// Pilot is how the number of workers of a system was chosen for a load and for those like it.
type Pilot struct {
	Load   string `json:"load"`
	System string `json:"system"`
	Metric string `json:"metric"` // by which
	Tried  []Try  `json:"tried"`
	Chosen int    `json:"chosen"`
}

// Try is what was seen with a number of workers.
type Try struct {
	Workers int       `json:"workers"`
	Values  []float64 `json:"values,omitempty"` // of the runs without a fault
	Trouble string    `json:"trouble,omitempty"`
}

// String is one line for people.
func (p Pilot) String() string {
	metric := MetricOf(p.Metric)
	var parts []string
	for _, try := range p.Tried {
		var figures []string
		for _, v := range try.Values {
			figures = append(figures, metric.Format(v))
		}
		if try.Trouble != "" {
			figures = append(figures, "("+try.Trouble+")")
		}
		parts = append(parts, fmt.Sprintf("×%d %s", try.Workers, strings.Join(figures, " ")))
	}
	return fmt.Sprintf("%s, %s: %s; chosen ×%d", p.Load, p.System, strings.Join(parts, ", "), p.Chosen)
}
