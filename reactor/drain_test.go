package reactor

import (
	"bufio"
	"context"
	"crypto/tls"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A listener that another program opened is left to that, with what waits
// there; connections that are up go on.
func TestDrainLeavesInheritedListeners(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	f, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in, err := Inherit(f)
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, &script{message: echo}, func(c *Config) {
		c.Sockets = []SocketConfig{{Proto: TCP, Addr: in.Addr, Inherited: in}}
	})
	c := r.dial(TCP)
	back := bufio.NewReader(c)
	ack := request("ACK", "inherited", 1, "") // what is echoed is no response, and an ACK waits for none
	echoed := func() {
		t.Helper()
		_, _ = c.Write([]byte(ack))
		if got, err := readMessage(back); err != nil || got != ack {
			t.Fatalf("%q, %v", got, err)
		}
	}
	echoed()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := r.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	late := r.dial(TCP)
	owner, err := ln.Accept()
	if err != nil || owner.RemoteAddr().String() != late.LocalAddr().String() {
		t.Fatalf("%v, %v", owner, err)
	}
	owner.Close()
	echoed()
}

// A draining engine takes no connection of its own listeners', and refuses what begins on those that are up; what is
// under way when time is over is named, and nothing is when there is nothing.
func TestDrainTakesNothing(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		h := &busyHandler{hold: make(chan struct{})}
		close(h.hold)
		r := startWith(t, h, &h.script, nil)
		c := r.dial(p)
		r.eventually("it is up", func() bool { return r.Stats().Established == 1 })
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if err := r.Drain(over); err != nil {
			t.Errorf("there is nothing to wait for: %v", err)
		}
		in := bufio.NewReader(c)
		_, _ = c.Write([]byte(request("INVITE", "begins", 1, "")))
		if m, err := readMessage(in); !strings.HasPrefix(m, "SIP/2.0 503 ") {
			t.Errorf("what begins is answered %q, %v", m, err)
		}
		r.eventually("nobody listens", func() bool {
			late, err := net.Dial("tcp", r.addr(p).String())
			if err == nil {
				late.Close()
			}
			return err != nil
		})
	})
}

