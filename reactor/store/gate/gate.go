// Package gate bounds those who wait for servers, and spares them servers that are gone.
package gate

import (
	"fmt"
	"sync"
	"time"
)

// Config is what a Gate is told at its beginning.
type Config struct {
	Most       int // who may wait at the same time
	LateIsGone int // questions in a row that come to nothing in time
	// Gone and Busy are what is told instead of an answer: that the servers are gone and it is
	// not yet time to try them again, and that as many wait as may.
	Gone, Busy error
}

// Gate is that of a group of servers, any of which may answer. Any goroutine.
//
//	up    -> down  a question has no answer, or several in a row come too late
//	down  -> probe the back-off is over: who comes now tries, and nobody else meanwhile
//	probe -> up    that one had an answer
//	probe -> down  it had none; the back-off doubles
type Gate struct {
	Config

	mu      sync.Mutex
	inside  int
	late    int // questions in a row that came too late
	down    bool
	probing bool
	until   time.Time     // when the next one may try
	backOff time.Duration // the latest; 0: none since they were up
	why     error
}

// FirstBackOff is for how long servers that have gone are left alone at first, LastBackOff at
// most.
const (
	FirstBackOff = 50 * time.Millisecond
	LastBackOff  = 2 * time.Second
)

// Outcome is what a question came to, as far as it tells of the servers.
type Outcome uint8

// The outcomes.
const (
	Answered Outcome = iota // whatever was said
	Late                    // not in time
	Silent                  // there is no answer, and will be none
	Left                    // who asked went away
)

// Change is what the end of a question told of the servers.
type Change uint8

// The changes.
const (
	NoChange Change = iota
	WentDown
	CameBack
)

// Enter reports whether a question may begin, and whether it is the one that tries servers
// that were gone. Without an error Leave is to be called.
func (g *Gate) Enter(now time.Time) (probe bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.down && (g.probing || now.Before(g.until)):
		return false, fmt.Errorf("%w: %w", g.Gone, g.why)
	case g.inside >= g.Most:
		return false, g.Busy
	}
	g.inside++
	g.probing = g.down
	return g.down, nil
}

// Leave notes how a question ended; err is why there was no answer.
func (g *Gate) Leave(now time.Time, probe bool, how Outcome, err error) Change {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	if probe {
		g.probing = false
	}
	was := g.down
	switch how {
	case Left:
		return NoChange
	case Answered:
		g.late = 0
		if !was {
			return NoChange
		}
		g.down, g.why, g.backOff = false, nil, 0
		return CameBack
	case Late:
		g.late++
	case Silent:
	}
	if !probe && (was || how == Late && g.late < g.LateIsGone) {
		return NoChange // one of those that were under way when they went; or they may yet be only slow
	}
	g.backOff = min(max(2*g.backOff, FirstBackOff), LastBackOff)
	g.down, g.why, g.until = true, err, now.Add(g.backOff)
	if was {
		return NoChange
	}
	return WentDown
}

// Waiting returns how many wait for an answer, and whether the servers are gone.
func (g *Gate) Waiting() (n int, down bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inside, g.down
}
