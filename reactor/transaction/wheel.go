package transaction

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"time"
)

// Tick is the wheel's resolution: a timer goes off at the first tick that is not before its time, so never early
// and less than a tick late.
const Tick = 8 * time.Millisecond

const (
	levelBits = 6
	levelSize = 1 << levelBits
	levels    = 4 // 8 ms * 64^4: 37 hours; what is due later waits in the last level and is looked at again
)

// Timer is one deadline in a Wheel. It lives in what it is for, so that to arm it allocates nothing. The zero value is
// a timer that is not armed. A transaction has five, so each is as small as it can be.
type Timer struct {
	prev, next *Timer
	key        atomic.Uint64 // Transaction.Key when it was armed; a remnant is known by it
	due        uint32        // tick: the lower half, see Wheel.dueOf
	slot       uint8         // of the wheel
	phase      timerPhase

	// What fires it needs.
	branch int8 // index; -1 is the server side
	part   part
}

type timerPhase uint8

const (
	timerOff  timerPhase = iota
	timerOn              // armed
	timerRipe            // it went off, and has not been taken note of
)

// part says which deadline of a machine a Timer is.
type part uint8

const (
	partResend part = iota
	partLife
	partCancelResend
	partCancelLife
	partWait // of a transaction that waits for branches
)

// belong says what the timer is of: a branch's part, or with -1 the server side's.
func (t *Timer) belong(branch int, p part) { t.branch, t.part = int8(branch), p }

// Armed reports whether the timer will go off.
func (t *Timer) Armed() bool { return t.phase == timerOn }

// Wheel keeps deadlines: to arm, to move and to stop one costs O(1), whatever their number. Level 0 has a slot for each
// of the next 64 ticks, level 1 one for 64 ticks each, and so on; a slot of a higher level is spread over the one below
// when its time has come. A shard has one of its own, so that its lock, which is held for a few instructions, is free:
// only a transaction whose user waited, and has lost the lead of the shard for that, comes from another goroutine.
type Wheel struct {
	mu    sync.Mutex
	now   int64                     // the last tick that was worked off
	slots [levels * levelSize]Timer // their heads, level by level
	spill Timer                     // head of what spread hands down
	full  [levels]uint64            // which slots have timers
	count int
	ripe  []due  // of the tick that is worked off
	alarm *alarm // of who looks at it; nil: he looks all the time
}

// NewWheel returns a wheel at a time of its owner's clock.
func NewWheel(now time.Duration) *Wheel {
	w := &Wheel{now: int64(now / Tick)}
	for i := range w.slots {
		head := &w.slots[i]
		head.prev, head.next = head, head
	}
	return w
}

// Len returns how many timers are armed.
func (w *Wheel) Len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count
}

// Arm has t go off at a time; one that is armed is moved.
func (w *Wheel) Arm(t *Timer, at time.Duration) { w.arm(t, at, 0) }

func (w *Wheel) arm(t *Timer, at time.Duration, key uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stop(t)
	t.key.Store(key)
	t.phase = timerOn
	w.count++
	due := min(max(int64((at+Tick-1)/Tick), w.now+1), w.now+maxAhead)
	w.put(t, due)
	if w.alarm != nil {
		w.alarm.due(due)
	}
}

// maxAhead is how many ticks ahead a timer may be due: 99 days.
const maxAhead = 1 << 30

// dueOf returns the tick at which a timer is due, which is near to the present one.
func (w *Wheel) dueOf(t *Timer) int64 { return w.now + int64(int32(t.due-uint32(w.now))) }

// before reports whether a timer that is armed is due before a time.
func (w *Wheel) before(t *Timer, at time.Duration) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dueOf(t) < int64((at+Tick-1)/Tick)
}

// Stop disarms t. One that is not armed is left alone, and one that went off and was not taken note of is forgotten.
func (w *Wheel) Stop(t *Timer) {
	w.mu.Lock()
	w.stop(t)
	w.mu.Unlock()
}

func (w *Wheel) stop(t *Timer) {
	if t.phase == timerOn {
		w.take(t)
		w.count--
	}
	t.phase = timerOff
}

// put enters a timer where it is due.
func (w *Wheel) put(t *Timer, due int64) {
	l, away := 0, due-w.now
	for away >= levelSize && l < levels-1 {
		away >>= levelBits
		l++
	}
	t.due = uint32(due)
	if l == levels-1 { // further than the wheel reaches
		due = min(due, w.now+(levelSize-1)<<(levelBits*(levels-1)))
	}
	w.enter(t, l, due>>(levelBits*l)&(levelSize-1))
}