// Who shakes hands is waited for, and so are messages that a peer does not take; both are named when time is over.
func TestDrainNames(t *testing.T) {
	r := start(t, &script{}, func(c *Config) { c.TLS.HandshakeTimeout, c.TCP.SendTimeout = patience, patience })
	over, cancel := context.WithCancel(t.Context())
	cancel()
	names := func(want string) {
		t.Helper()
		if err := r.Drain(over); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	r.dialNarrow(TCP)
	_ = r.clog(r.only(), 20<<10, 1000)
	names("connections with messages to be written")

	r = start(t, &script{}, func(c *Config) { c.TLS.HandshakeTimeout = patience })
	c := r.raw(TLS)
	r.eventually("it shakes hands", func() bool { return r.Connections() == 1 })
	names("1 connections that are not up")
	c.Close()
	r.eventually("it is gone", func() bool { return r.Connections() == 0 })
	if err := r.Drain(over); err != nil {
		t.Error(err)
	}
}

// The half of a message is waited for, and named when it does not come.
func TestDrainWaitsForTheOtherHalf(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		r := start(t, &script{message: echo}, nil)
		c := r.dial(p)
		m := request("ACK", "half", 1, "") // echoed, and waits for no response
		_, _ = c.Write([]byte(m[:50]))
		r.eventually("a half is there", func() bool { return strings.Contains(r.underWay(), "incomplete") })
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if err := r.Drain(over); err == nil || !strings.Contains(err.Error(), "1 incomplete messages") {
			t.Errorf("drained: %v", err)
		}
		done := make(chan error)
		go func() { done <- r.Drain(t.Context()) }()
		_, _ = c.Write([]byte(m[50:]))
		if got, err := readMessage(bufio.NewReader(c)); err != nil || got != m {
			t.Errorf("%q, %v", got, err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// Peers that go on sending while the engine ends have an answer to each request up to the
// end of their connections: only what crosses our FIN on its way is lost. A message that
// takes its time keeps nobody else's from being read meanwhile, and has its answer, too.
func TestStopAnswersUpToTheEnd(t *testing.T) {
	const peers = 20
	bothProtos(t, func(t *testing.T, p Proto) {
		for try := 1; ; try++ {
			sent, lost, took := stopAmidRequests(t, p, peers)
			t.Logf("%d of %d requests crossed the end, which took %v", lost, sent, took)
			// What a peer sends until its kernel has seen the end of its connection crosses that.
			if lost <= 2*peers {
				return
			}
			// The first moment is that of the message that takes its time; a machine with much else to do does not get to
			// read all of it within the second one.
			if took < 2*graceTime || try == 5 {
				t.Fatalf("%d of %d requests were not answered", lost, sent)
			}
		}
	})
}

// stopAmidRequests stops an engine while a message takes its time and peers send requests, a few at once each. It
// returns how many they sent, how many of those had no answer, and how long it took until the last peer's connection
// had ended.
func stopAmidRequests(t *testing.T, p Proto, peers int) (sent, lost int64, took time.Duration) {
	t.Helper()
	held, release := make(chan bool), make(chan bool)
	s := &script{message: func(w *Worker, f *Frame) {
		if strings.Contains(string(f.Data), "held") {
			close(held)
			w.Wait(func() { <-release })
		}
		echo(w, f)
	}}
	r := start(t, s, nil)
	slow := r.dial(p)
	_, _ = slow.Write([]byte(request("MESSAGE", "held", 1, "")))
	<-held
	var all sync.WaitGroup
	var asked, answered atomic.Int64
	for i := range peers {
		c := r.dial(p)
		over, room := make(chan bool), make(chan bool, 5)
		all.Go(func() {
			defer close(over)
			in := bufio.NewReader(c)
			for {
				if _, err := readMessage(in); err != nil {
					return
				}
				<-room
				answered.Add(1)
			}
		})
		all.Go(func() {
			every := time.NewTicker(2 * time.Millisecond)
			defer every.Stop()
			for n := 1; ; n++ {
				select {
				case <-over:
					return
				case <-every.C:
				}
				select {
				case <-over:
					return
				case room <- true:
				}
				if ended(c) { // who reads has not been told of it yet
					return
				}
				if _, err := c.Write([]byte(request("MESSAGE", "peer"+strconv.Itoa(i), n, ""))); err != nil {
					return
				}
				asked.Add(1)
			}
		})
	}
	r.eventually("the peers are at it", func() bool { return answered.Load() >= int64(10*peers) })
	stopped, began := make(chan error), time.Now()
	go func() { stopped <- r.Stop(t.Context()) }()
	all.Wait() // every connection has ended, but the one of the message that takes its time
	took = time.Since(began)
	close(release)
	if m, err := readMessage(bufio.NewReader(slow)); !strings.Contains(m, "held") {
		t.Errorf("what takes its time is answered %q, %v", m, err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	return asked.Load(), asked.Load() - answered.Load(), took
}

// ended reports whether the other side's FIN has come, read or not.
func ended(c net.Conn) (fin bool) {
	if s, ok := c.(*tls.Conn); ok {
		c = s.NetConn()
	}
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) {
			const established = 1
			info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
			fin = err == nil && info.State != established
		})
	}
	return fin || err != nil
}

// A message that awaits something when the engine ends has its answer when that has come.
func TestStopAnswersWhatWaits(t *testing.T) {
	onWorkersAndLoops(t, func(t *testing.T, inline time.Duration) {
		bothProtos(t, func(t *testing.T, p Proto) {
			t.Parallel()
			waits := make(chan func(), 1)
			r := start(t, &script{message: func(w *Worker, f *Frame) {
				if !w.Await(func(_ int, resume func()) { waits <- resume }) {
					t.Error("it may not wait")
				}
				echo(w, f)
			}}, func(c *Config) { c.Inline = inline })
			c, idle := r.dial(p), r.dial(p)
			_, _ = c.Write([]byte(request("MESSAGE", "waits", 1, "")))
			resume := <-waits
			stopped := make(chan error)
			go func() { stopped <- r.Stop(t.Context()) }()
			_, _ = idle.Read(make([]byte, 1)) // the others have ended
			r.eventually("the idle connection is gone", func() bool { return r.conns.Table.Len() < 2 })
			resume()
			if m, err := readMessage(bufio.NewReader(c)); !strings.Contains(m, "waits") {
				t.Errorf("answered %q, %v", m, err)
			}
			if err := <-stopped; err != nil {
				t.Error(err)
			}
		})
	})
}
