package transaction

import (
	"errors"
	"testing"
	"time"
)

// Timer A doubles without a bound until B (17.1.1.2); the 408 waits for the ACK and H (17.2.1).
func TestInviteUnanswered(t *testing.T) {
	r := newRig(t, true, false)
	r.branch(false)
	r.pass(29900 * time.Millisecond)
	r.want("0s request 0", "500ms request 0", "1.5s request 0", "3.5s request 0", "7.5s request 0", "15.5s request 0")
	r.pass(200 * time.Millisecond)
	r.want("30s answer ours 408")
	r.pass(2 * time.Second)
	r.want("30.5s again", "31.5s again")
	r.tx.Acknowledged(r.now)
	r.pass(4900 * time.Millisecond)
	r.wantGone(false) // I
	r.pass(200 * time.Millisecond)
	r.want("37.1s gone")
	r.wantGone(true)
}

// Over a reliable transport nothing goes out twice, and nothing lingers for what may come again.
func TestReliable(t *testing.T) {
	r := newRig(t, true, true)
	b := r.branch(true)
	r.pass(10 * time.Second)
	r.want("0s request 0")
	r.response(b, 486)
	r.want("10s ack 0", "10s answer 0 486")
	r.pass(time.Second)
	r.tx.Acknowledged(r.now)
	r.want("11s gone")
	r.wantGone(true)

	r = newRig(t, false, true)
	b = r.branch(true)
	r.response(b, 200)
	r.want("0s request 0", "0s relay 0 200", "0s gone")
	r.wantGone(true)
}

// A final response to an INVITE goes out again at G until H (17.2.1).
func TestAnswerNotAcknowledged(t *testing.T) {
	r := newRig(t, true, false)
	b := r.branch(false)
	r.response(b, 404)
	r.response(b, 404) // comes again, is acknowledged again
	r.want("0s request 0", "0s ack 0", "0s answer 0 404", "0s ack 0")
	r.pass(33 * time.Second)
	r.want("500ms again", "1.5s again", "3.5s again", "7.5s again", "11.5s again", "15.5s again", "19.5s again",
		"23.5s again", "27.5s again", "31.5s again", "32s lost 1", "32s gone")
	r.wantGone(true)
}

// Retransmitted requests get what was said last, and nothing while nothing was said (17.2.1, 17.2.2).
func TestRepeated(t *testing.T) {
	r := newRig(t, true, false)
	r.tx.Repeated(r.now)
	b := r.branch(false)
	r.response(b, 180)
	r.tx.Repeated(r.now)
	r.response(b, 200)
	r.tx.Repeated(r.now) // RFC 6026 7.1: absorbed
	r.want("0s again", "0s request 0", "0s relay 0 180", "0s again", "0s relay 0 200")

	r = newRig(t, false, false)
	r.tx.Repeated(r.now)
	b = r.branch(false)
	r.tx.Repeated(r.now)
	r.response(b, 183)
	r.tx.Repeated(r.now)
	r.want("0s request 0", "0s relay 0 183", "0s again")
	r.response(b, 404)
	r.pass(time.Second)
	r.tx.Repeated(r.now)
	r.want("0s answer 0 404", "1s again")
	r.pass(5 * time.Second)
	r.want("5s gone")
}

// E grows to T2, and is T2 behind a provisional response (17.1.2.2). What is not answered is told to nobody (RFC 4320).
func TestNonInviteUnanswered(t *testing.T) {
	r := newRig(t, false, false)
	b := r.branch(false)
	r.pass(9 * time.Second)
	r.want("0s request 0", "500ms request 0", "1.5s request 0", "3.5s request 0", "7.5s request 0")
	r.response(b, 100)
	r.pass(9 * time.Second)
	r.want("13s request 0", "17s request 0")
	r.pass(20 * time.Second)
	r.want("21s request 0", "25s request 0", "29s request 0", "30s lost 2", "35s gone")
	r.wantGone(true)
}

// A CANCEL waits for a provisional response; it is a transaction of its own (9.1).
func TestCancel(t *testing.T) {
	r := newRig(t, true, false)
	b := r.branch(false)
	if !r.tx.Cancel(r.now) || r.tx.Cancel(r.now) {
		t.Error("canceled once")
	}
	r.want("0s request 0")
	r.pass(200 * time.Millisecond)
	r.response(b, 180)
	r.want("200ms cancel 0", "200ms relay 0 180")
	r.pass(600 * time.Millisecond)
	r.tx.CancelResponse(r.now, b, 200)
	r.response(b, 487)
	r.want("700ms cancel 0", "800ms ack 0", "800ms answer 0 487")
	if err := r.tx.Add(new(Branch), false); !errors.Is(err, ErrAnswered) {
		t.Error(err)
	}
	r.tx.Acknowledged(r.now)
	r.pass(40 * time.Second)
	r.wantGone(true)

	r = newRig(t, true, false) // before anything was sent
	r.tx.Cancel(r.now)
	r.want("0s answer ours 487")
}

