package transaction

import (
	"errors"
	"testing"
	"time"
)

// Every 2xx of an INVITE goes up for 64*T1, those of other branches too (16.7 item 5, RFC 6026).
func TestEvery2xx(t *testing.T) {
	r := newRig(t, true, false)
	a, b := new(Branch), new(Branch)
	_ = r.tx.Add(a, false)
	_ = r.tx.Add(b, false)
	_ = r.tx.Launch(0, a)
	_ = r.tx.Launch(0, b)
	r.response(a, 180)
	r.response(b, 180)
	r.response(a, 200)
	r.want("0s request 0", "0s request 1", "0s relay 0 180", "0s relay 1 180", "0s relay 0 200", "0s cancel 1")
	r.pass(510 * time.Millisecond)
	r.response(a, 200)
	r.response(b, 200)
	r.tx.CancelResponse(r.now, b, 200)
	r.want("500ms cancel 1", "500ms relay 0 200", "500ms relay 1 200")
	r.pass(40 * time.Second)
	r.want("32.5s gone")
	r.wantGone(true)
}

// failure_route: serial forks, and what goes up when that fails, too.
func TestSerialFork(t *testing.T) {
	r := newRig(t, true, false)
	r.failed = func(best *Branch) {
		r.note("failed %d", best.Status())
		r.failed = func(best *Branch) { r.note("failed %d", best.Status()) }
		r.branch(false)
	}
	r.response(r.branch(false), 404)
	r.response(r.tx.Branches()[1], 503)
	r.want("0s request 0", "0s ack 0", "0s failed 404", "0s request 1", "0s ack 1", "0s failed 503", "0s answer 1 500")

	// What cannot be sent leaves the answer as it was.
	r = newRig(t, true, false)
	r.failed = func(*Branch) {
		r.fails = 1
		r.branch(false)
	}
	r.response(r.branch(false), 486)
	r.want("0s request 0", "0s ack 0", "0s request 1 fails", "0s answer 0 486")
}

// A route that waits: what happens meanwhile is looked at when it is done.
func TestDecidesLater(t *testing.T) {
	r := newRig(t, true, false)
	r.later = true
	r.response(r.branch(false), 486)
	r.response(r.branch(false), 404)
	r.want("0s request 0", "0s ack 0", "0s request 1", "0s ack 1")
	r.failed = func(best *Branch) { r.note("failed %d", best.Status()) }
	r.tx.Resume(r.now) // the new branch has failed already: that is a failure of its own
	r.want("0s failed 404")
	r.tx.Resume(r.now)
	r.want("0s answer 1 404")

	r = newRig(t, true, false) // the others of a fork that a 6xx has ended
	r.later = true
	a, b := r.branch(false), r.branch(false)
	r.response(a, 180)
	r.response(b, 603)
	r.response(a, 487)
	r.response(r.branch(false), 180)
	r.tx.Resume(r.now)
	r.want("0s request 0", "0s request 1", "0s relay 0 180", "0s ack 1", "0s cancel 0", "0s ack 0", "0s request 2", "0s relay 2 180")

	r = newRig(t, true, false) // a CANCEL comes meanwhile
	r.later = true
	r.response(r.branch(false), 486)
	r.tx.Cancel(r.now)
	r.want("0s request 0", "0s ack 0", "0s answer ours 487")
	if err := r.tx.Add(new(Branch), false); !errors.Is(err, ErrAnswered) {
		t.Error(err)
	}
	r.tx.Resume(r.now)
	r.want()
}

