package reactor

import (
	"bufio"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// A response goes out on the connection its request came on: after the script has
// waited, after a reload of the domains, and behind what the connection is busy
// with.
func TestResponseOnItsConnection(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		s := &script{}
		var r *rig
		started := make(chan struct{})
		big := "SIP/2.0 200 OK\r\nContent-Length: 300000\r\n\r\n" + strings.Repeat("x", 300000)
		s.message = func(w *Worker, f *Frame) {
			<-started
			switch {
			case strings.Contains(string(f.Data), "waits"):
				w.Wait(func() { time.Sleep(20 * time.Millisecond) })
			case strings.Contains(string(f.Data), "reload"):
				r.SetDomains(r.cfg.Domains)
			case strings.Contains(string(f.Data), "busy"):
				_, _ = w.Send(&Target{Conn: f.Src.Conn}, Bytes(big))
			}
			echo(w, f)
		}
		r = start(t, s, nil)
		close(started)
		other := r.dial(p) // gets nothing
		c := r.dial(p)
		in := bufio.NewReader(c)
		for i, id := range []string{"waits", "reload", "busy"} {
			m := request("OPTIONS", id, i, "")
			_, _ = c.Write([]byte(m))
			if id == "busy" {
				time.Sleep(20 * time.Millisecond) // its buffers fill before we read
				if got, err := readMessage(in); got != big {
					t.Fatalf("before the response: %d bytes, %v", len(got), err)
				}
			}
			if got, err := readMessage(in); got != m {
				t.Errorf("%s: got %q, %v", id, got, err)
			}
		}
		_ = other.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		if n, err := other.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Error("another connection got something")
		}
	})
}

// What waits is sealed together: twenty messages behind one handshake leave in
// one batch.
func TestWhatWaitsIsSealedTogether(t *testing.T) {
	from, to, inbox := two(t, hurried)
	// The handshakers are held up while the messages gather.
	release := from.holdHandshakers(from.cfg.Handshakers)
	const n = 20
	for i := range n {
		if o, err := from.Send(from.target(TLS, to), Bytes(request("MESSAGE", fmt.Sprint(i), i, ""))); o != Queued {
			t.Errorf("message %d: %v, %v", i, o, err)
		}
	}
	release()
	from.eventually("all arrive", func() bool { return len(inbox.got()) == n })
	if s := from.Stats(); s.Batches != 1 {
		t.Errorf("%d batches", s.Batches)
	}
}

// tls_async_max_postponed_chunks=0: nothing may wait. What is done within the
// budget goes; what would have to be parked is refused.
func TestNothingMayWait(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		s := &script{}
		inbox := &script{}
		to := start(t, inbox, nil)
		none := func(c *Config) {
			c.TLS.MaxPostponed, c.TCP.MaxPostponed = 0, 0
			c.ParkedTimeout = patience
		}
		from := start(t, s, none)
		if o, err := from.Send(from.target(p, to), Bytes(request("MESSAGE", "x", 1, ""))); o != Sent || err != nil {
			t.Errorf("within the budget: %v, %v", o, err)
		}
		from.eventually("it arrives", func() bool { return len(inbox.got()) == 1 })
		hasty := start(t, s, func(c *Config) {
			none(c)
			c.TLS.LocalConnectTimeout, c.TCP.LocalConnectTimeout = 50*time.Millisecond, 50*time.Millisecond
		})
		_, err := hasty.Send(&Target{Proto: p, Addr: blackHole(t), Name: "localhost"}, Bytes("x"))
		var e *Error
		if !errors.As(err, &e) || e.Reason != QueueFull {
			t.Errorf("after it: %v", err)
		}
		hasty.eventually("the connection is gone", func() bool { return !hasty.alive() })
		if lost, _ := s.lost(); len(lost) != 0 {
			t.Errorf("told twice: %q", lost)
		}
	})
}
