package freeswitch

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"sipreactor/reactor/rescue"
)

// Subscription is events of a server that somebody follows.
type Subscription struct {
	URL    URL
	Events []string
	// Each is called for each of them, by the goroutine that reads the connection: it must
	// not wait.
	Each func(e *Event)
}

// server is one that is followed. Its goroutine is run.
type server struct {
	m      *Module
	url    URL
	cancel context.CancelFunc

	mu     sync.Mutex
	subs   map[string][]Subscription // by who follows
	asked  []string                  // events that the connection sends
	conn   *connection               // nil: there is none right now
	change chan struct{}             // that subs are others; has room for one
}

// The pauses before a lost connection is dialled again.
const (
	firstPause = time.Second
	lastPause  = 30 * time.Second
)

// run holds the connection until the context ends.
func (s *server) run(ctx context.Context) {
	pause := firstPause
	told := false
	for ctx.Err() == nil {
		began := time.Now()
		err := s.once(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > lastPause {
			pause, told = firstPause, false
		}
		if !told {
			s.m.log.Warn("freeswitch: no connection", "server", s.url.Address(), "why", err)
			told = true
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause - time.Duration(rand.Int64N(int64(pause/4)))):
		}
		pause = min(2*pause, lastPause)
	}
}

// once connects, asks for the events and reads them until the connection ends.
func (s *server) once(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, read, err := dial(ctx, s.url, s.m.connectTimeout, s.m.commandTimeout, s.heard, s.m.log)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.conn, s.asked = c, nil
	s.mu.Unlock()
	s.m.connected.Add(1)
	s.changed()
	done := make(chan struct{})
	rescue.Go(s.m.log, "freeswitch: a server's events", func() {
		defer close(done)
		s.ask(ctx, c)
	})
	err = read(s.m.silence())
	s.m.connected.Add(-1)
	s.mu.Lock()
	s.conn = nil
	s.mu.Unlock()
	cancel()
	<-done
	return err
}

// ask has the connection send the events that are followed, whenever these are others.
func (s *server) ask(ctx context.Context, c *connection) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.change:
		}
		s.mu.Lock()
		var want []string
		for _, list := range s.subs {
			for _, sub := range list {
				want = append(want, sub.Events...)
			}
		}
		slices.Sort(want)
		want = slices.Compact(want)
		asked := s.asked
		s.asked = want
		s.mu.Unlock()
		for _, e := range want {
			if !slices.Contains(asked, e) {
				s.tell(ctx, c, "event json "+e)
			}
		}
		for _, e := range asked {
			if !slices.Contains(want, e) {
				s.tell(ctx, c, "nixevent "+e)
			}
		}
	}
}

func (s *server) tell(ctx context.Context, c *connection, command string) {
	answer, err := c.run(ctx, command)
	if ctx.Err() == nil && (err != nil || len(answer) < 3 || answer[:3] != "+OK") {
		s.m.log.Warn("freeswitch: a server refuses", "server", s.url.Address(), "command", command, "answer", answer, "error", err)
	}
}

// changed has ask look again.
func (s *server) changed() {
	select {
	case s.change <- struct{}{}:
	default:
	}
}

// heard hands an event to those that follow it.
func (s *server) heard(e *Event) {
	s.mu.Lock()
	var to []func(*Event)
	for _, list := range s.subs {
		for _, sub := range list {
			if slices.ContainsFunc(sub.Events, e.is) {
				to = append(to, sub.Each)
			}
		}
	}
	s.mu.Unlock()
	for _, f := range to {
		f(e)
	}
}
