package main

import (
	"strings"
	"testing"
	"time"
)

func TestLadderDrawsInOrder(t *testing.T) {
	l := ladder{names: oneEngine}
	began := time.Now()
	l.add(rung{at: began.Add(3 * time.Millisecond), from: colEngine, to: colUAS, text: "INVITE"})
	l.step(began, colUAC, colEngine, "handshake")
	l.add(rung{at: began.Add(time.Millisecond), from: colUAC, to: colEngine, text: "INVITE"})
	l.add(rung{at: began.Add(4 * time.Millisecond), from: colUAS, to: colEngine, text: "200"})
	l.finish()
	l.message(colUAC, colEngine, "too late")

	var b strings.Builder
	l.draw(&b)
	lines := strings.Split(strings.TrimRight(b.String(), "\n"), "\n")
	if len(lines) != 5 {
		t.Fatalf("%d lines:\n%s", len(lines), &b)
	}
	for i, want := range []string{"sipreactor", "  0.00 ms  |: handshake", "  1.00 ms  |-- INVITE --", "  3.00 ms  |   ", "  4.00 ms  |   "} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("line %d is %q, want %q in it", i, lines[i], want)
		}
	}
	if !strings.HasSuffix(lines[3], ">|") || !strings.HasSuffix(lines[4], "- 200 --|") {
		t.Errorf("right column:\n%s", &b)
	}
	for _, line := range lines[1:] {
		if len(line) != len(lines[1]) || len(line) > 80 {
			t.Errorf("%d characters: %q", len(line), line)
		}
	}
}

func TestLadderIsBounded(t *testing.T) {
	l := ladder{names: oneEngine}
	for range 10 * maxRungs {
		l.message(colUAC, colEngine, strings.Repeat("long ", 20))
	}
	if len(l.rungs) != maxRungs {
		t.Errorf("%d rungs", len(l.rungs))
	}
	var b strings.Builder
	l.draw(&b)
	for line := range strings.Lines(b.String()) {
		if len(line) > 81 {
			t.Errorf("%d characters: %q", len(line), line)
		}
	}
}

func TestLadderWithoutRungs(t *testing.T) {
	var b strings.Builder
	(&ladder{names: oneEngine}).draw(&b)
	if b.Len() != 0 {
		t.Errorf("%q", &b)
	}
}