// enter puts a timer into a slot.
func (w *Wheel) enter(t *Timer, level int, slot int64) {
	t.slot = uint8(level<<levelBits) | uint8(slot)
	head := &w.slots[t.slot]
	t.prev, t.next = head.prev, head
	head.prev.next, head.prev = t, t
	w.full[level] |= 1 << slot
}

func (w *Wheel) take(t *Timer) {
	t.prev.next, t.next.prev = t.next, t.prev
	t.prev, t.next = nil, nil
	if head := &w.slots[t.slot]; head.next == head {
		w.full[t.slot>>levelBits] &^= 1 << (t.slot & (levelSize - 1))
	}
}

// Advance works off every tick up to now: fire is called for each timer that is due, which is no longer armed then, with
// the Key of its transaction. It may arm and stop any. What the timer is of may be worked on by another goroutine, and
// even be over: so it is not to be touched before the transaction is the caller's. One goroutine at a time.
func (w *Wheel) Advance(now time.Duration, fire func(t *Timer, of uint64)) {
	for to := int64(now / Tick); w.work(to); {
		for i, d := range w.ripe {
			w.ripe[i].timer = nil
			if w.isRipe(d.timer) { // else one before it in this tick has stopped it
				fire(d.timer, d.key)
			}
		}
	}
}

// due is a timer that went off.
type due struct {
	timer *Timer
	key   uint64
}

// work works off the next tick that has something to do, and gathers what is due then. It reports false when there is
// none up to the given one.
func (w *Wheel) work(to int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ripe = w.ripe[:0]
	if w.now >= to {
		return false
	}
	if w.count == 0 {
		w.now = to
		return false
	}
	w.now = min(to, w.nextTick())
	// From the top down: what a level hands down may be due in this very tick.
	for l := levels - 1; l > 0; l-- {
		if w.now&(1<<(levelBits*l)-1) == 0 {
			w.spread(l)
		}
	}
	head := &w.slots[w.now&(levelSize-1)]
	for t := head.next; t != head; t = head.next {
		w.stop(t)
		t.phase = timerRipe
		w.ripe = append(w.ripe, due{t, t.key.Load()})
	}
	return true
}

func (w *Wheel) isRipe(t *Timer) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return t.phase == timerRipe
}

// claim takes note of a timer that went off. It reports false for one that was armed or stopped since then.
func (w *Wheel) claim(t *Timer) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if t.phase != timerRipe {
		return false
	}
	t.phase = timerOff
	return true
}

// spread moves the timers of a level's present slot to where they are due.
func (w *Wheel) spread(l int) {
	slot := w.now >> (levelBits * l) & (levelSize - 1)
	head, first := &w.slots[int64(l)<<levelBits|slot], &w.spill
	if head.next == head {
		return
	}
	// Taken off as a whole: one that is still further away than the wheel reaches may come back to this slot.
	first.next, first.prev = head.next, head.prev
	first.next.prev, first.prev.next = first, first
	head.prev, head.next = head, head
	w.full[l] &^= 1 << slot
	for t := first.next; t != first; t = first.next {
		first.next, t.next.prev = t.next, first
		if due := w.dueOf(t); due > w.now {
			w.put(t, due)
		} else { // due now: level 0 has a slot for that
			w.enter(t, 0, w.now&(levelSize-1))
		}
	}
}

// nextTick returns the next tick at which there may be something to do.
func (w *Wheel) nextTick() int64 {
	next := int64(1)<<62 - 1
	for l := range levels {
		if w.full[l] == 0 {
			continue
		}
		shift := levelBits * l
		pos := w.now >> shift
		// Slots from the one behind the present one on, in the order they come.
		ahead := bits.RotateLeft64(w.full[l], -int((pos+1)&(levelSize-1)))
		at := (pos + 1 + int64(bits.TrailingZeros64(ahead))) << shift
		next = min(next, at)
	}
	return next
}

// Next returns when Advance may have something to do, at the earliest; false: never, as things are.
func (w *Wheel) Next() (time.Duration, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.count == 0 {
		return 0, false
	}
	return time.Duration(w.nextTick()) * Tick, true
}
