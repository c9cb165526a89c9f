package admission

import (
	"math/rand/v2"
	"testing"
	"time"
)

// model is a loop with connections on a clock of its own. It reads, pauses and goes
// on as the engine's does. Clients ask, by many connections; one connection has the
// answers, a moment after a request went on. The time of each is what it costs the
// loop.
type model struct {
	Policy
	now                     int64
	request, answer, refuse int64
	ready                   []int // what has something to be read, in turn: connections, or mark
	conns                   []connection
	paused                  []int
	served, turned          int
	answered                func(c int, came int64) // a request of the connection got its answer, just now
}

const (
	mark   = -1
	callee = 0 // the connection with the answers
	// atOnce is how many messages one read brings at most: 64 kB of them.
	atOnce = 128
	// there is what an answer takes from the request's leaving to its coming.
	there = int64(200 * time.Microsecond)
)

type connection struct {
	unread                            []piece
	full                              int64 // when the last read began, if that left something
	queued, paused, excess, overloads bool
	lag                               bool
}

// piece is a message on its way to the loop.
type piece struct {
	at   int64 // when it is there
	of   int   // whose request it is
	came int64 // when that was sent
}

func (m *model) ask(c int, at int64) { m.put(c, piece{at, c, at}) }

func (m *model) put(c int, p piece) {
	k := &m.conns[c]
	k.unread = append(k.unread, p)
	m.queue(c)
}

// queue gives a connection its turn, if it has something.
func (m *model) queue(c int) {
	if k := &m.conns[c]; !k.queued && !k.paused && len(k.unread) > 0 && k.unread[0].at <= m.now {
		k.queued = true
		m.ready = append(m.ready, c)
	}
}

// step does the next thing there is; false = nothing is left to do now.
func (m *model) step() bool {
	m.queue(callee)
	if len(m.ready) == 0 {
		m.Idle(m.now)
		switch k := &m.conns[callee]; {
		case len(m.paused) > 0:
			m.goOn()
		case len(k.unread) > 0:
			m.now = k.unread[0].at
		default:
			return false
		}
		return true
	}
	c := m.ready[0]
	m.ready = m.ready[1:]
	if c == mark {
		m.Came(m.now)
		if len(m.paused) > 0 && m.Roomy(m.now) {
			m.goOn()
		}
		return true
	}
	m.read(c)
	if m.Mark(m.now) {
		m.ready = append(m.ready, mark)
	}
	return true
}

// goOn reads the connection again that is paused for the longest time.
func (m *model) goOn() {
	c := m.paused[0]
	m.paused = m.paused[1:]
	m.conns[c].paused = false
	m.queue(c)
}

func (m *model) read(c int) {
	k := &m.conns[c]
	k.queued = false
	n := 0
	for n < min(atOnce, len(k.unread)) && k.unread[n].at <= m.now {
		n++
	}
	batch := k.unread[:n]
	k.unread = k.unread[n:]
	more := n == atOnce
	deep := more && k.full != 0 && m.Deep(len(k.unread), n, m.now-k.full)
	if k.full = 0; more {
		k.full = m.now
	}
	if c == callee {
		m.Answers(&k.lag, deep)
		for _, p := range batch {
			m.now += m.answer
			m.served++
			if m.answered != nil {
				m.answered(p.of, p.came)
			}
		}
		return
	}
	if m.Overloaded(m.now) || deep || more && k.overloads && m.Above() {
		k.excess, k.overloads = true, true
	}
	if much := k.excess || len(m.paused) > 0; much || m.Above() {
		m.Look(m.now, much)
	}
	k.overloads = k.overloads && m.Over()
	for _, p := range batch {
		if k.overloads && m.Refuse() {
			m.now += m.refuse
			m.turned++
			if m.answered != nil {
				m.answered(c, p.came)
			}
		} else {
			m.now += m.request
			m.put(callee, piece{m.now + there, c, p.came})
		}
	}
	if k.excess {
		k.excess, k.paused = false, true
		m.paused = append(m.paused, c)
	}
	m.queue(c)
}

const serve = 80_000 // what a request and its answer cost

func newModel(clients int) *model {
	return &model{Policy: New(100 * time.Millisecond), now: 1, request: 50_000, answer: serve - 50_000, refuse: 27_000, conns: make([]connection, 1+clients)}
}

func (m *model) client(n int) int { return 1 + n%(len(m.conns)-1) }

// open offers requests at a rate, as multiple of what can be served, for a time. It
// tells how many were offered, and how many served within it.
func (m *model) open(seed uint64, times float64, d time.Duration) (offered, inTime int) {
	random := rand.New(rand.NewPCG(seed, 1))
	next, gap, end := m.now, serve/times, m.now+int64(d)
	was := m.served
	for m.now < end || next < end {
		for next <= m.now && next < end {
			m.ask(m.client(random.Int()>>1), next)
			offered++
			next += int64(random.ExpFloat64()*gap) + 1
		}
		if !m.step() {
			if next >= end {
				break
			}
			m.now = next
		}
		if m.now <= end {
			inTime = m.served - was
		}
	}
	for m.step() {
	}
	return offered, inTime
}