// A CANCEL goes out again for 64*T1, however short fr_timeout is; one that cannot be sent does not.
func TestCancelGoesOutAgain(t *testing.T) {
	r := newRig(t, true, false)
	r.timing.NoAnswer = 2 * time.Second
	b := r.branch(false)
	r.response(b, 180)
	r.tx.Cancel(r.now)
	r.log = nil
	r.pass(31 * time.Second)
	r.want("500ms cancel 0", "1.5s cancel 0", "3.5s cancel 0", "7.5s cancel 0", "11.5s cancel 0", "15.5s cancel 0", "19.5s cancel 0",
		"23.5s cancel 0", "27.5s cancel 0")

	r = newRig(t, true, false)
	r.mute = true
	b = r.branch(false)
	r.response(b, 180)
	r.tx.Cancel(r.now)
	r.pass(31 * time.Second)
	r.want("0s request 0", "0s relay 0 180", "0s cancel 0")
}

// A callee that answers neither the INVITE nor the CANCEL is given up after 64*T1.
func TestCancelUnanswered(t *testing.T) {
	r := newRig(t, true, true)
	b := r.branch(true)
	r.response(b, 180)
	r.tx.Cancel(r.now)
	r.pass(33 * time.Second)
	r.want("0s request 0", "0s relay 0 180", "0s cancel 0", "32s answer ours 408")
}

// What a callee says that is canceled is passed on, and gives it no more time.
func TestRingsThoughCanceled(t *testing.T) {
	r := newRig(t, true, true)
	b := r.branch(true)
	r.response(b, 180)
	r.tx.Cancel(r.now)
	r.log = nil
	for range 3 {
		r.pass(10 * time.Second)
		r.response(b, 183)
	}
	r.pass(3 * time.Second)
	r.want("10s relay 0 183", "20s relay 0 183", "30s relay 0 183", "32s answer ours 408")
}

// Who is canceled has no more time than who is not: fr_inv_timeout goes on. What comes behind it is acknowledged.
func TestCancelUnansweredSoon(t *testing.T) {
	r := newRig(t, true, true)
	r.timing.NoFinal = 4 * time.Second
	b := r.branch(true)
	r.response(b, 180)
	r.pass(time.Second)
	r.tx.Cancel(r.now)
	r.pass(10 * time.Second)
	r.response(b, 487)
	r.want("0s request 0", "0s relay 0 180", "1s cancel 0", "4s answer ours 408", "11s ack 0")
}

// fr_inv_timeout: a CANCEL, a 408 of ours at once, and what still comes is acknowledged.
func TestRingsTooLong(t *testing.T) {
	r := newRig(t, true, false)
	b := r.branch(false)
	r.response(b, 180)
	r.pass(100 * time.Second)
	r.response(b, 180)
	r.pass(119 * time.Second)
	r.want("0s request 0", "0s relay 0 180", "1m40s relay 0 180")
	r.pass(time.Second)
	r.tx.Acknowledged(r.now)
	r.tx.CancelResponse(r.now, b, 200)
	r.response(b, 487)
	r.want("3m40s cancel 0", "3m40s answer ours 408", "3m40s ack 0")
	r.pass(33 * time.Second)
	r.wantGone(true)

	r = newRig(t, true, false) // the callee answered at the same moment
	b = r.branch(false)
	r.response(b, 180)
	r.pass(121 * time.Second)
	r.response(b, 200)
	r.want("0s request 0", "0s relay 0 180", "2m0s cancel 0", "2m0s answer ours 408", "2m0.5s cancel 0", "2m0.5s again",
		"2m1s relay 0 200")
}

func TestRestartOfNoFinal(t *testing.T) {
	r := newRig(t, true, false)
	r.timing.RestartOnEach, r.timing.NoFinal = false, 10*time.Second
	b := r.branch(false)
	r.response(b, 180)
	r.pass(6 * time.Second)
	r.response(b, 183) // another one
	r.pass(6 * time.Second)
	r.response(b, 183)
	r.pass(3 * time.Second)
	r.want("0s request 0", "0s relay 0 180", "6s relay 0 183", "12s relay 0 183")
	r.pass(time.Second + Tick)
	r.want("16s cancel 0", "16s answer ours 408")
}

// A 2xx that crosses our own final response is the caller's to know of (16.7 item 5).
func TestCrossing2xx(t *testing.T) {
	r := newRig(t, true, false)
	b := r.branch(false)
	r.response(b, 180)
	r.tx.Respond(r.now, 486)
	r.response(b, 200)
	r.want("0s request 0", "0s relay 0 180", "0s answer ours 486", "0s cancel 0", "0s relay 0 200")
	if r.tx.Status() != 486 || r.tx.Respond(r.now, 500) {
		t.Error("there is one final answer of ours")
	}
}

