package transaction

import (
	"math/rand/v2"
	"testing"
	"time"
)

// books is a user that keeps the books of a transaction and complains of what may never be.
type books struct {
	t        *testing.T
	r        *rand.Rand
	seed     uint64
	wheel    *Wheel
	timing   Timing
	now      time.Duration
	tx       *Transaction
	invite   bool
	finals   int // responses above 299 that went up
	oks      int // 2xx that went up
	wantOKs  int // 2xx that came from a living branch, or from one that was given up while the caller waits
	tries    [MaxBranches]try
	former   [MaxBranches]bool // has given up an address
	acks     int               // of final responses that are no 2xx
	silent   bool              // told that there is no answer
	upstream bool              // the caller is gone
	gone     bool
	deciding bool
	waited   bool // branches that are injected were waited for
}

// try is what a branch has done for its present address.
type try struct {
	sent, cancels int
	heard         bool // a provisional response
	reliable      bool
}

func (k *books) alive(what string) {
	if k.gone {
		k.t.Fatalf("seed %d: %s behind the end", k.seed, what)
	}
}

func (k *books) SendRequest(_ *Transaction, b *Branch) error {
	k.alive("a request")
	try := &k.tries[b.Index]
	if try.sent++; try.sent > 1 && try.reliable {
		k.t.Fatalf("seed %d: sent again over a reliable transport", k.seed)
	}
	if s := b.request.state; s != Calling && s != Trying && (k.invite || s != Proceeding) {
		k.t.Fatalf("seed %d: a request is sent in state %d", k.seed, s)
	}
	if k.r.IntN(20) == 0 {
		return errSend
	}
	return nil
}

func (k *books) SendCancel(_ *Transaction, b *Branch) error {
	k.alive("a CANCEL")
	try := &k.tries[b.Index]
	if !try.heard {
		k.t.Fatalf("seed %d: a CANCEL before a provisional response", k.seed)
	}
	if try.cancels++; try.cancels > 1 && try.reliable {
		k.t.Fatalf("seed %d: canceled twice", k.seed)
	}
	if !k.invite {
		k.t.Fatalf("seed %d: a CANCEL for what is no INVITE", k.seed)
	}
	return nil
}

func (k *books) SendAck(t *Transaction, _ *Branch) {
	k.alive("an ACK")
	if k.acks++; !k.invite || t.code < 300 {
		k.t.Fatalf("seed %d: an ACK to %d", k.seed, t.code)
	}
}

func (k *books) Relay(t *Transaction, _ *Branch) {
	k.alive("a response")
	switch {
	case t.code >= 200 && t.code < 300:
		k.oks++
	case t.code == 100 || t.code >= 300:
		k.t.Fatalf("seed %d: relayed %d", k.seed, t.code)
	case k.finals > 0 || k.oks > 0:
		k.t.Fatalf("seed %d: a provisional response behind a final one", k.seed)
	}
}

func (k *books) Keep(*Transaction, *Branch) {}
func (k *books) Again(*Transaction)         { k.alive("a response, again,") }

func (k *books) Answer(_ *Transaction, b *Branch, code int) {
	k.alive("an answer")
	switch {
	case code >= 300:
		k.finals++
		if k.oks > 0 {
			k.t.Fatalf("seed %d: %d behind a 2xx", k.seed, code)
		}
	case code >= 200:
		k.oks++
		k.wantOKs++
	}
	if b != nil && b.Status() != code && code != 500 {
		k.t.Fatalf("seed %d: answer %d of a branch with %d", k.seed, code, b.Status())
	}
}

func (k *books) Retry(t *Transaction, b *Branch) bool {
	if b.waiting || b.cancel != nil {
		k.t.Fatalf("seed %d: a branch that was canceled tries another address", k.seed)
	}
	if k.r.IntN(3) > 0 {
		return false
	}
	k.former[b.Index] = true
	k.tries[b.Index] = try{reliable: k.r.IntN(2) == 0}
	return t.Relaunch(b, k.tries[b.Index].reliable) == nil
}

