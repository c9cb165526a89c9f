package transaction

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// rig is a transaction with a clock of its own and a user that writes down what it is called for.
type rig struct {
	t      *testing.T
	wheel  *Wheel
	now    time.Duration
	timing Timing
	tx     *Transaction
	log    []string

	fails  int                // so many sends fail
	mute   bool               // no CANCEL can be sent
	failed func(best *Branch) // what a failure leads to; nil: nothing
	retry  func(b *Branch) bool
	later  bool // Resume is the test's
	gone   bool
}

var errSend = errors.New("send failed")

func newRig(t *testing.T, invite, reliable bool) *rig {
	r := &rig{t: t, wheel: NewWheel(0), timing: DefaultTiming()}
	r.tx = New(r, r.wheel, &r.timing, 0, invite, reliable)
	return r
}

func (r *rig) note(format string, args ...any) {
	r.log = append(r.log, fmt.Sprintf("%v ", r.now.Truncate(100*time.Millisecond))+fmt.Sprintf(format, args...))
}

func (r *rig) SendRequest(_ *Transaction, b *Branch) error {
	if r.fails > 0 {
		r.fails--
		r.note("request %d fails", b.Index)
		return errSend
	}
	r.note("request %d", b.Index)
	return nil
}
func (r *rig) SendCancel(_ *Transaction, b *Branch) error {
	r.note("cancel %d", b.Index)
	if r.mute {
		return errSend
	}
	return nil
}
func (r *rig) SendAck(_ *Transaction, b *Branch) { r.note("ack %d", b.Index) }
func (r *rig) Relay(t *Transaction, b *Branch)   { r.note("relay %d %d", b.Index, t.code) }
func (r *rig) Keep(*Transaction, *Branch)        {}
func (r *rig) Again(*Transaction)                { r.note("again") }
func (r *rig) Lost(_ *Transaction, why Loss)     { r.note("lost %d", why) }
func (r *rig) Gone(*Transaction)                 { r.gone = true; r.note("gone") }

func (r *rig) Answer(_ *Transaction, b *Branch, code int) {
	from := "ours"
	if b != nil && !b.Local() {
		from = fmt.Sprint(b.Index)
	}
	r.note("answer %s %d", from, code)
}

func (r *rig) Retry(_ *Transaction, b *Branch) bool { return r.retry != nil && r.retry(b) }

func (r *rig) Failed(t *Transaction, best *Branch) {
	if f := r.failed; f != nil {
		r.failed = nil
		f(best)
	}
	if !r.later {
		t.Resume(r.now)
	}
}

func (r *rig) branch(reliable bool) *Branch {
	r.t.Helper()
	b := new(Branch)
	if err := r.tx.Add(b, reliable); err != nil {
		r.t.Fatal(err)
	}
	_ = r.tx.Launch(r.now, b)
	return b
}

// pass lets time pass, timer by timer.
func (r *rig) pass(d time.Duration) {
	for to := r.now + d; r.now < to; {
		next, ok := r.wheel.Next()
		if !ok || next > to {
			next = to
		}
		r.now = max(next, r.now)
		r.wheel.Advance(r.now, func(x *Timer, _ uint64) { r.tx.Fire(r.now, x) })
	}
}

func (r *rig) response(b *Branch, code int) { r.tx.Response(r.now, b, code) }

// want compares what was written down, and forgets it.
func (r *rig) want(lines ...string) {
	r.t.Helper()
	if !slices.Equal(r.log, lines) {
		r.t.Errorf("got:\n  %s\nwant:\n  %s", strings.Join(r.log, "\n  "), strings.Join(lines, "\n  "))
	}
	r.log = nil
}

func (r *rig) wantGone(yes bool) {
	r.t.Helper()
	if r.gone != yes {
		r.t.Errorf("gone: %v, want %v; server %d, %d timers", r.gone, yes, r.tx.server.state, r.wheel.Len())
	}
	if yes && r.wheel.Len() != 0 {
		r.t.Errorf("%d timers are left", r.wheel.Len())
	}
}
