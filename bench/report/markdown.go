package report

import (
	"fmt"
	"io"
	"strings"
)

// fewOnes are the loads whose figures bench/figures/comparison.md, calls.md and registrar.md show, with their titles there.
var fewOnes = []struct{ title, measure, metric string }{
	{"a request, 50 connections, closed loop", "options-50-w1", CPU},
	{"a request, 1 connection, 32 under way", "options-1-w32", CPU},
	{"a request, 50 connections, 1,000 a second", "options-50-r1000", CPU},
	{"a proxied call, closed loop", "calls-closed", CPU},
	{"a proxied call, 200 a second", "calls-r200", CPU},
	{"a call by transactions, closed loop", "stateful-tls", CPU},
	{"with a dialog", "dialog-tls", CPU},
	{"with a dialog, hidden", "hidden-tls", CPU},
	{"hidden, without a dialog", "hidden-alone-tls", CPU},
	{"with an rtpengine that answers at once", "media-stub-tls", CPU},
	{"with the real rtpengine", "media-tls", CPU},
	{"a call by transactions, 200 a second", "stateful-tls-r200", CPU},
	{"with a dialog", "dialog-tls-r200", CPU},
	{"with a dialog, hidden", "hidden-tls-r200", CPU},
	{"hidden, without a dialog", "hidden-alone-tls-r200", CPU},
	{"with an rtpengine that answers at once", "media-stub-tls-r200", CPU},
	{"with the real rtpengine", "media-tls-r200", CPU},
	{"full handshake and one request, ECDSA, TLS 1.3", "full-ecdsa-tls13", CPU},
	{"the same, TLS 1.2", "full-ecdsa-tls12", CPU},
	{"the same, RSA-2048, TLS 1.3", "full-rsa-tls13", CPU},
	{"resumed, TLS 1.3", "resumed-ecdsa-tls13", CPU},
	{"resumed, TLS 1.2", "resumed-ecdsa-tls12", CPU},
	{"memory an idle connection, 10,000", "idle-10000", Pss},
	{"a REGISTER with digest, closed loop", "register-closed", CPU},
	{"the same, 1,000 a second", "register-r1000", CPU},
	{"a call to a registered user, closed loop", "lookup-calls", CPU},
	{"memory a contact, 100,000 of them", "contacts-100000", Contact},
	{"memory a contact, 1,000,000 of them", "contacts-1000000", Contact},
}

// WriteMarkdown writes the figures for bench/figures/comparison.md: the few that matter, a column a system.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	var shown []System
	for _, s := range r.Systems {
		if s.Missing == "" {
			shown = append(shown, s)
		}
	}
	b.WriteString("|")
	for _, s := range shown {
		fmt.Fprintf(&b, " | %s", s.Name)
		if s.Version != "" && s.Role != "ours" {
			fmt.Fprintf(&b, " %s", s.Version)
		}
	}
	b.WriteString(" | `--only` |\n|---" + strings.Repeat("|---", len(shown)+1) + "|\n")
	for _, few := range fewOnes {
		if !r.has(few.measure, few.metric) {
			continue
		}
		fmt.Fprintf(&b, "| %s", few.title)
		for _, s := range shown {
			cell := "–"
			if res := r.Find(few.measure, s.Name); res != nil {
				if stat, ok := res.Stat(few.metric); ok {
					cell = MetricOf(few.metric).Format(stat.Median)
				}
				if res.Trouble() != "" || res.noted() {
					cell += " ¹"
				}
			}
			fmt.Fprintf(&b, " | %s", cell)
		}
		fmt.Fprintf(&b, " | `%s` |\n", few.measure)
	}
	fmt.Fprintf(&b, "\n%s; %s; `%s`; %s.\n", r.Machine, r.Began.Format("2006-01-02"), r.Command, r.Busy())
	for _, few := range fewOnes {
		for _, s := range shown {
			res := r.Find(few.measure, s.Name)
			if res == nil {
				continue
			}
			for _, remark := range res.remarks() {
				fmt.Fprintf(&b, "¹ %s, %s: %s\n", res.Label(), few.measure, remark)
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteReach writes what is to be reached as Markdown.
func (r *Report) WriteReach(w io.Writer) error {
	var b strings.Builder
	b.WriteString("| figure | to reach | seen | |\n|---|---|---|---|\n")
	for _, f := range r.Reach() {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", f.Figure, f.Goal, f.Seen, f.Verdict)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Result) noted() bool {
	for _, run := range r.Runs {
		if run.Note != "" {
			return true
		}
	}
	return false
}

// remarks are what a reader has to know of a result: what went wrong, and how a run differs.
func (r *Result) remarks() []string {
	var all []string
	if t := r.Trouble(); t != "" {
		all = append(all, t)
	}
	if s := r.sipp(); s != "" {
		all = append(all, s)
	}
	for _, run := range r.Runs {
		if run.Note != "" {
			return append(all, run.Note)
		}
	}
	return all
}
