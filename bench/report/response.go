package report

import (
	"fmt"
	"strings"
)

// Response is what sipp tells of the response times of one kind of request, in its unit: whole milliseconds.
type Response struct {
	Of     string  `json:"of"` // the request
	Mean   float64 `json:"mean_ms"`
	StdDev float64 `json:"stddev_ms"`
	Below  []Class `json:"below,omitempty"`  // its histogram, by rising limit
	Slower int64   `json:"slower,omitempty"` // slower than the last limit
}

// Class is the answers that took less than Limit ms, and not less than the limit before.
type Class struct {
	Limit float64 `json:"ms"`
	Count int64   `json:"count"`
}

func (r Response) count() int64 {
	n := r.Slower
	for _, c := range r.Below {
		n += c.Count
	}
	return n
}

// Within is the least limit in ms below which a share of the answers came; ok is false if there is none.
func (r Response) Within(share float64) (limit float64, ok bool) {
	sum, all := int64(0), r.count()
	for _, c := range r.Below {
		if sum += c.Count; all > 0 && float64(sum) >= share*float64(all) {
			return c.Limit, true
		}
	}
	return 0, false
}

// add takes the answers of another run in; the means are weighed, the deviation is the greatest.
func (r *Response) add(o Response) {
	n, m := float64(r.count()), float64(o.count())
	if n+m > 0 {
		r.Mean = (r.Mean*n + o.Mean*m) / (n + m)
	}
	r.StdDev = max(r.StdDev, o.StdDev)
	counts := map[float64]int64{}
	for _, c := range o.Below {
		counts[c.Limit] = c.Count
	}
	below := make([]Class, len(r.Below))
	for i, c := range r.Below {
		below[i] = Class{c.Limit, c.Count + counts[c.Limit]}
	}
	r.Below, r.Slower = below, r.Slower+o.Slower
}

// String is one line for people.
func (r Response) String() string {
	var parts []string
	for _, c := range r.Below {
		if c.Count > 0 {
			parts = append(parts, fmt.Sprintf("%d below %g ms", c.Count, c.Limit))
		}
	}
	if r.Slower > 0 {
		parts = append(parts, fmt.Sprintf("%d slower", r.Slower))
	}
	return fmt.Sprintf("%s answered in %.1f ms, σ %g: %s", r.Of, r.Mean, r.StdDev, strings.Join(parts, ", "))
}

// sipp tells what sipp had to say, over all runs; "" if it did not run.
func (r *Result) sipp() string {
	var all []Response
	sum := map[string]int64{}
	for _, run := range r.Runs {
		if len(run.Responses) == 0 {
			continue
		}
		for kind, n := range run.Counts {
			sum[kind] += n
		}
		for i, response := range run.Responses {
			if i < len(all) {
				all[i].add(response)
			} else {
				all = append(all, response)
			}
		}
	}
	if len(all) == 0 {
		return ""
	}
	text := fmt.Sprintf("sipp: %d calls, %d done, %d failed, %d retransmissions", sum[Started], sum[Done], sum[Failed], sum[Retransmitted])
	for _, response := range all {
		text += "; " + response.String()
	}
	return text
}