// A caller that cannot be reached any more needs no callee.
func TestCallerGone(t *testing.T) {
	r := newRig(t, true, false)
	b := r.branch(false)
	r.response(b, 180)
	r.tx.Undelivered(r.now)
	r.want("0s request 0", "0s relay 0 180", "0s lost 0", "0s cancel 0")
	r.tx.CancelResponse(r.now, b, 200)
	r.response(b, 487)
	r.pass(time.Minute)
	r.want("0s ack 0", "32s gone")
	r.wantGone(true)

	r = newRig(t, true, true) // a 2xx has an end of its own: the callee has a call, and another may have
	b = r.branch(true)
	r.response(b, 200)
	r.tx.Undelivered(r.now)
	r.response(b, 200)
	r.want("0s request 0", "0s relay 0 200", "0s lost 0", "0s relay 0 200")
	r.wantGone(false)

	for _, code := range []int{183, 404} { // one that is no INVITE is over
		r = newRig(t, false, false)
		b = r.branch(false)
		r.response(b, code)
		r.log = nil
		r.tx.Undelivered(r.now)
		r.want("0s lost 0")
		r.response(b, 404) // the last word of the branch, if it was not that
		r.pass(6 * time.Second)
		r.want("5s gone")
		r.wantGone(true)
	}
}

// A callee that answers behind fr_timeout has a call as long as the caller waits: each of its 2xx is passed on, and who rings
// meanwhile is canceled. Behind another final response none is.
func TestAnswerAfterTimeout(t *testing.T) {
	r := newRig(t, true, true)
	first, second := r.branch(true), r.branch(true)
	r.response(second, 180)
	r.want("0s request 0", "0s request 1", "0s relay 1 180")
	r.pass(31 * time.Second)
	r.response(first, 200)
	r.response(first, 200)
	r.want("31s relay 0 200", "31s cancel 1", "31s relay 0 200")

	r = newRig(t, true, true)
	first, second = r.branch(true), r.branch(true)
	r.response(second, 180)
	r.pass(31 * time.Second)
	r.response(second, 486)
	r.want("0s request 0", "0s request 1", "0s relay 1 180", "31s ack 1", "31s answer 1 486")
	r.response(first, 200)
	r.want()
}

// Who is heard behind fr_timeout has the time that a response needs: for a CANCEL's effect, for repetitions of a failure.
func TestTimesBehindTimeout(t *testing.T) {
	start := func() (*rig, *Branch) {
		r := newRig(t, true, false)
		b := r.branch(false)
		r.pass(31 * time.Second) // of 32 s
		r.tx.Acknowledged(r.now)
		r.log = nil
		return r, b
	}
	r, b := start()
	r.response(b, 180)
	r.tx.CancelResponse(r.now, b, 200)
	r.pass(20 * time.Second)
	r.response(b, 487)
	r.want("31s cancel 0", "51s ack 0")

	r, b = start()
	r.response(b, 486)
	r.pass(20 * time.Second)
	r.response(b, 486)
	r.want("31s ack 0", "51s ack 0")
	r.pass(11 * time.Second)
	r.want()
	r.wantGone(false)
	r.pass(2 * time.Second) // what comes again begins nothing anew
	r.wantGone(true)
}

// A timer that has gone off, and is stopped before its transaction is free, does nothing.
func TestStoppedBeforeItFires(t *testing.T) {
	r := newRig(t, false, false)
	b := r.branch(false)
	var off []*Timer
	r.now = 500*time.Millisecond + Tick
	r.wheel.Advance(r.now, func(x *Timer, _ uint64) { off = append(off, x) })
	r.response(b, 183) // from now on it goes out every 4 s
	for _, x := range off {
		r.tx.Fire(r.now, x)
	}
	if r.want("0s request 0", "500ms relay 0 183"); len(off) != 1 {
		t.Errorf("%d timers go off", len(off))
	}
}

// A wait for branches has its time from the first, also where more are waited for, and its end is that of a phone that does
// not answer. An answer of ours ends it.
func TestWaitsForNobody(t *testing.T) {
	r := newRig(t, true, true)
	r.tx.Wait(r.now, 1)
	r.pass(100 * time.Second)
	r.tx.Wait(r.now, 2)
	r.pass(21 * time.Second)
	r.want("2m0s answer ours 408")

	r = newRig(t, true, true)
	r.tx.Wait(r.now, 1)
	if r.tx.Respond(r.now, 480); r.tx.waiting.Armed() {
		t.Error("it waits on")
	}
}
