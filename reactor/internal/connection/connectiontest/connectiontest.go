// Package connectiontest makes what tests of the rooms above package connection need of an
// engine: all that its connections have in common.
package connectiontest

import (
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/connectqueue"
	"sipreactor/reactor/internal/connlog"
	"sipreactor/reactor/internal/event"
	"sipreactor/reactor/internal/poller"
	"sipreactor/reactor/internal/reason"
	"sipreactor/sipframe"
)

// Fates is what became of connections, and of messages that they did not deliver. Any
// goroutine may add to it.
type Fates struct {
	mu    sync.Mutex
	ended []*reason.Error
	back  []string
}

// Observe notes how connections end.
func (f *Fates) Observe(e *event.Event) {
	if e.Kind == event.ConnClosed {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.ended = append(f.ended, e.Err)
	}
}

// Ended returns why connections have ended, in their order.
func (f *Fates) Ended() []*reason.Error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]*reason.Error(nil), f.ended...)
}

// Back returns what was given back, in its order.
func (f *Fates) Back() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.back...)
}

// Start readies what connections have in common, and ends it with the test. No loop adopts
// one; limits are longer than a test takes.
func Start(t testing.TB, a *connection.Common) *Fates {
	f := new(Fates)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	began := time.Now()
	a.Born, a.Observer, a.Log, a.Logger = began, f, connlog.New(log), log
	a.Limits = connection.Limits{Lifetime: 7200, Open: 100, MessageTime: time.Hour, HalfClosedTime: time.Hour,
		ConnectTimeout: time.Hour, ParkedTimeout: time.Hour, RoundTrip: func(int) time.Duration { return 0 }}
	for p := range a.Limits.Framing {
		a.Limits.Framing[p] = sipframe.FramerConfig{MaxMessage: 65535, PingPong: true}
	}
	a.GiveBack = func(_ *connection.Conn, text []byte, _ any, _ *reason.Error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.back = append(f.back, string(text))
	}
	a.Schedule = func() {}
	a.Adopt = func(*poller.Socket, func(error)) {}
	var err error
	a.Connects, err = connectqueue.New[*connection.Conn](func() int64 { return int64(time.Since(began)) + 1 }, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Connects.CutLingering(); a.Connects.Close() })
	return f
}
