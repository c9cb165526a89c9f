package compare

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"sipreactor/bench/report"
	"sipreactor/bench/system"
)

// Measure is a load that systems are compared by.
type Measure struct {
	report.Measure
	Reach bool   // a figure to reach hangs on it
	Quick bool   // part of a quick comparison
	Once  bool   // its figure hardly varies, and takes long: one run
	Pilot string // the load by which numbers of workers are chosen for this one, "" for none

	counted bool                                       // system calls are counted, in a time of its own
	extra   func(*Config, system.System) time.Duration // that a run takes besides the window, roughly; nil: nothing
	skip    func(system.System) string
	run     func(ctx context.Context, t *trial) error
}

// takes estimates a run.
func (m Measure) takes(c *Config, s system.System) time.Duration {
	d := c.Window + c.warm() + s.Begins
	if m.counted && !c.pilot {
		d += c.counting()
	}
	if m.extra != nil {
		d += m.extra(c, s)
	}
	return d
}

// always is an extra time of a length.
func always(d time.Duration) func(*Config, system.System) time.Duration {
	return func(*Config, system.System) time.Duration { return d }
}

// on tells whether a measure says something of a system.
func (m Measure) on(s system.System) bool { return m.skip == nil || m.skip(s) == "" }

// Measures lists all, in the order in which they run.
func Measures() []Measure {
	var all []Measure
	for _, group := range [][]Measure{options(), calls(), registrations(), handshakes(), idles(), faults(), scale(), sipps()} {
		all = append(all, group...)
	}
	return all
}

// Select picks measures by patterns: names, groups, "reach", or globs of names; none are all.
func Select(patterns []string) ([]Measure, error) {
	all := Measures()
	if len(patterns) == 0 {
		return all, nil
	}
	var picked []Measure
	used := make([]bool, len(patterns))
	for _, m := range all {
		hit := false
		for i, p := range patterns {
			glob, err := path.Match(p, m.Name)
			if err != nil {
				return nil, fmt.Errorf("%q: %w", p, err)
			}
			if glob || p == m.Group || p == "reach" && m.Reach {
				used[i], hit = true, true
			}
		}
		if hit {
			picked = append(picked, m)
		}
	}
	if i := slices.Index(used, false); i >= 0 {
		return nil, fmt.Errorf("no load %q; there are the groups %s, and \"reach\"; --list tells the loads", patterns[i], strings.Join(groups(all), ", "))
	}
	return picked, nil
}

// groups names those of some measures, each once.
func groups(all []Measure) []string {
	var names []string
	for _, m := range all {
		if !slices.Contains(names, m.Group) {
			names = append(names, m.Group)
		}
	}
	return names
}

// answers excludes relays, which answer nothing themselves.
func answers(s system.System) string {
	if s.Role == system.Relay {
		return "it answers no request"
	}
	return ""
}

// variant excludes what differs from our engine by the code of TLS only, where that does not matter.
func variant(s system.System) string {
	if s.Variant {
		return "as without it"
	}
	return ""
}

// first is the first reason not to.
func first(skips ...func(system.System) string) func(system.System) string {
	return func(s system.System) string {
		for _, skip := range skips {
			if skip == nil {
				continue
			}
			if why := skip(s); why != "" {
				return why
			}
		}
		return ""
	}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	text := fmt.Sprintf("%d %ss", n, what)
	if n >= 1000 {
		text = strings.Replace(text, "000 ", ",000 ", 1)
	}
	return text
}
