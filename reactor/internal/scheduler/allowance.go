package scheduler

// Allowance is whether a loop may do something itself, by what it took so far: on
// average, and by what took far too long again soon after something did. Once says
// nothing: it was held up, by the kernel perhaps. The average alone would leave one
// message of 20 ms in ten on the loop. The zero value allows it.
type Allowance struct {
	cost  int64 // on average, in ns
	leave int   // how many are left to others
	long  int   // how many more until the last one that took far too long is forgotten
}

const (
	// leaveMany is how many are left to others when they take too long.
	leaveMany = 256
	// FarTooLong is how many times the limit something takes before it is remembered;
	// on average it counts for no more than that.
	FarTooLong = 4
	// forgetAfter is for how many it is.
	forgetAfter = 64
)

// Takes reports whether the loop may do the next one.
func (a *Allowance) Takes() bool {
	if a.leave > 0 {
		a.leave--
		return false
	}
	return true
}

// Took notes what one took, in ns, which may take limit.
func (a *Allowance) Took(ns, limit int64) {
	again := false
	if a.long > 0 {
		a.long--
	}
	if ns > FarTooLong*limit {
		again, a.long = a.long > 0, forgetAfter
	}
	a.cost += (min(ns, FarTooLong*limit) - a.cost) / 16
	if again || a.cost > limit {
		*a = Allowance{cost: limit / 2, leave: leaveMany}
	}
}