// At and past saturation what is served stays at nine tenths of what can be, and
// every request has its answer in the end; some are refused soon, so that their
// senders hear of it.
func TestSaturation(t *testing.T) {
	const d = 5 * time.Second
	for _, clients := range []int{1, 4, 50, 500} {
		for _, times := range []float64{0.5, 0.9, 1, 2, 3, 10} {
			m := newModel(clients)
			offered, inTime := m.open(uint64(clients), times, d)
			peak := int(int64(d) / serve)
			if want := min(float64(peak), float64(offered)) * 0.9; float64(inTime) < want {
				t.Errorf("%d connections, %g×: %d of %d served in time", clients, times, inTime, peak)
			}
			if m.served+m.turned != offered {
				t.Errorf("%d connections, %g×: %d of %d have no answer", clients, times, offered-m.served-m.turned, offered)
			}
			switch {
			case times < 1 && m.turned != 0:
				t.Errorf("%d connections, %g×: %d refused", clients, times, m.turned)
			case times >= 2 && m.turned < offered/50:
				t.Errorf("%d connections, %g×: %d of %d refused", clients, times, m.turned, offered)
			}
		}
	}
}

// Who waits for his answers keeps the loop busy and is refused nothing, from the
// first moment on, however many they are and however they begin.
func TestClosedLoops(t *testing.T) {
	for _, tt := range []struct{ clients, window int }{{1, 1}, {100, 1}, {1, 100}, {50, 4}, {4, 64}, {500, 1}} {
		m := newModel(tt.clients)
		m.answered = func(c int, _ int64) {
			if m.now < int64(5*time.Second) {
				m.ask(c, m.now)
			}
		}
		for c := range tt.clients {
			for range tt.window {
				m.ask(1+c, m.now)
			}
		}
		for m.step() {
		}
		want := int(int64(5*time.Second) / serve)
		if tt.clients*tt.window == 1 {
			want = int(int64(5*time.Second) / (serve + there))
		}
		if m.turned != 0 || m.served < want*9/10 {
			t.Errorf("%+v: %d served, %d refused", tt, m.served, m.turned)
		}
	}
}

// A burst that is worked off within the time that a message may wait costs nobody an
// answer, and a stall of the machine neither.
func TestBurstsAndStalls(t *testing.T) {
	m := newModel(100)
	for i := range 1000 { // 80 ms of work at once
		m.ask(m.client(i), m.now)
	}
	for m.step() {
	}
	for range 10 {
		m.now += int64(300 * time.Millisecond)
		for c := range 100 {
			m.ask(1+c, m.now-int64(200*time.Millisecond))
		}
		m.now += int64(200 * time.Millisecond) // the processor was somebody else's
		for m.step() {
		}
	}
	if m.turned != 0 || len(m.paused) != 0 {
		t.Errorf("%d refused, %d paused", m.turned, len(m.paused))
	}
}

// Behind an overload everything is as it was: nothing is paused, nothing is refused.
func TestOverloadEnds(t *testing.T) {
	m := newModel(50)
	m.open(1, 3, 2*time.Second)
	if m.turned == 0 || len(m.paused) != 0 {
		t.Fatalf("%d refused, %d paused", m.turned, len(m.paused))
	}
	refused := m.turned
	m.now += int64(time.Second)
	m.open(2, 0.8, 2*time.Second)
	if m.turned != refused {
		t.Errorf("%d refused behind it", m.turned-refused)
	}
}

// What a few connections pour in does not make the others wait: theirs go on while
// those are paused.
func TestCalmOnesGoFirst(t *testing.T) {
	m := newModel(20)
	random := rand.New(rand.NewPCG(7, 7))
	worst, calm := int64(0), 0
	m.answered = func(c int, came int64) {
		if c > 2 {
			calm++
			worst = max(worst, m.now-came)
		}
	}
	for next := m.now; m.now < int64(3*time.Second); {
		for ; next <= m.now; next += serve * 2 / 3 {
			m.ask(1+random.IntN(2), next) // two of them bring three times what there is
			m.ask(1+random.IntN(2), next)
			if random.IntN(10) == 0 {
				m.ask(3+random.IntN(18), next)
			}
		}
		if !m.step() {
			m.now = next
		}
	}
	if worst > int64(200*time.Millisecond) || calm < 1000 {
		t.Errorf("%d calm ones; one waited %v", calm, time.Duration(worst))
	}
}
