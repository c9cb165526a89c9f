package cachedb_redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

const (
	maxWaiting   = 512 // commands of a group that wait for its servers
	lateIsGone   = 3   // commands in a row
	firstBackOff = 50 * time.Millisecond
	lastBackOff  = 2 * time.Second
)

var (
	errGone = errors.New("the servers are gone")
	errBusy = errors.New("too many commands wait for the servers")
)

// gate bounds those who wait for servers, and spares them servers that are gone: then one command in a while finds
// out whether they are back, and the others have their error at once. The zero value is open.
type gate struct {
	mu      sync.Mutex
	inside  int
	late    int // commands in a row that came too late
	down    bool
	probing bool
	until   time.Time     // when the next one may try
	backOff time.Duration // after the next failure
	why     error
}

// enter reports whether a command may begin, and whether it is the one that tries servers that were gone. Without an
// error leave is to be called.
func (g *gate) enter(now time.Time) (probe bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.down && (g.probing || now.Before(g.until)):
		return false, fmt.Errorf("%w: %w", errGone, g.why)
	case g.inside >= maxWaiting:
		return false, errBusy
	}
	g.inside++
	g.probing = g.down
	return g.down, nil
}

// leave notes how a command ended: err is that there was no answer.
func (g *gate) leave(now time.Time, probe bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	if probe {
		g.probing = false
	}
	if err == nil {
		g.late = 0
		if probe || !g.down {
			g.down, g.why, g.backOff = false, nil, 0
		}
		return
	}
	if isLate(err) {
		g.late++
	}
	if !probe && (g.down || isLate(err) && g.late < lateIsGone) {
		return // it was under way when they went; or they may yet be only slow
	}
	g.backOff = min(max(2*g.backOff, firstBackOff), lastBackOff)
	g.down, g.why, g.until = true, err, now.Add(g.backOff)
}

func isLate(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}