func (k *books) Failed(t *Transaction, best *Branch) {
	k.alive("a failure")
	if best == nil && !k.waited {
		k.t.Fatalf("seed %d: a failure of nothing", k.seed)
	}
	if k.deciding {
		k.t.Fatalf("seed %d: a failure while one is decided on", k.seed)
	}
	k.deciding = true
	if k.r.IntN(8) == 0 {
		k.wait()
	}
	for k.r.IntN(3) == 0 {
		k.fork()
	}
	if k.r.IntN(8) == 0 {
		t.Respond(k.now, 200+k.r.IntN(400))
	}
	if k.r.IntN(3) > 0 {
		k.resume()
	}
}

func (k *books) resume() {
	if k.deciding {
		k.deciding = false
		k.tx.Resume(k.now)
	}
}

func (k *books) Lost(_ *Transaction, why Loss) {
	switch why {
	case LostAnswer:
		k.silent = true
		if k.invite {
			k.t.Fatalf("seed %d: an INVITE is answered by nobody", k.seed)
		}
	case LostUpstream:
		k.upstream = true
	case LostAck:
	}
}

func (k *books) Gone(*Transaction) {
	k.alive("a second end")
	k.gone = true
}

// fork adds a branch, and launches it unless the transaction refuses.
func (k *books) fork() {
	b := &Branch{Minor: k.r.IntN(8) == 0}
	next := try{reliable: k.r.IntN(2) == 0}
	ended := k.deciding && k.tx.Block6xx && k.tx.last6xx()
	if k.tx.Add(b, next.reliable) == nil {
		if ended {
			k.t.Fatalf("seed %d: a fork behind a 6xx", k.seed)
		}
		k.tries[b.Index] = next
		_ = k.tx.Launch(k.now, b)
	}
}

// wait has the transaction wait for branches, or no longer.
func (k *books) wait() {
	k.waited = true
	k.tx.Wait(k.now, k.r.IntN(3))
}

func (k *books) event() {
	t := k.tx
	var b *Branch
	if n := len(t.Branches()); n > 0 {
		b = t.Branches()[k.r.IntN(n)]
	}
	switch x := k.r.IntN(20); {
	case x < 3 && !k.deciding && t.Status() == 0 && len(t.branches) < 4:
		k.fork()
	case x < 5 && b != nil:
		k.response(b, 100+k.r.IntN(100))
	case x < 7 && b != nil:
		k.response(b, 300+k.r.IntN(400))
	case x < 8 && b != nil:
		k.response(b, 200+k.r.IntN(5))
	case x < 9 && b != nil:
		t.Unreachable(k.now, b)
	case x < 10 && b != nil:
		t.CancelResponse(k.now, b, 100+k.r.IntN(500))
	case x < 11:
		t.Repeated(k.now)
	case x < 12:
		t.Acknowledged(k.now)
	case x < 13 && k.r.IntN(3) == 0:
		t.Cancel(k.now)
	case x < 14 && k.r.IntN(6) == 0:
		t.Undelivered(k.now)
	case x < 15 && b != nil && k.r.IntN(4) == 0:
		t.CancelBranch(k.now, b)
	case x < 16:
		k.resume()
	case x < 17 && b != nil && k.former[b.Index] && k.invite:
		if t.status < 300 && !t.server.Over() {
			k.wantOKs++
		}
		t.Former(k.now, b, 200)
	case x < 17 && k.r.IntN(4) == 0 && !k.deciding && len(t.branches) > 0:
		k.wait()
	default:
		k.pass(time.Duration(k.r.Int64N(1 << (20 + k.r.IntN(16)))))
	}
}

func (k *books) response(b *Branch, code int) {
	if code >= 200 && code < 300 && k.invite && !k.tx.server.Over() {
		if cell := tables[InviteClient][b.request.state][Success]; cell.do&PassUp != 0 || k.tx.late(b) {
			k.wantOKs++
		}
	}
	if code < 200 {
		k.tries[b.Index].heard = true
	}
	acks := k.acks
	if s := b.request.state; code >= 300 && k.invite && s != Idle && s != Accepted && s != Terminated {
		acks++
	}
	k.tx.Response(k.now, b, code)
	if k.acks != acks {
		k.t.Fatalf("seed %d: %d was acknowledged %d times, want %d", k.seed, code, k.acks, acks)
	}
}

func (k *books) pass(d time.Duration) {
	for to := k.now + d; k.now < to && !k.gone; {
		next, ok := k.wheel.Next()
		if !ok || next > to {
			next = to
		}
		k.now = max(next, k.now)
		k.wheel.Advance(k.now, func(x *Timer, _ uint64) {
			if !k.gone {
				k.tx.Fire(k.now, x)
			}
		})
	}
}

