package reactor

import (
	"sync"
)

// journal is an Observer that remembers.
type journal struct {
	mu     sync.Mutex
	events []Event
}

func (j *journal) Observe(e *Event) {
	j.mu.Lock()
	j.events = append(j.events, *e)
	j.mu.Unlock()
}

// of gives the events of one kind.
func (j *journal) of(k EventKind) (list []Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range j.events {
		if e.Kind == k {
			list = append(list, e)
		}
	}
	return list
}

// closes gives the reasons that connections ended with.
func (j *journal) closes() (list []Reason) {
	for _, e := range j.of(ConnClosed) {
		list = append(list, e.Err.Reason)
	}
	return list
}

// holder is an Observer that holds up whoever tells it of an event of one kind:
// it sends to in, and waits for hold.
type holder struct {
	kind     EventKind
	in, hold chan struct{}
}

func newHolder(k EventKind) holder { return holder{k, make(chan struct{}), make(chan struct{})} }

func (h holder) Observe(e *Event) {
	if e.Kind == h.kind {
		h.in <- struct{}{}
		<-h.hold
	}
}
