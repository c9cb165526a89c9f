package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// column is a participant of the ladder: its place in the names.
type column int

// The participants of a call through one engine.
const (
	colUAC column = iota
	colEngine
	colUAS
)

var oneEngine = []string{"UAC", "sipreactor", "UAS"}

// rung is one thing that happened between two neighbours: a message from one to the other, or, with state, a step
// in the life of the connection between them.
type rung struct {
	at       time.Time
	from, to column
	text     string
	state    bool
}

// ladder gathers what happens to one call. It may be used by any goroutine.
type ladder struct {
	names []string // of the participants, from left to right

	mu    sync.Mutex
	rungs []rung
	shut  bool
}

// maxRungs bounds what a ladder takes: one call has some twenty.
const maxRungs = 64

// message adds a message that passed from one participant to its neighbour.
func (l *ladder) message(from, to column, text string) {
	l.add(rung{at: time.Now(), from: from, to: to, text: text})
}

// step adds a state of the connection between two neighbours.
func (l *ladder) step(at time.Time, left, right column, text string) {
	l.add(rung{at: at, from: left, to: right, text: text, state: true})
}

func (l *ladder) add(r rung) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.shut && len(l.rungs) < maxRungs {
		l.rungs = append(l.rungs, r)
	}
}

// finish ends the gathering.
func (l *ladder) finish() {
	l.mu.Lock()
	l.shut = true
	l.mu.Unlock()
}

// span is the width between two columns.
const span = 32

// draw prints the rungs in the order of their times.
func (l *ladder) draw(w io.Writer) {
	l.mu.Lock()
	rungs := slices.Clone(l.rungs)
	l.mu.Unlock()
	if len(rungs) == 0 {
		return
	}
	slices.SortStableFunc(rungs, func(a, b rung) int { return a.at.Compare(b.at) })
	began := rungs[0].at
	fmt.Fprintf(w, "%9s  ", "")
	for i, name := range l.names {
		switch i {
		case len(l.names) - 1:
			fmt.Fprintln(w, name)
		case 0:
			fmt.Fprintf(w, "%-*s", span-3, name)
		default:
			fmt.Fprintf(w, "%-*s", span, name)
		}
	}
	for _, r := range rungs {
		at := float64(r.at.Sub(began).Microseconds()) / 1000
		cells := slices.Repeat([]string{strings.Repeat(" ", span-1)}, len(l.names)-1)
		cells[min(r.from, r.to)] = r.cell()
		fmt.Fprintf(w, "%6.2f ms  |%s|\n", at, strings.Join(cells, "|"))
	}
}

// cell is what stands between the two bars.
func (r rung) cell() string {
	const width = span - 1
	if r.state {
		text := clip(": "+r.text, width-1)
		return text + strings.Repeat(" ", width-len(text))
	}
	text := clip(r.text, width-8)
	line := strings.Repeat("-", width-len(text)-5)
	if r.from < r.to {
		return "-- " + text + " " + line + ">"
	}
	return "<" + line + " " + text + " --"
}

func clip(text string, width int) string {
	if len(text) > width {
		return text[:width-2] + ".."
	}
	return text
}