// Whatever happens in whatever order: a request has one final answer that is no 2xx, or every 2xx that came, or (no
// INVITE, nobody answered) none; a CANCEL only follows a provisional response; each failure of an INVITE is acknowledged,
// each time; nothing is sent again over a reliable transport, and nothing at all behind the end; and the end comes, with
// no timer left.
func TestAnyOrder(t *testing.T) {
	n := uint64(6000)
	if testing.Short() {
		n = 2000
	}
	for seed := range n {
		r := rand.New(rand.NewPCG(seed, 7))
		k := &books{t: t, r: r, seed: seed, timing: DefaultTiming(), wheel: NewWheel(0), invite: r.IntN(2) == 0}
		k.timing.NoAnswer, k.timing.NoFinal = time.Second, 4*time.Second
		k.tx = New(k, k.wheel, &k.timing, 0, k.invite, r.IntN(2) == 0)
		k.tx.Block6xx, k.tx.KeepPending = r.IntN(2) == 0, r.IntN(8) == 0
		for range 1 + r.IntN(60) {
			if k.gone {
				break
			}
			k.event()
		}
		// The events stop: a script has responded, if nothing went out, and time does the rest.
		for range 40 {
			if k.gone {
				break
			}
			k.resume()
			if tx := k.tx; tx.pending() == 0 && !k.deciding {
				tx.Respond(k.now, 500)
			}
			k.pass(40 * time.Second)
		}
		switch {
		case !k.gone:
			t.Fatalf("seed %d: no end: server %d, status %d", seed, k.tx.server.state, k.tx.status)
		case k.wheel.Len() != 0:
			t.Fatalf("seed %d: %d timers at the end", seed, k.wheel.Len())
		case k.finals > 1:
			t.Fatalf("seed %d: %d final answers", seed, k.finals)
		case k.invite && k.oks != k.wantOKs:
			t.Fatalf("seed %d: %d 2xx went up, %d came", seed, k.oks, k.wantOKs)
		case !k.invite && k.finals+k.oks > 1:
			t.Fatalf("seed %d: %d and %d answers", seed, k.finals, k.oks)
		case k.finals+k.oks == 0 && !k.silent && !k.upstream:
			t.Fatalf("seed %d: no answer", seed)
		case k.silent && k.finals+k.oks > 0:
			t.Fatalf("seed %d: an answer behind none", seed)
		}
	}
}

// Every state of a table but the last can be reached and left by time alone, or waits for its user.
func TestTables(t *testing.T) {
	timing := DefaultTiming()
	for kind := range kinds {
		reached := map[State]bool{Idle: true}
		for grew := true; grew; {
			grew = false
			for s := range states {
				if !reached[s] {
					continue
				}
				for e := range events {
					if to := tables[kind][s][e].to; to != Idle && !reached[to] {
						reached[to], grew = true, true
					}
				}
			}
		}
		for s := range states {
			row := tables[kind][s]
			used := row != [events]transition{}
			if used != (reached[s] && s != Terminated) {
				t.Errorf("machine %d, state %d: reached %v, has a row %v", kind, s, reached[s], used)
			}
			user := s == Idle || s == Proceeding && kind >= InviteServer || s == Trying && kind == Server
			if used && !user && row[LifeTimer].to == Idle {
				t.Errorf("machine %d, state %d has no end", kind, s)
			}
		}
		for _, reliable := range []bool{false, true} {
			m := NewMachine(kind, reliable)
			if e := m.On(LifeTimer, &timing); e != (Effect{Resend: Unchanged, Life: Unchanged}) || m.State() != Idle {
				t.Errorf("machine %d: a timer before it began: %+v", kind, e)
			}
		}
	}
}

func FuzzTransaction(f *testing.F) {
	f.Add(uint64(1), 30)
	f.Fuzz(func(t *testing.T, seed uint64, n int) {
		r := rand.New(rand.NewPCG(seed, 9))
		k := &books{t: t, r: r, seed: seed, timing: DefaultTiming(), wheel: NewWheel(0), invite: r.IntN(2) == 0}
		k.tx = New(k, k.wheel, &k.timing, 0, k.invite, r.IntN(2) == 0)
		for range min(max(n, 0), 500) {
			if k.gone {
				return
			}
			k.event()
		}
	})
}
