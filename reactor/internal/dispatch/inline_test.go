package dispatch

import (
	"slices"
	"testing"
	"time"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/waittest"
)

// onTest is a loop that the test is.
type onTest struct {
	lent, returned, stirred int
	over                    chan struct{}
	meanwhile               func() // called behind the items, before the loop sees to who waits; nil: nothing is
}

func (o *onTest) Defer()                       {}
func (o *onTest) Stirred()                     { o.stirred++ }
func (o *onTest) WaitOver()                    { o.over <- struct{}{} }
func (o *onTest) FlushSoon(c *connection.Conn) { c.AskFlush() }
func (o *onTest) Lent()                        { o.lent++ }
func (o *onTest) Returned() {
	if o.returned++; o.meanwhile != nil {
		o.meanwhile()
	}
}

// inline readies the test as a loop of a dispatcher, with a shard whose leader sleeps.
func inline(t *testing.T, r *rig, slice time.Duration) (*Inline, *onTest) {
	in, loop := new(Inline), &onTest{over: make(chan struct{}, 9)}
	in.Init(&r.Dispatcher, loop, 7, slice)
	t.Cleanup(in.End)
	waittest.For(t, "the leader sleeps", r.Shards[0].Asleep)
	return in, loop
}

func TestInlineRunsHere(t *testing.T) {
	r := open(t, 1, nil)
	in, loop := inline(t, r, time.Minute)
	frames := [][]Item{{text("a"), text("b")}}
	if in.Run(frames); !slices.Equal(r.got, []string{"a", "b"}) || len(frames[0]) != 0 {
		t.Errorf("%q were handled, %d are left", r.got, len(frames[0]))
	}
	if loop.lent != 1 || loop.returned != 1 || loop.stirred != 0 {
		t.Errorf("%+v", loop)
	}
}

// What a loop has no time for is left, in order.
func TestInlineLeavesTheRest(t *testing.T) {
	r := open(t, 1, func(*Place, Item) { time.Sleep(time.Microsecond) })
	in, _ := inline(t, r, time.Nanosecond)
	frames := [][]Item{{text("a"), text("b"), text("c")}}
	if in.Run(frames); !slices.Equal(r.got, []string{"a"}) || len(frames[0]) != 2 || string(frames[0][0].Data) != "b" {
		t.Errorf("%q were handled, left are %v", r.got, frames[0])
	}
}

// Without time of its own a loop leaves all to the workers.
func TestInlineWithoutTime(t *testing.T) {
	r := open(t, 1, nil)
	in, _ := inline(t, r, 0)
	frames := [][]Item{{text("a")}}
	if in.Run(frames); len(frames[0]) != 1 {
		t.Error("it runs")
	}
}

// A wait for something from elsewhere takes no goroutine: the loop goes on with the message
// when it is told.
func TestAwaitOnALoop(t *testing.T) {
	var resume func()
	number := 0
	r := open(t, 1, func(p *Place, it Item) {
		if string(it.Data) == "waits" && !p.Await(func(loop int, again func()) { number, resume = loop, again }) {
			t.Error("it may not wait")
		}
	})
	in, loop := inline(t, r, time.Minute)
	in.Run([][]Item{{text("waits"), text("follows")}})
	if len(r.got) != 0 || number != 7 {
		t.Errorf("%q were handled; on loop %d", r.got, number)
	}
	resume()
	<-loop.over
	if in.CarryOn(); !slices.Contains(r.got, "waits") || loop.stirred != 0 {
		t.Errorf("%q were handled; %+v", r.got, loop)
	}
}

// A wait may be over before the loop has the message off its hands.
func TestAwaitIsOverAtOnce(t *testing.T) {
	var resume func()
	r := open(t, 1, func(p *Place, _ Item) { p.Await(func(_ int, again func()) { resume = again }) })
	in, loop := inline(t, r, time.Minute)
	loop.meanwhile = func() { resume() }
	in.Run([][]Item{{text("waits")}})
	waittest.For(t, "the loop is told", func() bool { return len(loop.over) > 0 })
	if in.CarryOn(); !slices.Equal(r.got, []string{"waits"}) {
		t.Errorf("%q were handled", r.got)
	}
}

// What a loop keeps of hosts, for the next messages that wait, is bounded.
func TestHostsAreBounded(t *testing.T) {
	const n = spareHosts + 8
	var resume []func()
	r := openFor(t, 1, 2*n, func(p *Place, _ Item) { p.Await(func(_ int, again func()) { resume = append(resume, again) }) })
	in, loop := inline(t, r, time.Minute)
	loop.over = make(chan struct{}, n)
	for range n {
		in.Run([][]Item{{text("waits")}})
		waittest.For(t, "the leader sleeps", r.Shards[0].Asleep)
	}
	for _, again := range resume {
		again()
	}
	if in.CarryOn(); len(r.got) != n || len(in.hosts) != spareHosts {
		t.Errorf("%d of %d were handled, %d hosts are kept", len(r.got), n, len(in.hosts))
	}
	loop.over, resume = make(chan struct{}, 1), nil
	in.Run([][]Item{{text("again")}}) // by one that is kept
	resume[0]()
	if in.CarryOn(); len(r.got) != n+1 || r.Shards[0].Waiting() != 0 {
		t.Errorf("%d of %d were handled, %d wait", len(r.got), n+1, r.Shards[0].Waiting())
	}
}

// A wait that blocks leaves the loop, with its stack; the loop goes on at once.
func TestStandAsideOnALoop(t *testing.T) {
	hold := make(chan struct{})
	r := open(t, 1, func(p *Place, it Item) {
		if !p.Hosted() || p.Loop() == nil {
			t.Error("it is on no loop")
		}
		if p.StandAside(); p.Loop() != nil {
			t.Error("it is on the loop still")
		}
		<-hold
	})
	in, loop := inline(t, r, time.Minute)
	in.Run([][]Item{{text("waits")}})
	if loop.stirred != 1 {
		t.Error("nobody carries it on")
	}
	close(hold)
	r.has(t, 1)
}

// What waits when the loop ends is carried on all the same.
func TestAwaitOutlivesTheLoop(t *testing.T) {
	var resume func()
	r := open(t, 1, func(p *Place, _ Item) { p.Await(func(_ int, again func()) { resume = again }) })
	in, _ := inline(t, r, time.Minute)
	in.Run([][]Item{{text("waits")}})
	in.End()
	resume()
	r.has(t, 1)
}

// A Handler that mostly blocks is not for a loop: what it waits for elsewhere costs the loop nothing, and goroutines.
func TestBlockingLeavesTheLoop(t *testing.T) {
	r := open(t, 1, func(p *Place, _ Item) { p.StandAside() })
	in, loop := inline(t, r, time.Minute)
	for i := range 100 {
		frames := [][]Item{{text("blocks")}}
		in.Run(frames)
		if len(frames[0]) != 0 { // it was left
			if loop.lent != i {
				t.Errorf("lent %d times of %d", loop.lent, i)
			}
			return
		}
		waittest.For(t, "the leader sleeps", func() bool { return r.Quiet() && r.Shards[0].Asleep() })
	}
	t.Error("each runs on the loop")
}
