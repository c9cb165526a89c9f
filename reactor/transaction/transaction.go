package transaction

import (
	"errors"
	"time"
)

// MaxBranches is how many branches a transaction has in all, serial ones included.
const MaxBranches = 12

// Errors of Add and Launch.
var (
	// ErrBranches: the transaction has MaxBranches.
	ErrBranches = errors.New("transaction: too many branches")
	// ErrCanceled: the caller has canceled the request.
	ErrCanceled = errors.New("transaction: the request was canceled")
	// Err6xx: a 6xx has come, which ends the search (16.7 item 5), and no further fork is asked for.
	Err6xx = errors.New("transaction: a 6xx has ended the search")
	// ErrAnswered: the final response has gone upstream.
	ErrAnswered = errors.New("transaction: the request was answered")
)

// Transaction is a proxied request: one server transaction, the client transactions of its branches, and the response
// context between them (RFC 3261 16.7). It has no clock, no socket and no messages. One goroutine at a time, that of
// its shard; no method may be called after User.Gone.
type Transaction struct {
	// Key is the user's name for the transaction, which Wheel.Advance tells.
	Key uint64
	// Block6xx keeps the user from forking after a 6xx (16.7 item 5).
	Block6xx bool
	// KeepPending lets branches go on when another one has succeeded (RFC 3841 9.1).
	KeepPending bool
	// Own says that the request is the user's: no client is upstream, and a peer's 503 is told as that.
	Own bool

	canceled bool
	deciding bool // the user decides what a failure leads to
	undone   bool // and has added nothing so far
	silent   bool // there will be no answer (RFC 4320)
	gone     bool

	user   User
	wheel  *Wheel
	timing *Timing
	now    time.Duration

	server   Machine
	timers   [2]Timer
	branches []*Branch

	status int16 // the final response that went upstream; 0: none did
	code   int16 // of the response at hand
	depth  int8  // calls into the user under way, a few for a branch; Gone waits for them
	fork   int8  // the first branch of the last fork
	waits  int8  // branches that may still be added after all are done; see Wait
	waited bool  // the time of waiting is over

	failure error
	waiting *Timer // until when; nil while nobody has asked
}

// New begins the server transaction of a request that has come. invite tells whether it is one; reliable is its
// transport. timing is read when something begins and may be the transaction's own.
func New(u User, w *Wheel, timing *Timing, now time.Duration, invite, reliable bool) *Transaction {
	t := new(Transaction)
	t.Init(u, w, timing, now, invite, reliable)
	return t
}

// Init is New for memory that is used again. Nothing of what it was may be alive.
func (t *Transaction) Init(u User, w *Wheel, timing *Timing, now time.Duration, invite, reliable bool) {
	*t = Transaction{user: u, wheel: w, timing: timing, now: now, branches: t.branches[:0], waiting: t.waiting}
	kind := Server
	if invite {
		kind = InviteServer
	}
	t.server = NewMachine(kind, reliable)
	for i := range t.timers {
		t.timers[i].belong(-1, part(i))
	}
	t.drive(Start)
}

// Invite reports whether the request is an INVITE.
func (t *Transaction) Invite() bool { return t.server.kind == InviteServer }

// Status returns the code of the final response that went upstream, 0 while none did.
func (t *Transaction) Status() int { return int(t.status) }

// Canceled reports whether the caller has canceled the request.
func (t *Transaction) Canceled() bool { return t.canceled }

// State returns where the server transaction is.
func (t *Transaction) State() State { return t.server.state }

// Branches returns the branches, in the order they were added. The slice is the transaction's.
func (t *Transaction) Branches() []*Branch { return t.branches }

// pending returns how many branches of the last fork await a final response that is waited for.
func (t *Transaction) pending() (n int) {
	for _, b := range t.branches[t.fork:] {
		if b.Pending() && !b.Minor {
			n++
		}
	}
	return n
}

// Add makes b the next branch of the transaction, without sending anything. Its memory may be used again after Gone.
// The first branch that is added while the transaction waits for Resume begins a new fork.
func (t *Transaction) Add(b *Branch, reliable bool) error {
	switch {
	case t.status != 0 || t.silent || t.server.Over():
		return ErrAnswered
	case t.canceled:
		return ErrCanceled
	case len(t.branches) == MaxBranches:
		return ErrBranches
	case t.deciding && t.Block6xx && t.last6xx():
		return Err6xx
	}
	if t.undone {
		t.undone, t.fork = false, int8(len(t.branches))
	}
	kind := Client
	if t.Invite() {
		kind = InviteClient
	}
	*b = Branch{Index: len(t.branches), User: b.User, Minor: b.Minor, of: t, request: NewMachine(kind, reliable)}
	for i := range b.timers {
		b.timers[i].belong(b.Index, part(i))
	}
	t.branches = append(t.branches, b)
	return nil
}

// Launch sends a branch's request. An error is User.SendRequest's: then the branch has ended with a 503 of ours that is
// never the answer, and who launched it decides what that leads to.
func (t *Transaction) Launch(now time.Duration, b *Branch) error {
	t.enter(now)
	defer t.leave()
	err := t.launch(b)
	b.unsent = err != nil
	return err
}

