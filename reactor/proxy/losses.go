package proxy

import (
	"errors"
	"net/netip"
	"sync"
	"time"

	"sipreactor/reactor"
)

// loss is what lines about messages that were not delivered have in common that
// are told as one: a noisy peer does not hide another one's failure. The port is
// left out: peers that dial us come from another one each time.
type loss struct {
	what   string
	peer   netip.Addr
	reason reactor.Reason
}

// lossOf gives the key of a message that was not delivered.
func lossOf(what string, peer netip.AddrPort, cause error) loss {
	l := loss{what: what, peer: peer.Addr()}
	var e *reactor.Error
	if errors.As(cause, &e) {
		l.reason = e.Reason
	}
	return l
}

const (
	// lossBound is how many of them are told apart. What finds no room is counted,
	// and told with the next line that passes.
	lossBound = 1024
	// lossGate is how long lines are held back behind one of the same key, and
	// lossRest how long a key is remembered behind its last line.
	lossGate = time.Second
	lossRest = 10 * time.Second
)

// losses keep a flood of failures from being a flood of lines. The zero value is
// ready. Any goroutine; the lock is taken for messages that were lost only.
type losses struct {
	mu     sync.Mutex
	rows   map[loss]lossRow
	untold uint64 // of keys that found no room
}

type lossRow struct {
	told time.Time // when the last line was written
	held uint64    // lines not written since
}

// open reports whether a line may pass, and how many of its key, or of keys that
// found no room, were held back before it.
func (l *losses) open(now time.Time, k loss) (held uint64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	row, known := l.rows[k]
	switch {
	case known && now.Sub(row.told) < lossGate:
		row.held++
		l.rows[k] = row
		return 0, false
	case !known && len(l.rows) >= lossBound && !l.forget(now):
		l.untold++
		return 0, false
	case l.rows == nil:
		l.rows = make(map[loss]lossRow)
	}
	l.rows[k] = lossRow{told: now}
	held, l.untold = row.held+l.untold, 0
	return held, true
}

// forget drops the keys that have been still, and reports whether there is room.
// The lock is held.
func (l *losses) forget(now time.Time) bool {
	for k, row := range l.rows {
		if now.Sub(row.told) >= lossRest {
			l.untold += row.held
			delete(l.rows, k)
		}
	}
	return len(l.rows) < lossBound
}
