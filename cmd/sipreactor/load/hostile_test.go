package load

import (
	"context"
	"net"
	"testing"
	"time"
)

// until polls a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatal("not in time: " + what)
}

func TestBlackHole(t *testing.T) {
	b, err := NewBlackHole()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	c, err := net.DialTimeout("tcp", b.Addr(), 200*time.Millisecond)
	if err == nil {
		c.Close()
		t.Fatal("it answers")
	}
	if late, ok := err.(net.Error); !ok || !late.Timeout() {
		t.Errorf("refused rather than silent: %v", err)
	}
}

func TestSilent(t *testing.T) {
	s, _ := direct(t, "ecdsa")
	ctx, cancel := context.WithCancel(t.Context())
	opened := make(chan int64, 1)
	go func() { opened <- Silent(ctx, s.Addr(), 10) }()
	until(t, "10 connections", func() bool { return s.Stats().Connections == 10 })
	cancel()
	if n := <-opened; n != 10 {
		t.Errorf("%d opened, the server ended none", n)
	}
}

func TestSlowReaders(t *testing.T) {
	s, peer := direct(t, "ecdsa")
	ctx, cancel := context.WithCancel(t.Context())
	opened := make(chan int64, 1)
	go func() { opened <- SlowReaders(ctx, peer, s.URI(), 3) }()
	// What a server answers on 3 connections before their buffers are full: dozens at the least.
	until(t, "requests", func() bool { st := s.Stats(); return st.Connections >= 3 && st.Requests["OPTIONS"] > 30 })
	cancel()
	if n := <-opened; n < 3 {
		t.Errorf("%d opened", n)
	}
}

func TestLost(t *testing.T) {
	s, peer := direct(t, "ecdsa") // it answers whatever it is asked
	until(t, "requests for both, and an answer", func() bool {
		ctx, cancel := context.WithCancel(t.Context())
		before := s.Stats().Requests["MESSAGE"]
		watched := make(chan struct{})
		go func() {
			defer close(watched)
			for s.Stats().Requests["MESSAGE"] < before+5 && ctx.Err() == nil {
				time.Sleep(time.Millisecond)
			}
			cancel()
		}()
		sent, answers, err := Lost(ctx, peer, []string{"127.0.0.1:1", "127.0.0.1:2"}, 200)
		cancel()
		<-watched
		if err != nil || sent < 5 || answers[200] > sent {
			t.Fatalf("%d sent, answered %v, %v", sent, answers, err)
		}
		return answers[200] > 0 // none when it ended before the first one was read
	})
	if _, _, err := Lost(t.Context(), Peer{Addr: "127.0.0.1:1"}, nil, 1); err == nil {
		t.Error("nobody listens there")
	}
}
