package reactor

// When the Handler runs on a loop, what it sends from one read can be sealed and
// written at the end of the callback, or when the loop has read what else is
// there: then messages of several reads to one connection share a record and a
// system call, which costs a wake-up. Whether that pays depends on the load, so
// a loop tries.

// gather decides when a loop writes what its own Handler sent. Loop only.
type gather struct {
	score  int // above 0: gather
	direct int // callbacks since the last try
	joined int // callbacks that shared the wake-up which is under way
}

const (
	// gatherAgain is how many wake-ups that nobody shared end the gathering.
	gatherAgain = 8
	// gatherTry is how many callbacks write at once before it is tried again.
	gatherTry = 64
)

// now tells whether a callback that has sent something is to leave it to a
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

// listen has posts from now on wait for the end of the callback under way: no
// wake-up is needed for them, whoever makes them. Loop only.
func (l *loop) listen() {
	if l.listening {
		return
	}
	l.listening = true
	l.mu.Lock()
	l.awake = true
	l.mu.Unlock()
}

// settle is the end of a callback: it serves what was posted since listen, or
// leaves it to a wake-up. What is posted while it serves has a wake-up of its
// own, so that a callback ends.
func (l *loop) settle() {
	if !l.listening {
		return
	}
	l.listening = false
	l.mu.Lock()
	l.awake = false
	if len(l.dirty) == 0 && !l.ticked && !l.calmed {
		l.mu.Unlock()
		return
	}
	if l.woken {
		l.mu.Unlock()
		l.gather.join()
		return
	}
	if l.gather.now() {
		l.woken = true
		l.mu.Unlock()
		l.own = true
		l.poll.Wake()
		return
	}
	l.mu.Unlock()
	l.work(false)
	// A message that was read behind a handshake may have listened again.
	if l.listening {
		l.listening = false
		l.mu.Lock()
		l.awake = false
		must := (len(l.dirty) > 0 || l.ticked) && l.mustWake()
		l.mu.Unlock()
		if must {
			l.poll.Wake()
		}
	}
}