func (t *Transaction) launch(b *Branch) error {
	t.failure = nil
	if b.drive(Start)&Unreachable != 0 {
		b.status, b.local = 503, true
	}
	return t.failure
}

// Relaunch begins a branch's client transaction anew, for User.Retry.
func (t *Transaction) Relaunch(b *Branch, reliable bool) error {
	b.request = NewMachine(b.request.kind, reliable)
	b.status, b.local, b.last = 0, false, 0
	return t.launch(b)
}

// Response takes a response that matched a branch's request.
func (t *Transaction) Response(now time.Duration, b *Branch, code int) {
	t.enter(now)
	defer t.leave()
	t.code = int16(code)
	e := Failure
	switch {
	case code < 200:
		e = Provisional
	case code < 300:
		e = Success
	}
	state := b.request.state
	do := b.drive(e)
	switch {
	case code < 200:
		if state <= Canceling && do&PassUp != 0 {
			b.last = int16(code)
		}
		if b.waiting && b.request.state == Proceeding {
			b.drive(Cancel)
		}
		if do&PassUp != 0 && code > 100 && t.status == 0 && t.current(b) && t.drive(Provisional)&SendResponse != 0 {
			t.user.Relay(t, b)
		}
	case do&PassUp == 0 && !(e == Success && t.late(b)):
	case code < 300:
		t.succeeded(b, code)
	default:
		b.status = int16(code)
		t.user.Keep(t, b)
		t.completed(b)
	}
}

// CancelResponse takes a response to a branch's CANCEL.
func (t *Transaction) CancelResponse(now time.Duration, b *Branch, code int) {
	t.enter(now)
	defer t.leave()
	switch {
	case code < 200:
		b.driveCancel(Provisional)
	case code < 300:
		b.driveCancel(Success)
	default:
		b.driveCancel(Failure)
	}
}

// Unreachable says that what the branch sent last could not be delivered after all.
func (t *Transaction) Unreachable(now time.Duration, b *Branch) {
	t.enter(now)
	defer t.leave()
	t.ended(b, b.drive(TransportError))
}

// Undelivered says that a response could not be delivered. A caller that is gone needs no callee.
func (t *Transaction) Undelivered(now time.Duration) {
	t.enter(now)
	defer t.leave()
	if t.drive(TransportError)&Unreachable != 0 {
		t.user.Lost(t, LostUpstream)
		t.cancelOthers(nil)
	}
}

// Repeated says that the request has come again.
func (t *Transaction) Repeated(now time.Duration) {
	t.enter(now)
	defer t.leave()
	if t.drive(Repeat)&SendResponse != 0 {
		t.user.Again(t)
	}
}

// Acknowledged says that the ACK of a final response has come: of one that is no 2xx, or of a 2xx of the user's own.
func (t *Transaction) Acknowledged(now time.Duration) {
	t.enter(now)
	defer t.leave()
	t.drive(Acknowledged)
}

// Respond sends a response of the user's own. A final one ends every branch. It reports whether there was still one to
// give.
func (t *Transaction) Respond(now time.Duration, code int) bool {
	t.enter(now)
	defer t.leave()
	return t.respond(nil, code)
}

func (t *Transaction) respond(b *Branch, code int) bool {
	if t.status != 0 || t.silent || t.server.Over() {
		return false
	}
	e := Failure
	switch {
	case code < 200:
		e = Provisional
	case code < 300 && t.Invite():
		e = OwnSuccess
	case code < 300:
		e = Success
	}
	if t.drive(e)&SendResponse == 0 {
		return false
	}
	if code >= 200 {
		t.status = int16(code)
		t.noMore()
	}
	t.user.Answer(t, b, code)
	if code >= 200 {
		t.cancelOthers(nil)
	}
	return true
}

// drive moves the server side.
func (t *Transaction) drive(e Event) Action {
	effect := t.server.On(e, t.timing)
	t.arm(&t.timers[partResend], effect.Resend)
	t.arm(&t.timers[partLife], effect.Life)
	return effect.Do
}

func (t *Transaction) arm(timer *Timer, in time.Duration) {
	switch in {
	case Unchanged:
	case Off:
		t.wheel.Stop(timer)
	default:
		t.wheel.arm(timer, t.now+in, t.Key)
	}
}

// enter notes the time of a call.
func (t *Transaction) enter(now time.Duration) {
	t.now = now
	t.depth++
}

// leave looks whether a call was the transaction's last.
func (t *Transaction) leave() {
	if t.depth--; t.depth > 0 || t.gone || t.deciding || !(t.server.Over() || t.server.state == Idle) {
		return
	}
	for _, b := range t.Branches() {
		if !b.over() {
			return
		}
	}
	for _, b := range t.Branches() {
		if b.cancel != nil {
			cancels.Put(b.cancel)
			b.cancel = nil
		}
	}
	t.noMore()
	t.gone = true
	t.user.Gone(t)
}