// The next address of a destination, before anybody hears of a failure (RFC 3263 4.3).
func TestRetry(t *testing.T) {
	r := newRig(t, true, true)
	left := 2
	r.retry = func(b *Branch) bool {
		if left--; left < 0 {
			return false
		}
		return r.tx.Relaunch(b, true) == nil
	}
	b := r.branch(true)
	r.response(b, 503)
	r.tx.Unreachable(r.now, b)
	r.pass(31 * time.Second)
	r.want("0s request 0", "0s ack 0", "0s request 0", "0s request 0", "30s answer ours 408")

	r = newRig(t, true, true) // that one address rang says nothing of the next
	left = 2
	r.retry = func(b *Branch) bool {
		left--
		return r.tx.Relaunch(b, true) == nil
	}
	b = r.branch(true)
	r.response(b, 180)
	r.response(b, 503)
	r.pass(31 * time.Second)
	if r.want("0s request 0", "0s relay 0 180", "0s ack 0", "0s request 0", "30s request 0"); left != 0 {
		t.Errorf("%d addresses are left", left)
	}

	r = newRig(t, false, false) // who has said that it is at it was reached
	r.retry = func(*Branch) bool { t.Error("tried again"); return false }
	b = r.branch(false)
	r.response(b, 100)
	r.log = nil
	r.pass(31 * time.Second)
	r.want("4s request 0", "8s request 0", "12s request 0", "16s request 0", "20s request 0", "24s request 0", "28s request 0", "30s lost 2")

	r = newRig(t, true, true) // a caller that has hung up wants no other address
	r.retry = func(*Branch) bool { t.Error("tried again"); return false }
	b = r.branch(true)
	r.response(b, 180)
	r.tx.Cancel(r.now)
	r.response(b, 503)
	r.want("0s request 0", "0s relay 0 180", "0s cancel 0", "0s ack 0", "0s answer 0 500")
}

// One branch of two cannot be reached: the other's answer counts; of two silent ones a 408 is the last resort.
func TestParallel(t *testing.T) {
	r := newRig(t, true, false)
	a, b := r.branch(false), r.branch(false)
	r.tx.Unreachable(r.now, a)
	r.want("0s request 0", "0s request 1")
	r.response(b, 486)
	r.want("0s ack 1", "0s answer 1 486")

	r = newRig(t, true, false) // a 6xx ends it at once
	a, b = r.branch(false), r.branch(false)
	r.response(a, 180)
	r.response(b, 603)
	r.want("0s request 0", "0s request 1", "0s relay 0 180", "0s ack 1", "0s cancel 0", "0s answer 1 603")
	r.response(a, 200)
	r.want("0s relay 0 200")
}

func TestBest(t *testing.T) {
	for _, c := range []struct {
		codes []int
		want  int
	}{
		{[]int{486, 404}, 404}, {[]int{404, 401}, 401}, {[]int{407, 401}, 407}, {[]int{408, 483}, 483}, {[]int{302, 400}, 302},
		{[]int{500, 503}, 500}, {[]int{503, 599}, 599}, {[]int{503, 408}, 408}, {[]int{500, 486}, 486}, {[]int{302, 603}, 603},
	} {
		for range 2 {
			of := []*Branch{{status: int16(c.codes[0])}, {status: int16(c.codes[1])}}
			if got := best(of); got.Status() != c.want {
				t.Errorf("of %v: %d, want %d", c.codes, got.status, c.want)
			}
			if c.want != 407 {
				c.codes[0], c.codes[1] = c.codes[1], c.codes[0]
			}
		}
	}
}

func TestBounds(t *testing.T) {
	r := newRig(t, true, false)
	for range MaxBranches {
		r.branch(false)
	}
	if err := r.tx.Add(new(Branch), false); !errors.Is(err, ErrBranches) {
		t.Error(err)
	}
}

// What branches of an earlier fork say is of no use to the caller any more.
func TestRingsBehindItsFork(t *testing.T) {
	r := newRig(t, true, true)
	r.failed = func(*Branch) { r.branch(true) }
	first, second := r.branch(true), r.branch(true)
	r.response(first, 180)
	r.response(second, 603)
	r.log = nil
	r.response(first, 183)
	r.want()
	r.response(r.tx.Branches()[2], 180)
	r.want("0s relay 2 180")
}
