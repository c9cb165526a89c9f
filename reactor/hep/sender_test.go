package hep

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sipreactor/reactor/internal/waittest"
)

func TestSenderDelivers(t *testing.T) {
	for _, transport := range []Transport{UDP, TCP} {
		t.Run(string(transport), func(t *testing.T) {
			c := collect(t, transport, nil)
			s := send(t, c.dest, nil)
			for i := range 500 {
				s.put(note(fmt.Sprint(i)))
				if transport == UDP { // no more than its buffer has room for
					c.await(i + 1)
				}
			}
			for i, p := range c.await(500) {
				if string(p.Payload) != fmt.Sprint(i) {
					t.Fatalf("packet %d is %q", i, p.Payload)
				}
			}
			waittest.For(t, "all are counted", func() bool { return s.Stats().Sent == 500 })
			if st := s.Stats(); st.Dropped != 0 || st.Redials != 0 || st.Queued != 0 {
				t.Errorf("%+v", st)
			}
		})
	}
}

func TestSenderTLS(t *testing.T) {
	c := collect(t, TLS, nil)
	s := send(t, c.dest, nil)
	for i := range 100 {
		s.put(note(fmt.Sprint(i)))
	}
	s.Close()
	if n := len(c.await(100)); n != 100 {
		t.Errorf("%d packets", n)
	}
}

func TestNewSenderRefuses(t *testing.T) {
	for want, d := range map[string]Destination{
		"nothing to dial TLS with": {Name: "x", Host: "h", Port: 1, Transport: TLS},
		`no transport "sctp"`:      {Name: "x", Host: "h", Port: 1, Transport: "sctp"},
	} {
		if _, err := NewSender(SenderConfig{Destination: d}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", d, err)
		}
	}
}

// A collector that is not there: whoever has packets never waits, the queue
// fills, the rest is counted; when it comes, it gets what the queue holds.
func TestSenderDeadCollector(t *testing.T) {
	c := collect(t, TCP, nil)
	var up atomic.Bool
	var dials atomic.Int32
	s := send(t, c.dest, func(cfg *SenderConfig) {
		cfg.Queue = 10
		cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			dials.Add(1)
			if !up.Load() {
				return nil, errors.New("refused")
			}
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
	})
	for i := range 100 {
		s.put(note(fmt.Sprint(i)))
	}
	if st := s.Stats(); st.Queued != 10 || st.Dropped != 90 || st.Sent != 0 {
		t.Errorf("%+v", st)
	}
	waittest.For(t, "it is dialled again", func() bool { return dials.Load() >= 3 })
	up.Store(true)
	for i, p := range c.await(10) {
		if string(p.Payload) != fmt.Sprint(i) {
			t.Errorf("packet %d is %q", i, p.Payload)
		}
	}
	if st := s.Stats(); st.Redials != uint64(dials.Load()-1) {
		t.Errorf("%d redials, %d dials", st.Redials, dials.Load())
	}
}

// A collector that takes the connection and never reads: the same, and it is
// dialled anew.
func TestSenderCollectorThatNeverReads(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	accepted := make(chan net.Conn, 1000)
	go func() {
		defer close(accepted)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	}()
	s := send(t, destination(ln.Addr(), TCP), func(cfg *SenderConfig) {
		cfg.Queue, cfg.WriteTimeout, cfg.Drain = 10, 20*time.Millisecond, time.Millisecond
	})
	big := note(strings.Repeat("x", 60000))
	offered := uint64(0)
	waittest.For(t, "it is given up and dialled anew", func() bool {
		for range 8 { // more than the queue has room for while one is given up
			s.put(big)
			offered++
		}
		return s.Stats().Redials >= 2 && s.Stats().Dropped > 0
	})
	s.Close()
	if st := s.Stats(); st.Sent+st.Dropped != offered || st.Queued != 0 {
		t.Errorf("%+v of %d", st, offered)
	}
	ln.Close()
	for conn := range accepted {
		conn.Close()
	}
}

// A collector whose connections do not hold gets everything in the end: a
// packet that was not taken whole goes to the next connection.
func TestSenderFlappingCollector(t *testing.T) {
	c := collect(t, TCP, func(n int) bool { return n%3 != 2 })
	s := send(t, c.dest, nil)
	n := 0
	for round := 1; round <= 5; round++ {
		before := len(c.got())
		waittest.For(t, "a packet gets through", func() bool {
			s.put(note(fmt.Sprint(n)))
			n++
			return len(c.got()) > before
		})
		c.hangUp()
	}
	if st := s.Stats(); st.Redials < 5 {
		t.Errorf("%+v", st)
	}
	last := -1
	for _, p := range c.got() {
		var i int
		if _, err := fmt.Sscan(string(p.Payload), &i); err != nil || i <= last {
			t.Errorf("%q behind %d", p.Payload, last)
		}
		last = i
	}
}

