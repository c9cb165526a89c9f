package dispatch

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/figures"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reading"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/waittest"
	"sipreactor/sipframe"
)

// rig is a dispatcher whose workers note what they are given.
type rig struct {
	Dispatcher
	began time.Time

	mu   sync.Mutex
	got  []string
	wait func(p *Place, it Item) // in the Handler; may be nil
}

// open starts a dispatcher and ends it with the test.
func open(t *testing.T, shards int, wait func(p *Place, it Item)) *rig {
	return openFor(t, shards, 3, wait)
}

// openFor is open where so many items may wait.
func openFor(t *testing.T, shards, waiters int, wait func(p *Place, it Item)) *rig {
	r := &rig{began: time.Now(), wait: wait}
	r.Init(Config{Shards: shards, Bound: 4, Waiters: waiters, Now: func() int64 { return int64(time.Since(r.began)) + 1 },
		Eased: func() {}, Worker: r.worker})
	r.Open()
	t.Cleanup(r.Close)
	return r
}

func (r *rig) worker() *Place {
	p := new(Place)
	p.Init(&r.Dispatcher, func(it Item) {
		p.Begin(&it)
		if it.Kind == Beat {
			p.Shard().Beat()
		}
		if r.wait != nil {
			r.wait(p, it)
		}
		r.mu.Lock()
		r.got = append(r.got, string(it.Data))
		r.mu.Unlock()
		p.Done(&it)
	})
	return p
}

// has waits until items were handled, and returns them.
func (r *rig) has(t *testing.T, n int) []string {
	t.Helper()
	var got []string
	waittest.For(t, fmt.Sprintf("%d are handled", n), func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		got = slices.Clone(r.got)
		return len(got) >= n
	})
	return got
}

func text(s string) Item { return Item{Kind: Message, Data: []byte(s)} }

// Requests of a side that knows the call by another Call-ID go to the shard of the other side's.
func TestHiddenCallID(t *testing.T) {
	var d Dispatcher
	d.Init(Config{Shards: 16, Waiters: 1, Rename: func(id []byte) []byte { return bytes.TrimPrefix(id, []byte("hidden-")) }})
	shards := make(map[int]bool)
	for n := range 100 {
		shard := func(prefix string) int {
			return d.Of(fmt.Appendf(nil, "BYE sip:bob@example.com SIP/2.0\r\nCall-ID: %s%d@example.com\r\n\r\n", prefix, n))
		}
		if shard("") != shard("hidden-") {
			t.Errorf("call %d is in two shards", n)
		}
		shards[shard("")] = true
	}
	if len(shards) < 8 {
		t.Errorf("100 calls are in %d shards", len(shards))
	}
}

// A response goes to the shard that its branch tells, and so does a request of ours that comes back.
func TestShardOfBranch(t *testing.T) {
	var d Dispatcher
	d.Init(Config{Shards: 4, Waiters: 1, ShardOf: func(branch []byte) (int, bool) { return 3, string(branch) == "z9hG4bKours" }})
	m := func(first, branch string) []byte {
		return fmt.Appendf(nil, "%s\r\nVia: SIP/2.0/TCP h;branch=%s\r\nCall-ID: x\r\n\r\n", first, branch)
	}
	const request, response = "BYE sip:bob@example.com SIP/2.0", "SIP/2.0 200 OK"
	byCallID := d.Of(m(request, "z9hG4bKours"))
	if byCallID != d.Of(m(response, "z9hG4bKtheirs")) || byCallID != d.OfOurs(m(response, "z9hG4bKours")) {
		t.Error("not by the Call-ID")
	}
	d.cfg.ShardOf = func([]byte) (int, bool) { return 4, true }
	if d.Of(m(response, "z9hG4bKours")) != byCallID {
		t.Error("by the branch of an engine that has more shards")
	}
	d.cfg.ShardOf = func([]byte) (int, bool) { return 3, true }
	if d.Of(m(response, "z9hG4bKours")) != 3 || d.OfOurs(m(request, "z9hG4bKours")) != 3 {
		t.Error("not by the branch")
	}
}

