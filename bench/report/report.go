package report

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	"sipreactor/bench/sample"
)

// Report is one comparison.
type Report struct {
	Began      time.Time      `json:"began"`
	Ended      time.Time      `json:"ended"`
	Command    string         `json:"command"`
	Machine    sample.Machine `json:"machine"`
	Unfinished string         `json:"unfinished,omitempty"`      // how far it came if it was interrupted
	Notes      []string       `json:"notes,omitempty"`           // what holds for every figure
	Counted    string         `json:"system_calls_by,omitempty"` // by what system calls were counted, or why by nothing
	Systems    []System       `json:"systems"`
	Measures   []Measure      `json:"measures"`
	Pilots     []Pilot        `json:"pilots,omitempty"`
	Results    []Result       `json:"results"`
}

// System is one that was compared, or would have been.
type System struct {
	Name    string `json:"name"`
	About   string `json:"about"`
	Role    string `json:"role"` // ours, sip, relay, baseline
	Version string `json:"version,omitempty"`
	Missing string `json:"missing,omitempty"` // why it is not here
}

// Measure is one load.
type Measure struct {
	Name  string `json:"name"`
	Group string `json:"group"`
	About string `json:"about"`
	Unit  string `json:"unit"` // of work: request, call, handshake, connection
	Main  string `json:"main"` // the metric that is compared
}

// Result is what one system did under one load.
type Result struct {
	Measure string `json:"measure"`
	System  string `json:"system"`
	Workers int    `json:"workers,omitempty"` // of its best set-up; 0: its own choice
	Command string `json:"command"`           // which measures this again
	Runs    []Run  `json:"runs"`
}

// Run is one run of a load.
type Run struct {
	Values    map[string]float64 `json:"values"`              // by the name of the metric
	Counts    map[string]int64   `json:"counts,omitempty"`    // units and what became of them
	Reasons   map[string]int64   `json:"reasons,omitempty"`   // of failures
	Responses []Response         `json:"responses,omitempty"` // response times by sipp's account
	Threads   map[string]float64 `json:"threads,omitempty"`   // the main threads' CPU µs a unit, by name and id
	Fault     string             `json:"fault,omitempty"`     // a crash, or why there is no figure
	Note      string             `json:"note,omitempty"`      // how this run differs from the others
	Log       []string           `json:"log,omitempty"`       // the end of the system's log if there was a fault
}

// Find is the result of a system under a load, nil if there is none.
func (r *Report) Find(measure, system string) *Result {
	for i := range r.Results {
		if r.Results[i].Measure == measure && r.Results[i].System == system {
			return &r.Results[i]
		}
	}
	return nil
}

// Add puts a run to its result, which it makes if need be.
func (r *Report) Add(measure, system string, run Run) *Result {
	res := r.Find(measure, system)
	if res == nil {
		r.Results = append(r.Results, Result{Measure: measure, System: system})
		res = &r.Results[len(r.Results)-1]
	}
	res.Runs = append(res.Runs, run)
	return res
}

// System finds a system by its name, nil if there is none.
func (r *Report) System(name string) *System {
	for i := range r.Systems {
		if r.Systems[i].Name == name {
			return &r.Systems[i]
		}
	}
	return nil
}

// Busy tells how busy the machine was with other things: the mean number of cores, over all runs.
func (r *Report) Busy() string {
	sum, n := 0.0, 0
	for _, res := range r.Results {
		for _, run := range res.Runs {
			if v, ok := run.Values[Others]; ok {
				sum += v
				n++
			}
		}
	}
	if n == 0 {
		return "nothing is known of other work on the machine"
	}
	return fmt.Sprintf("other work on the machine took %.2f cores meanwhile", sum/float64(n))
}

// remarks are the notes, and by what system calls were counted.
func (r *Report) remarks() []string {
	if r.Counted == "" {
		return r.Notes
	}
	return append(slices.Clip(r.Notes), "System calls, counted behind the window: "+r.Counted+".")
}

// Save writes a report as JSON.
func (r *Report) Save(file string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

// Load reads a report.
func Load(file string) (*Report, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r := &Report{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("report: %s: %w", file, err)
	}
	return r, nil
}
