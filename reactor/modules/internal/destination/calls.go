package destination

import (
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor/proxy"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

// Calls tells when calls end, for who counts them. Without dialogs it goes by
// transactions: a call ends with a final response that is no 2xx, and after a 2xx
// with a BYE of the same Call-ID, when somebody who follows dialogs tells of its end, or
// when it has lasted longer than any call does.
//
// A call begins with a request that has no transaction yet: then it waits for one,
// and ends with the routing of the request if there is none. Any goroutine may call
// its methods; those with a Context are for the goroutine that has it.
type Calls struct {
	mu        sync.Mutex
	pending   map[*proxy.Context]*Call
	exchanges map[*transaction.Exchange]*Call
	answered  map[string]*Call // by Call-ID
	some      atomic.Int64     // in pending, for those who would only look
}

// Call is one call. Its holds are let go when it ends, each once.
type Call struct {
	id    string
	since time.Time
	holds map[any]func() // the lock of Calls guards it
}

const (
	longestCall = 12 * time.Hour
	maxAnswered = 1 << 20 // calls under way; beyond that those that were answered longest ago are taken for over
)

// NewCalls makes one without calls.
func NewCalls() *Calls {
	return &Calls{pending: map[*proxy.Context]*Call{}, exchanges: map[*transaction.Exchange]*Call{}, answered: map[string]*Call{}}
}

// Hold has end called when the call ends that the request in c belongs to. A hold of
// the same key is let go first.
func (s *Calls) Hold(c *proxy.Context, key any, end func()) {
	s.mu.Lock()
	call := s.find(c)
	if call == nil {
		call = &Call{id: string(c.CallID()), since: time.Now(), holds: map[any]func(){}}
		if x := transaction.Of(c); x != nil {
			s.exchanges[x] = call
		} else {
			s.pending[c] = call
			s.some.Store(int64(len(s.pending)))
		}
	}
	old := call.holds[key]
	call.holds[key] = end
	s.mu.Unlock()
	if old != nil {
		old()
	}
}

// Drop lets a hold of the call go. It reports whether there was one.
func (s *Calls) Drop(c *proxy.Context, key any) bool {
	s.mu.Lock()
	var end func()
	if call := s.find(c); call != nil {
		end = call.holds[key]
		delete(call.holds, key)
	}
	s.mu.Unlock()
	if end == nil {
		return false
	}
	end()
	return true
}

// find gives the call of the request in c, nil if there is none. The lock is held.
func (s *Calls) find(c *proxy.Context) *Call {
	if call := s.pending[c]; call != nil {
		return call
	}
	if x := transaction.Of(c); x != nil {
		if call := s.exchanges[x]; call != nil {
			return call
		}
	}
	return s.answered[string(c.CallID())]
}

// Len gives how many calls there are.
func (s *Calls) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.pending) + len(s.exchanges) + len(s.answered)
}

// Routed is told that a request has been routed: its call ends if nobody has made a
// transaction of it.
func (s *Calls) Routed(c *proxy.Context) {
	if s.some.Load() == 0 {
		return
	}
	s.mu.Lock()
	call := s.pending[c]
	delete(s.pending, c)
	s.some.Store(int64(len(s.pending)))
	s.mu.Unlock()
	call.end()
}

// end lets all holds go. Nobody else has the call any more.
func (c *Call) end() {
	if c == nil {
		return
	}
	for _, f := range c.holds {
		f()
	}
	c.holds = nil
}

// Happened is told what happens to transactions: a transaction.Listener.
func (s *Calls) Happened(h *transaction.Happening) {
	switch h.What {
	case transaction.BranchOut:
		s.bye(h)
	case transaction.OwnOut:
		if h.Code >= 200 && h.Code < 300 {
			s.bye(h)
		}
	case transaction.Created:
		if s.some.Load() == 0 {
			return
		}
		s.mu.Lock()
		if call := s.pending[h.Context]; call != nil {
			delete(s.pending, h.Context)
			s.some.Store(int64(len(s.pending)))
			s.exchanges[h.Exchange] = call
		}
		s.mu.Unlock()
	case transaction.Answered:
		switch {
		case h.Code >= 300:
			s.over(h.Exchange)
		case h.Code >= 200 && h.Exchange.Method() == sipframe.INVITE:
			s.talk(h.Exchange)
		}
	case transaction.Lost, transaction.Over:
		s.over(h.Exchange)
	default: // nothing that a call begins or ends with
	}
}

// bye ends the call of a BYE, which is in Context: the script has let it pass, or answered it.
func (s *Calls) bye(h *transaction.Happening) {
	if h.Exchange.Method() == sipframe.BYE && h.Context.Msg != nil && h.Context.Msg.IsRequest() {
		s.HungUp(string(h.Context.CallID()))
	}
}

// over ends the call of a transaction, if it has not gone on beyond it.
func (s *Calls) over(x *transaction.Exchange) {
	s.mu.Lock()
	call := s.exchanges[x]
	delete(s.exchanges, x)
	s.mu.Unlock()
	call.end()
}

// talk has a call go on beyond its transaction: it was answered.
func (s *Calls) talk(x *transaction.Exchange) {
	var ended []*Call
	s.mu.Lock()
	if call := s.exchanges[x]; call != nil {
		delete(s.exchanges, x)
		ended = append(ended, s.answered[call.id])
		s.answered[call.id] = call
		if len(s.answered) > maxAnswered {
			ended = append(ended, s.oldest())
		}
	}
	s.mu.Unlock()
	for _, c := range ended {
		c.end()
	}
}

// oldest takes out one of the calls that were answered longest ago. The lock is held.
func (s *Calls) oldest() (oldest *Call) {
	const looked = 64
	n := 0
	for _, c := range s.answered { // in no order, so these are a sample
		if oldest == nil || c.since.Before(oldest.since) {
			oldest = c
		}
		if n++; n == looked {
			break
		}
	}
	delete(s.answered, oldest.id)
	return oldest
}

// Resume has end called when a call ends that was answered in another life of the program, by its Call-ID.
func (s *Calls) Resume(id string, key any, end func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	call := s.answered[id]
	if call == nil {
		call = &Call{id: id, since: time.Now(), holds: map[any]func(){}}
		s.answered[id] = call
	}
	call.holds[key] = end
}

// HungUp ends a call that was answered, by its Call-ID.
func (s *Calls) HungUp(id string) {
	s.mu.Lock()
	call := s.answered[id]
	delete(s.answered, id)
	s.mu.Unlock()
	call.end()
}

// Sweep ends the calls that have lasted longer than any call does.
func (s *Calls) Sweep(now time.Time) {
	var ended []*Call
	s.mu.Lock()
	for id, c := range s.answered {
		if now.Sub(c.since) > longestCall {
			delete(s.answered, id)
			ended = append(ended, c)
		}
	}
	s.mu.Unlock()
	for _, c := range ended {
		c.end()
	}
}