// A shard takes so many, and what belongs to what is under way finds as much room again.
func TestShardIsBounded(t *testing.T) {
	hold, at := make(chan struct{}), make(chan struct{}, 100)
	r := open(t, 2, func(*Place, Item) {
		at <- struct{}{}
		<-hold
	})
	s := r.Shards[1]
	s.Put(text("x"))
	<-at
	taken := 0
	for range 100 {
		taken += 1 - s.Take([]Item{text("INVITE sip:b@h SIP/2.0\r\nTo: <sip:b@h>\r\n\r\n")})
	}
	urgent := 0
	for range 100 {
		if s.TakeUrgent([]Item{text("SIP/2.0 200 OK\r\n\r\n")}) {
			urgent++
		}
	}
	if taken < 3 || taken > 5 || urgent < 3 || urgent > 5 {
		t.Errorf("%d new ones and %d urgent ones found room, of a bound of 4", taken, urgent)
	}
	if s.TakeUrgent([]Item{text("INVITE sip:b@h SIP/2.0\r\nTo: <sip:b@h>\r\n\r\n")}) {
		t.Error("a new one is urgent")
	}
	if r.Quiet() {
		t.Error("it is quiet")
	}
	close(hold)
	r.has(t, 1+taken+urgent)
}

// A beat is through when the leader has come to it, and is asked for once meanwhile.
func TestBeat(t *testing.T) {
	hold := make(chan struct{})
	r := open(t, 1, func(*Place, Item) { <-hold })
	s := r.Shards[0]
	for range 3 {
		s.AskBeat()
	}
	if s.Busy() != 1 {
		t.Errorf("%d beats were asked for", s.Busy())
	}
	close(hold)
	r.has(t, 1)
	if !s.Beats() {
		t.Error("it came round, and does not beat")
	}
}

// own is a loop that has a connection.
type own struct{ asked []uint32 }

func (o *own) Post(_ *connection.Conn, what uint32) { o.asked = append(o.asked, what) }
func (o *own) Counters() *figures.LoopCounters      { return new(figures.LoopCounters) }

// of returns an item of a connection, which is in hand.
func of(c *connection.Conn, data string) Item {
	c.Reading.Taken()
	return Item{Kind: Message, Data: []byte(data), Conn: c}
}

// An item whose Handler waits is not in hand, and is here until it is done.
func TestWhoWaitsIsNotInHand(t *testing.T) {
	c := new(connection.Conn)
	hold := make(chan struct{})
	r := open(t, 1, func(p *Place, _ Item) {
		p.StandAside()
		<-hold
	})
	goes := sync.OnceFunc(func() { close(hold) })
	t.Cleanup(goes) // before the dispatcher waits for it
	r.Shards[0].Put(of(c, "waits"))
	waittest.For(t, "it is out of hand", func() bool { return c.Reading.InHand() == 0 })
	if !c.Reading.Here() {
		t.Error("it is done")
	}
	goes()
	waittest.For(t, "it is done", r.Quiet)
	if c.Reading.Here() {
		t.Error("it is here though it is done")
	}
}

// A connection that has many in hand has the next behind those of others.
func TestLowPriority(t *testing.T) {
	c := new(connection.Conn)
	hold, at := make(chan struct{}), make(chan struct{}, 9)
	r := open(t, 1, func(*Place, Item) {
		at <- struct{}{}
		<-hold
	})
	s := r.Shards[0]
	s.Put(text("first"))
	<-at
	for range reading.LowPriorityAt {
		c.Reading.Taken()
	}
	s.Take([]Item{of(c, "low")})
	s.Put(text("calm"))
	close(hold)
	if got := r.has(t, 3); !slices.Equal(got, []string{"first", "calm", "low"}) {
		t.Errorf("%q", got)
	}
}

