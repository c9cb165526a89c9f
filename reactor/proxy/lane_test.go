package proxy

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/names"
)

// late is a Resolver that answers, with an address of loopback, when it is released.
type late struct {
	held  chan struct{}
	asked chan string // the name of each question
}

func newLate() *late { return &late{held: make(chan struct{}), asked: make(chan string, 100)} }

func (r *late) Lookup(_ context.Context, q names.Query) (names.Answer, error) {
	r.asked <- q.Host
	<-r.held
	return targets(q, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), q.Port)), nil
}

// Messages of a call that wait for the name of the same next hop reach it in the order in which they came, what
// comes when the answer is known behind those that have waited for it.
func TestCallsStayInOrderBehindALookUp(t *testing.T) {
	const calls = 40
	methods := []string{"INVITE", "CANCEL", "PRACK", "UPDATE", "ACK", "BYE", "MESSAGE"}
	r := newLate()
	l := runWith(t, funcs{request: func(c *Context) {
		c.SetSIPDomain("localhost")
		_ = c.Forward(nil)
	}}, Config{Resolver: r, LookupTimeout: patience}, func(c *reactor.Config) {
		c.Workers, c.Waiters, c.QueueDelay, c.TLS.MaxPostponed = 2, 1000, 0, 1000
	})
	release := sync.OnceFunc(func() { close(r.held) })
	t.Cleanup(release)
	far := l.serve()
	uri := strings.Replace(far.uri(), "127.0.0.1", "far.example", 1)
	caller := l.dial()
	say := func(call int, method string) {
		caller.say(request(method, uri, from(caller, "z9hG4bK"+method), fmt.Sprintf("Call-ID: call%d", call)))
	}
	last := len(methods) - 1
	n := min(calls, names.MaxWaitingForSource/len(methods)) // more may not wait, and those that come last may find all others there
	for _, m := range methods[:last] {
		for call := range n {
			say(call, m)
		}
	}
	waiting := func() (n int) {
		l.proxy.lanes.mu.Lock()
		defer l.proxy.lanes.mu.Unlock()
		return int(l.proxy.lanes.n.Load())
	}
	for end := time.Now().Add(patience); waiting() < n*last; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d wait, want %d", waiting(), n*last)
		}
	}
	release()
	for call := range n {
		say(call, methods[last])
	}
	callee := far.accept()
	got := make(map[string][]string)
	for range n * len(methods) {
		m := callee.hear()
		method, _, _ := strings.Cut(m, " ")
		id := header(t, m, "Call-ID")
		got[id] = append(got[id], method)
	}
	for id, list := range got {
		if strings.Join(list, " ") != strings.Join(methods, " ") {
			t.Errorf("%s: %s", id, list)
		}
	}
	for end := time.Now().Add(patience); waiting() > 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	l.proxy.lanes.mu.Lock()
	defer l.proxy.lanes.mu.Unlock()
	if n := l.proxy.lanes.n.Load(); n != 0 || len(l.proxy.lanes.last) != 0 {
		t.Errorf("%d places are left, %d lanes", n, len(l.proxy.lanes.last))
	}
}

// Who waits behind another goes on when that one has sent, or has failed.
func TestPlaces(t *testing.T) {
	var s lanes
	way := lane{call: 1, host: "far.example"}
	if s.enter(way, false) != nil {
		t.Error("a place behind nobody")
	}
	first := s.enter(way, true)
	first.wait() // nobody is ahead
	second := s.enter(way, false)
	if s.enter(lane{call: 2, host: way.host}, false) != nil || s.enter(lane{call: 1, host: "other.example"}, false) != nil {
		t.Error("another call, or another name, has to wait")
	}
	third := s.enter(way, true)
	done := make(chan struct{})
	go func() {
		third.wait()
		close(done)
	}()
	s.leave(first)
	second.wait()
	select {
	case <-done:
		t.Error("the third has overtaken the second")
	default:
	}
	s.leave(second)
	<-done
	if s.leave(third); s.n.Load() != 0 || len(s.last) != 0 || s.enter(way, false) != nil {
		t.Errorf("%d places, %d lanes", s.n.Load(), len(s.last))
	}
}
