package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// WriteText writes the tables for a terminal: a line a system under each load, and what is to be reached.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s, %s to %s; %s\n", r.Machine, r.Command, r.Began.Format("2006-01-02 15:04"), r.Ended.Format("15:04 MST"), r.Busy())
	if r.Unfinished != "" {
		fmt.Fprintf(&b, "%s\n", r.Unfinished)
	}
	for _, s := range r.Systems {
		if s.Missing != "" {
			fmt.Fprintf(&b, "  %s: %s\n", s.Name, s.Missing)
		} else {
			fmt.Fprintf(&b, "  %s: %s\n", strings.TrimSpace(s.Name+" "+s.Version), s.About)
		}
	}
	for _, m := range r.Measures {
		table := r.table(m)
		if len(table.Rows) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%s: %s\n", m.Name, m.About)
		t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		fmt.Fprintf(t, "  \t%s\tcommand\n", strings.Join(table.Columns, "\t"))
		for _, row := range table.Rows {
			fmt.Fprintf(t, "  %s\t%s\t%s\n", row.System, strings.Join(row.Cells, "\t"), row.Command)
		}
		if err := t.Flush(); err != nil {
			return err
		}
		for _, row := range table.Rows {
			for _, remark := range row.Remarks {
				fmt.Fprintf(&b, "    %s: %s\n", row.System, remark)
			}
		}
	}
	if reached := r.Reach(); len(reached) > 0 {
		fmt.Fprintf(&b, "\nTo reach\n")
		t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for _, f := range reached {
			fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%s\n", f.Figure, f.Goal, f.Seen, f.Verdict, f.Command)
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	if len(r.Pilots) > 0 {
		fmt.Fprintf(&b, "\nNumbers of workers, tried in pilots\n")
	}
	for _, p := range r.Pilots {
		fmt.Fprintf(&b, "  %s\n", p)
	}
	for _, n := range r.remarks() {
		fmt.Fprintf(&b, "\n%s", n)
	}
	_, err := fmt.Fprintln(w, b.String())
	return err
}

// table is the results under one load.
type table struct {
	Columns []string
	Rows    []row
}

type row struct {
	System  string // with the number of workers
	Cells   []string
	Remarks []string
	Command string
}

// table lays the results of a load out: the metrics that somebody has, the main one first.
func (r *Report) table(m Measure) table {
	var t table
	metrics := []Metric{MetricOf(m.Main)}
	for _, metric := range Metrics {
		if metric.Name != m.Main && r.has(m.Name, metric.Name) {
			metrics = append(metrics, metric)
		}
	}
	for _, metric := range metrics {
		title := metric.Title
		if metric.Name == CPU {
			title = "CPU a " + m.Unit
		}
		t.Columns = append(t.Columns, title)
	}
	for _, s := range r.Systems {
		res := r.Find(m.Name, s.Name)
		if res == nil {
			continue
		}
		line := row{System: res.Label(), Command: res.Command}
		for _, metric := range metrics {
			cell := "-"
			if stat, ok := res.Stat(metric.Name); ok {
				cell = stat.Show(metric)
			}
			line.Cells = append(line.Cells, cell)
		}
		line.Remarks = res.remarks()
		t.Rows = append(t.Rows, line)
	}
	return t
}

func (r *Report) has(measure, metric string) bool {
	for i := range r.Results {
		if r.Results[i].Measure == measure {
			if _, ok := r.Results[i].Stat(metric); ok {
				return true
			}
		}
	}
	return false
}

// Label is the system's name with its number of workers, if that was a matter of choice.
func (r *Result) Label() string {
	if r.Workers == 0 {
		return r.System
	}
	return r.System + "×" + strconv.Itoa(r.Workers)
}
