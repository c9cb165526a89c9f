package connlog

import (
	"errors"
	"net/netip"
	"sync"
	"time"

	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/transport"
	"sipreactor/tlsstate"
)

// lineKey is what lines about ends have in common that are told as one.
type lineKey struct {
	// peer is the address; with its port where we dialled: peers that dial us come
	// from another port each time. Orderly ends are told as one for all peers together.
	peer     netip.AddrPort
	outbound bool
	refused  bool // it never was a connection
	proto    transport.Proto
	reason   reason.Reason
	cause    string // of a failed handshake, from a fixed set; "" else
}

// keyOf returns the key of a connection that ended or was refused.
func keyOf(c *Conn, why *reason.Error, refused bool) lineKey {
	k := lineKey{reason: why.Reason, refused: refused}
	if why.Blame == reason.BlameNone {
		return k
	}
	k.peer, k.outbound, k.proto = c.Peer, c.Outbound, c.Proto
	if !k.outbound {
		k.peer = netip.AddrPortFrom(k.peer.Addr(), 0)
	}
	var t *tlsstate.Error
	if errors.As(why, &t) {
		k.cause = t.Reason
	}
	return k
}

// side numbers the direction for arrays of two.
func (k *lineKey) side() int {
	if k.outbound {
		return 1
	}
	return 0
}

// name writes the peer of a key.
func (k *lineKey) name() string {
	if k.outbound {
		return k.peer.String()
	}
	return k.peer.Addr().String()
}

const (
	// keysBound is how many keys of one direction are told apart: scanners that
	// come from everywhere take no room from the peers that we dial.
	keysBound = 2048
	// gateTime is how long lines are held back behind one of the same key, and
	// repetitions behind one of the same reason.
	gateTime = int64(time.Second)
	// restTime is how long behind a line what was held back is told at the latest,
	// and how long a key is remembered after its last line.
	restTime = 10 * int64(time.Second)
)

// endRepeats keeps a flood of failures from being a flood of lines: the first of each
// key is told, repetitions once in a while with the number of those that were
// not. Any goroutine. The lock is taken once a connection, at its end.
type endRepeats struct {
	mu     sync.Mutex
	rows   map[lineKey]flood
	count  [2]int              // of rows, by direction
	repeat [reason.Count]int64 // until when repetitions are held back, by reason
	untold [reason.Count]int64 // what found no row
}

// flood is one key's. Times are on the engine's clock.
type flood struct {
	last, told int64
	held       int64
}

// open reports whether a line may pass, and how many of its key were held back
// before it.
func (f *endRepeats) open(now int64, k lineKey) (held int64, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	row, known := f.rows[k]
	row.last = now
	switch {
	case !known && f.count[k.side()] == keysBound:
		f.untold[k.reason]++
		return 0, false
	case !known:
		if f.rows == nil {
			f.rows = make(map[lineKey]flood)
		}
		f.count[k.side()]++
		row.told, ok = now, true
	case now < row.told+gateTime || now < f.repeat[k.reason]:
		row.held++
	default:
		held, ok = row.held, true
		row.held, row.told, f.repeat[k.reason] = 0, now, now+gateTime
	}
	f.rows[k] = row
	return held, ok
}

// rest is what was held back of one key.
type rest struct {
	lineKey
	more int64
}

// rests returns what is held back and has waited for a next line long enough, and
// how many found no row, by reason. It forgets keys that have been still.
func (f *endRepeats) rests(now int64) (list []rest, untold [reason.Count]int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for k, row := range f.rows {
		switch {
		case row.held > 0 && now >= row.told+restTime:
			list = append(list, rest{k, row.held})
			row.held, row.told = 0, now
			f.rows[k] = row
		case row.held == 0 && now >= row.last+restTime:
			delete(f.rows, k)
			f.count[k.side()]--
		}
	}
	untold, f.untold = f.untold, [reason.Count]int64{}
	return list, untold
}
