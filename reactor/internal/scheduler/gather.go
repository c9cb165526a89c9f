package scheduler

// gather decides when a loop writes what its own callbacks have asked for: at the end
// of the callback, or when it has read what else is there. Then messages of several
// reads to one connection share a record and a system call, which costs a wake-up.
// Whether that pays depends on the load, so a loop tries.
type gather struct {
	score  int // above 0: gather
	direct int // callbacks since the last try
	joined int // callbacks that shared the wake-up which is under way
}

const (
	// gatherAgain is how many wake-ups that nobody shared end the gathering.
	gatherAgain = 8
	// gatherTry is how many callbacks are served at once before it is tried again.
	gatherTry = 64
)

// now reports whether a callback that has asked for something is to leave it to a
// wake-up.
func (g *gather) now() bool {
	if g.score > 0 {
		return true
	}
	if g.direct++; g.direct < gatherTry {
		return false
	}
	g.direct, g.score = 0, 1
	return true
}

// join is told of a callback that found a wake-up under way.
func (g *gather) join() { g.joined++ }

// ran is told of each wake-up.
func (g *gather) ran() {
	switch {
	case g.joined > 0:
		g.score = gatherAgain
	case g.score > 0:
		g.score--
	}
	g.joined = 0
}