// A stream that lost its framing closes behind what the Handler has said.
func TestMalformedCloses(t *testing.T) {
	o := new(own)
	c := &connection.Conn{Loop: o}
	c.Begin(phase.Established)
	r := open(t, 1, nil)
	it := of(c, "bad")
	it.Kind, it.Defect = Malformed, &sipframe.Defect{Code: 400, Reason: "made up"}
	r.Shards[0].Put(it)
	waittest.For(t, "it is done", r.Quiet)
	if !c.Closes() || c.Why().Reason != reason.MalformedMessage || !slices.Equal(o.asked, []uint32{connection.EvClose}) {
		t.Errorf("it closes: %v, asked %v", c.Closes(), o.asked)
	}
}

// What a loop's own place runs never waits.
func TestFixedPlaceDoesNotWait(t *testing.T) {
	waited := false
	r := open(t, 1, func(p *Place, _ Item) { waited = p.StandAside() || p.Await(func(int, func()) {}) })
	s := r.Shards[0]
	if r.worker().DoFixed(s, text("x")); waited || s.Stat.WaitersFull.Load() != 2 || s.Busy() != 0 {
		t.Errorf("waited: %v, refused %d times, %d busy", waited, s.Stat.WaitersFull.Load(), s.Busy())
	}
}

// What an item is in is let go of when it is done.
func TestDoneReleases(t *testing.T) {
	r := open(t, 1, nil)
	before := sipframe.LiveBuffers()
	r.Shards[0].Put(Item{Kind: Message, Buf: sipframe.NewBuffer(1)})
	waittest.For(t, "it is done", r.Quiet)
	if n := sipframe.LiveBuffers() - before; n != 0 {
		t.Errorf("%d buffers are left", n)
	}
}

// What waits for half of the time that it may is calm, what waits for all of it is late.
func TestCalmAndLate(t *testing.T) {
	var clock atomic.Int64
	at, hold := make(chan struct{}), make(chan struct{})
	r := &rig{wait: func(_ *Place, it Item) {
		if clock.Add(int64(time.Millisecond)); string(it.Data) == "holds" {
			at <- struct{}{}
			<-hold
		}
	}}
	r.Init(Config{Shards: 1, Waiters: 3, Delay: 100 * time.Millisecond, Now: func() int64 { return clock.Load() + 1 }, Eased: func() {}, Worker: r.worker})
	r.Open()
	t.Cleanup(r.Close)
	s := r.Shards[0]
	for range 200 { // what one takes is known behind that
		s.Put(text("x"))
	}
	waittest.For(t, "all are done", func() bool { return r.Quiet() && s.Asleep() })
	s.Put(text("holds"))
	<-at
	waiting := 0
	for _, tt := range []struct {
		waiting    int
		calm, late bool
	}{{0, true, false}, {50, true, false}, {51, false, false}, {99, false, false}, {100, false, true}} {
		for ; waiting < tt.waiting; waiting++ {
			s.Put(text("x"))
		}
		if r.Calm() != tt.calm || r.Late() != tt.late {
			t.Errorf("%d wait: calm %v, late %v", waiting, r.Calm(), r.Late())
		}
	}
	if r.cfg.Delay = 0; r.Late() {
		t.Error("it is late where it may take any time")
	}
	close(hold)
}

// Before an item waits a follower has the shard; where too many wait, it must not.
func TestStandAside(t *testing.T) {
	hold, stayed := make(chan struct{}), make(chan string, 9)
	r := open(t, 1, func(p *Place, it Item) {
		if string(it.Data) != "waits" {
			return
		}
		if !p.StandAside() {
			stayed <- string(it.Data)
			return
		}
		<-hold
	})
	s := r.Shards[0]
	for range 2 {
		s.Put(text("waits"))
	}
	s.Put(text("goes on"))
	if got := r.has(t, 1); !slices.Equal(got, []string{"goes on"}) {
		t.Errorf("%q", got)
	}
	s.Put(text("waits")) // of three, two wait and one leads
	if got := <-stayed; got != "waits" {
		t.Error(got)
	}
	close(hold)
	r.has(t, 4)
}
