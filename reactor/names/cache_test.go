package names

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sipreactor/reactor"
)

func TestCacheKeepsAnswers(t *testing.T) {
	c := newTimed()
	q := Query{Host: "a.example.com", Proto: reactor.TLS}
	if _, _, ok := c.Cached(&q); ok {
		t.Error("an empty cache has an answer")
	}
	first, err := c.lookup(q)
	if err != nil || len(first.Targets) != 1 {
		t.Fatal(first, err)
	}
	c.pass(keep - keep/10 - 1)
	if a, err, ok := c.Cached(&q); !ok || err != nil || a != first {
		t.Error("not kept", a, err, ok)
	}
	for _, other := range []Query{{Host: "a.example.com", Proto: reactor.TCP}, {Host: "a.example.com", Proto: reactor.TLS, Port: 5061}} {
		if _, _, ok := c.Cached(&other); ok {
			t.Errorf("%+v has the answer of another question", other)
		}
	}
	c.pass(keep)
	if _, _, ok := c.Cached(&q); ok {
		t.Error("kept too long")
	}
	if second, _ := c.lookup(q); second.Targets[0] == first.Targets[0] || c.n.Load() != 2 {
		t.Error("not asked again")
	}
}

// Shortly before its end an answer still serves, and is asked for again by one of
// those who want it; nobody waits.
func TestCacheRenewsBehindTheBack(t *testing.T) {
	c := newTimed()
	q := Query{Host: "a.example.com"}
	first, _ := c.lookup(q)
	c.pass(keep - time.Second)
	for range 10 {
		if a, err, ok := c.Cached(&q); !ok || err != nil || len(a.Targets) != 1 {
			t.Fatal(a, err, ok)
		}
	}
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if a, _, ok := c.Cached(&q); ok && a.Targets[0] != first.Targets[0] {
			break
		} else if time.Now().After(end) {
			t.Fatal("not renewed")
		}
	}
	if n := c.n.Load(); n != 2 {
		t.Errorf("asked %d times", n)
	}
	c.pass(keep / 2) // that of the first is over
	if _, _, ok := c.Cached(&q); !ok {
		t.Error("what was renewed has ended")
	}
}

// An answer that has not changed stays the same in memory.
func TestCacheKnowsAnAnswerAgain(t *testing.T) {
	c := newTimed()
	c.fails(&Answer{Targets: []Target{target(1), target(2)}, TTL: keep}, nil)
	first, _ := c.lookup(Query{Host: "a"})
	c.pass(2 * keep)
	if second, err := c.lookup(Query{Host: "a"}); err != nil || second != first || len(second.Set().EndPoints) != 2 {
		t.Error("another answer", err)
	}
}

// When no server answers, what was known serves on for a while, and they are asked
// again and again. That a name is gone is an answer.
func TestCacheServesWhatItHasWhereNobodyAnswers(t *testing.T) {
	c := newTimed()
	q := Query{Host: "a.example.com"}
	first, _ := c.lookup(q)
	c.fails(&Answer{}, errors.New("no server answers"))
	for range 3 {
		c.pass(keep * 2)
		if a, err := c.lookup(q); err != nil || a != first {
			t.Fatal(a, err)
		}
	}
	if n := c.n.Load(); n != 4 {
		t.Errorf("asked %d times", n)
	}
	c.pass(staleFor)
	if _, err := c.lookup(q); !errors.Is(err, ErrUnresolved) {
		t.Error("served too long", err)
	}
	c = newTimed()
	_, _ = c.lookup(q)
	c.fails(&Answer{TTL: time.Minute}, fmt.Errorf("%w: gone", ErrUnresolved))
	c.pass(keep)
	if _, err := c.lookup(q); !errors.Is(err, ErrUnresolved) {
		t.Error("a name that is gone", err)
	}
}

