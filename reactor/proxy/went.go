package proxy

import (
	"sync"

	"sipreactor/reactor"
)

// went remembers where INVITEs to destinations with several addresses went, for
// what belongs to them: a CANCEL must not reach a server that has no such call,
// and a retransmission or an ACK is of use only to the one that has. It is
// bounded: the INVITE noted first makes room. What is forgotten goes to the first
// address, as a stateless proxy would have it.
type went struct {
	mu   sync.Mutex
	at   map[uint64]reactor.EndPoint // by transaction
	ring []uint64                    // transactions in the order in which they were noted
	next int
}

// wentBound is how many INVITEs are remembered.
const wentBound = 16384

// note remembers an INVITE's address in place of one noted before.
func (w *went) note(trans uint64, addr reactor.EndPoint) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, known := w.at[trans]; known {
		w.at[trans] = addr
		return
	}
	if w.at == nil {
		w.at = make(map[uint64]reactor.EndPoint)
	}
	if len(w.ring) < wentBound {
		w.ring = append(w.ring, trans)
	} else {
		delete(w.at, w.ring[w.next])
		w.ring[w.next] = trans
		w.next = (w.next + 1) % wentBound
	}
	w.at[trans] = addr
}

// find gives the address that an INVITE went to.
func (w *went) find(trans uint64) (addr reactor.EndPoint, known bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	addr, known = w.at[trans]
	return addr, known
}

// forget lets go of an INVITE that went nowhere.
func (w *went) forget(trans uint64) {
	w.mu.Lock()
	delete(w.at, trans)
	w.mu.Unlock()
}