// The end of a connection is noticed without anything to write, so that the
// next packet does not go to nobody.
func TestSenderNoticesTheEnd(t *testing.T) {
	c := collect(t, TCP, nil)
	s := send(t, c.dest, nil)
	for i := range 5 {
		s.put(note(fmt.Sprint(i)))
		c.await(i + 1)
		redials := s.Stats().Redials
		c.hangUp()
		waittest.For(t, "it is dialled again", func() bool { return s.Stats().Redials > redials })
	}
	if st := s.Stats(); st.Sent != 5 || st.Dropped != 0 {
		t.Errorf("%+v", st)
	}
}

// A UDP collector that comes late: what the system refuses is sent again.
func TestSenderUDPRefused(t *testing.T) {
	// Connected to somebody else it takes nothing of us, and keeps its port from being given to others.
	u, err := net.DialUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9})
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	d := destination(u.LocalAddr(), UDP)
	s := send(t, d, func(cfg *SenderConfig) { cfg.Drain = time.Millisecond })
	waittest.For(t, "the refusal is noticed", func() bool {
		s.put(note("x"))
		return s.Stats().Redials > 0
	})
}

// Host names are looked up at each dial, by the goroutine alone.
func TestSenderResolvesAnew(t *testing.T) {
	c := collect(t, TCP, nil)
	asked := make(chan string, 1000)
	d := Destination{Name: "x", Host: "homer.example.com", Port: 9060, Transport: TCP}
	s := send(t, d, func(cfg *SenderConfig) {
		cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			asked <- network + " " + addr
			return new(net.Dialer).DialContext(ctx, network, c.dest.Address())
		}
	})
	for i := range 3 {
		if got := <-asked; got != "tcp homer.example.com:9060" {
			t.Errorf("dialled %q", got)
		}
		s.put(note("x"))
		c.await(i + 1)
		c.hangUp()
	}
}

func TestSenderBoundsBytes(t *testing.T) {
	s := send(t, Destination{Name: "x", Host: "h", Port: 1, Transport: TCP}, func(cfg *SenderConfig) {
		cfg.QueueBytes, cfg.Drain = 1000, time.Millisecond
		cfg.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
	})
	if !s.put(note(strings.Repeat("x", 600))) || s.put(note(strings.Repeat("x", 600))) || !s.put(note(strings.Repeat("x", 400))) {
		t.Error("the bound is not where it should be")
	}
	if !s.full() {
		t.Error("there is room")
	}
	s.Close()
	if st := s.Stats(); st.Dropped != 4 || st.Queued != 0 {
		t.Errorf("%+v", st)
	}
}

func TestSenderCloseDrains(t *testing.T) {
	c := collect(t, TCP, nil)
	var up atomic.Bool
	s := send(t, c.dest, func(cfg *SenderConfig) {
		cfg.MinPause, cfg.MaxPause = time.Hour, time.Hour // Close does not wait for it
		cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if !up.Load() {
				return nil, errors.New("refused")
			}
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
	})
	for i := range 1000 {
		s.put(note(fmt.Sprint(i)))
	}
	up.Store(true)
	s.Close()
	s.Close()
	c.await(1000)
	if s.put(note("late")) {
		t.Error("taken after Close")
	}
	if st := s.Stats(); st.Sent != 1000 || st.Dropped != 1 {
		t.Errorf("%+v", st)
	}
}

// Close comes back although the collector does not.
func TestSenderCloseGivesUp(t *testing.T) {
	s := send(t, Destination{Name: "x", Host: "h", Port: 1, Transport: TCP}, func(cfg *SenderConfig) {
		cfg.Drain, cfg.DialTimeout = time.Millisecond, time.Hour
		cfg.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
	})
	s.put(note("x"))
	s.Close()
	if st := s.Stats(); st.Sent != 0 || st.Dropped != 1 {
		t.Errorf("%+v", st)
	}
}

// The log has one line when the collector is lost and one when it is back.
func TestSenderLogs(t *testing.T) {
	c := collect(t, TCP, nil)
	var dials atomic.Int32
	var log bytes.Buffer
	s := send(t, c.dest, func(cfg *SenderConfig) {
		cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
		cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if dials.Add(1) < 5 {
				return nil, errors.New("refused")
			}
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
	})
	s.put(note("x"))
	c.await(1)
	s.Close()
	if text := log.String(); strings.Count(text, "collector lost") != 1 || strings.Count(text, "collector found") != 1 {
		t.Errorf("the log says\n%s", text)
	}
}
