package main

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// gated is a writer that waits until it is opened.
type gated struct {
	open chan struct{}
	mu   sync.Mutex
	b    strings.Builder
}

func (g *gated) Write(p []byte) (int, error) {
	<-g.open
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.b.Write(p)
}

func (g *gated) String() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.b.String()
}

func TestLogWriterKeepsOrder(t *testing.T) {
	g := &gated{open: make(chan struct{})}
	w := newLogWriter(g, 100)
	var want strings.Builder
	for range 100 {
		line := strings.Repeat("x", want.Len()%7) + "\n"
		want.WriteString(line)
		if n, err := w.Write([]byte(line)); n != len(line) || err != nil {
			t.Fatal(n, err)
		}
	}
	close(g.open)
	w.Close(10 * time.Second)
	if g.String() != want.String() || w.Dropped() != 0 {
		t.Errorf("%d dropped, wrote %q", w.Dropped(), g)
	}
}

func TestLogWriterDropsAndTells(t *testing.T) {
	g := &gated{open: make(chan struct{})}
	w := newLogWriter(g, 4)
	const lines = 50
	for range lines {
		w.Write([]byte("line\n")) // returns though nobody reads
	}
	if w.Dropped() == 0 {
		t.Error("nothing dropped")
	}
	close(g.open)
	w.Close(10 * time.Second)
	out := g.String()
	if got := strings.Count(out, "line\n") + int(w.Dropped()); got != lines {
		t.Errorf("%d lines written or dropped, want %d", got, lines)
	}
	if !strings.Contains(out, "level=WARNING msg=\"log lines dropped") {
		t.Errorf("drops are not told: %q", out)
	}
}

func TestLogWriterCloseDoesNotWaitForever(t *testing.T) {
	g := &gated{open: make(chan struct{})}
	w := newLogWriter(g, 4)
	w.Write([]byte("line\n"))
	done := make(chan struct{})
	go func() {
		w.Close(time.Millisecond)
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Error("Close hangs on a writer that is stuck")
	}
	close(g.open)
	<-w.stopped
}