// Once nobody has answered, nobody waits any more for what is known: it is asked for
// beside that.
func TestCacheLetsNobodyWaitForServersThatFail(t *testing.T) {
	c := newTimed()
	q := Query{Host: "a.example.com"}
	first, _ := c.lookup(q)
	c.fails(&Answer{}, errors.New("no server answers"))
	c.pass(2 * keep)
	_, _ = c.lookup(q)
	for asked := int64(3); asked < 6; asked++ {
		c.pass(2 * failedFor)
		if a, err, ok := c.Cached(&q); !ok || err != nil || a != first {
			t.Fatal(a, err, ok)
		}
		for end := time.Now().Add(patience); int64(c.n.Load()) != asked; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("asked %d times, want %d", c.n.Load(), asked)
			}
		}
		c.settled(t, &q)
	}
	c.pass(staleFor)
	if _, _, ok := c.Cached(&q); ok {
		t.Error("served too long")
	}
}

// neverAnswers knows a name once, and then lets whoever asks wait for longer than it was told.
type neverAnswers struct {
	asked atomic.Bool
	end   chan struct{}
}

func (r *neverAnswers) Lookup(context.Context, Query) (Answer, error) {
	if r.asked.CompareAndSwap(false, true) {
		return Answer{Targets: []Target{target(1)}, TTL: keep}, nil
	}
	<-r.end
	return Answer{}, errors.New("too late")
}

// Who has waited in vain goes on with what was known.
func TestCacheServesThoseWhoWaitInVain(t *testing.T) {
	r := &neverAnswers{end: make(chan struct{})}
	c := NewCache(r, 20*time.Millisecond)
	q := Query{Host: "a.example.com"}
	first, err := c.lookup(q)
	if err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(2 * keep)
	c.now = func() time.Time { return later }
	if a, err := c.lookup(q); err != nil || a != first {
		t.Error(a, err)
	}
	close(r.end)
}

func TestCacheKeepsFailures(t *testing.T) {
	for _, tc := range []struct {
		name string
		ttl  time.Duration
		kept time.Duration
	}{{"that nobody knows", 0, failedFor}, {"that there is none", 20 * time.Second, 20 * time.Second}} {
		c := newTimed()
		c.fails(&Answer{TTL: tc.ttl}, errors.New("no such host"))
		q := Query{Host: "a.example.com"}
		for range 3 {
			if _, err := c.lookup(q); !errors.Is(err, ErrUnresolved) {
				t.Error(tc.name, err)
			}
		}
		c.pass(tc.kept - 1)
		if _, err, ok := c.Cached(&q); !ok || !errors.Is(err, ErrUnresolved) {
			t.Error(tc.name, "is not kept")
		}
		if c.n.Load() != 1 {
			t.Errorf("%s: asked %d times", tc.name, c.n.Load())
		}
		c.pass(1)
		if _, _, ok := c.Cached(&q); ok {
			t.Error(tc.name, "is kept too long")
		}
	}
}

// A name that everybody waits for is asked for once.
func TestCacheAsksOnce(t *testing.T) {
	r := &asked{hold: make(chan struct{})}
	c := NewCache(r, patience)
	q := Query{Host: "a.example.com"}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if a, err := c.lookup(q); err != nil || len(a.Targets) != 1 {
				t.Error(a, err)
			}
		})
	}
	for r.n.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	if _, _, ok := c.Cached(&q); ok {
		t.Error("answered before there is an answer")
	}
	close(r.hold)
	wg.Wait()
	if r.n.Load() != 1 {
		t.Errorf("asked %d times", r.n.Load())
	}
}

// broken panics over what it is asked.
type broken struct{}

func (broken) Lookup(context.Context, Query) (Answer, error) { panic("a strange answer") }

// A resolver's panic is the end of one question, which failed, and of nothing else.
func TestCacheOutlivesAPanic(t *testing.T) {
	c := NewCache(broken{}, patience)
	for range 2 {
		q := Query{Host: "a.example"}
		ticket, err := c.Enter(&q, netip.MustParseAddr("192.0.2.1"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ticket.Wait(); !errors.Is(err, ErrUnresolved) {
			t.Errorf("the answer is %v", err)
		}
		ticket.Leave()
	}
}
