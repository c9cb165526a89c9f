package reactor

import (
	"bufio"
	"context"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
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
	bothProtos(t, func(t *testing.T, p Proto) {
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
		const peers = 20
		var all sync.WaitGroup
		var sent, answered, busy atomic.Int64
		for i := range peers {
			c := r.dial(p)
			over := make(chan bool)
			all.Go(func() {
				defer close(over)
				in := bufio.NewReader(c)
				for {
					if _, err := readMessage(in); err != nil {
						return
					}
					if answered.Add(1) == 10*peers {
						busy.Store(1)
					}
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
					if _, err := c.Write([]byte(request("MESSAGE", "peer"+strconv.Itoa(i), n, ""))); err != nil {
						return
					}
					sent.Add(1)
				}
			})
		}
		r.eventually("the peers are at it", func() bool { return busy.Load() == 1 })
		stopped := make(chan error)
		go func() { stopped <- r.Stop(t.Context()) }()
		all.Wait() // every connection has ended, but the one of the message that takes its time
		close(release)
		if m, err := readMessage(bufio.NewReader(slow)); !strings.Contains(m, "held") {
			t.Errorf("what takes its time is answered %q, %v", m, err)
		}
		if err := <-stopped; err != nil {
			t.Error(err)
		}
		lost := sent.Load() - answered.Load()
		t.Logf("%d of %d requests crossed the end", lost, sent.Load())
		// What a peer sends until it has seen the end of its connection crosses that: some on each, and on a machine with
		// much else to do as many as it sends before it gets to look.
		if lost > 5*peers+sent.Load()/10 {
			t.Errorf("%d of %d requests were not answered", lost, sent.Load())
		}
	})
}

// A message that awaits something when the engine ends has its answer when that has come.
func TestStopAnswersWhatWaits(t *testing.T) {
	onWorkersAndLoops(t, func(t *testing.T, inline time.Duration) {
		bothProtos(t, func(t *testing.T, p Proto) {
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
