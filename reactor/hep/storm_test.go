package hep

import (
	"fmt"
	"sync"
	"testing"

	"sipreactor/reactor"
)

// Connections on many goroutines at once: none of their events is lost
// uncounted, nothing is kept, and each connection is told in order.
func TestStorm(t *testing.T) {
	const goroutines, lives = 8, 200
	b := newBench(t, nil)
	b.sender = send(t, b.dest, func(c *SenderConfig) { c.Queue = goroutines * lives * 3 })
	b.Tracer = New(Config{TLS: Lane{To: b.sender, On: true}})
	var wait sync.WaitGroup
	for g := range goroutines {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for i := range lives {
				src := source(reactor.Handle(g*lives+i+1), i%2 == 0)
				first := accepted
				if src.Outbound {
					first = started
				}
				b.life(src, nil, first, handshake, established)
				b.Fault(src, "a fault")
				b.life(src, orderly, closed)
			}
		}()
	}
	wait.Wait()
	b.sender.Close()
	st := b.sender.Stats()
	if st.Sent+st.Dropped != goroutines*lives*3 {
		t.Errorf("%+v", st)
	}
	b.empty()
	told := make(map[string]string)
	for _, p := range b.await(int(st.Sent)) {
		told[string(p.Correlation)] += object(t, p)["Event"] + " "
	}
	for id, events := range told {
		switch events {
		case "ACCEPTED ERROR CLOSED ", "CONNECTED ERROR CLOSED ":
		default:
			t.Errorf("connection %s is told %q", id, events)
		}
	}
}

// The same with the switch in motion: whatever is told of a connection begins
// with its opening, and each has one.
func TestStormSwitched(t *testing.T) {
	b := newBench(t, nil)
	stop := make(chan struct{})
	var wait, flip sync.WaitGroup
	flip.Add(1)
	go func() {
		defer flip.Done()
		for on := false; ; on = !on {
			select {
			case <-stop:
				return
			default:
				b.Switch(reactor.TLS, on)
				b.SwitchMessages(on)
				_ = b.On(reactor.TLS)
				_ = fmt.Sprint(b.sender.Stats())
			}
		}
	}()
	for g := range 4 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for i := range 300 {
				b.life(source(reactor.Handle(g*300+i+1), false), orderly, accepted, established, closed)
			}
		}()
	}
	wait.Wait()
	close(stop)
	flip.Wait()
	b.sender.Close()
	b.empty()
	told := make(map[string]string)
	for _, p := range b.await(int(b.sender.Stats().Sent)) {
		told[string(p.Correlation)] += object(t, p)["Event"] + " "
	}
	for id, events := range told {
		if events != "ACCEPTED CLOSED " && events != "ACCEPTED " {
			t.Errorf("connection %s is told %q", id, events)
		}
	}
}
