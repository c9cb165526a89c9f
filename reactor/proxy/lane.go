package proxy

import (
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor/names"
)

// Messages of a Call-ID that wait for one name go on in the order in which they came:
// whoever waits lets others take over, and those would overtake it as soon as the answer is
// at hand, a BYE its ACK. So each has a place behind the last one, and keeps it until what
// it wanted to send is with a connection.

// lanes are the places that are taken. Any goroutine.
type lanes struct {
	n atomic.Int32 // of places: mostly none

	mu   sync.Mutex
	last map[lane]*spot // nobody: no entry
}

// lane is what its places have in common.
type lane struct {
	call uint64 // of the Call-ID
	host string
}

// spot is one message's. It belongs to its Context.
type spot struct {
	lane  lane
	ahead <-chan struct{} // closed when it is its turn; nil: nobody was there
	over  chan struct{}
}

// longestTurn bounds how long a message waits for those before it, which have a name's
// answer already and send.
const longestTurn = names.DefaultTimeout

// enter takes a place. With idle false it does so only behind others; nil is none.
func (s *lanes) enter(l lane, idle bool) *spot {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.last[l]
	if before == nil && !idle {
		return nil
	}
	p := &spot{lane: l, over: make(chan struct{})}
	if before != nil {
		p.ahead = before.over
	}
	if s.last == nil {
		s.last = make(map[lane]*spot)
	}
	s.last[l] = p
	s.n.Add(1)
	return p
}

// leave gives a place back.
func (s *lanes) leave(p *spot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last[p.lane] == p {
		delete(s.last, p.lane)
	}
	s.n.Add(-1)
	close(p.over)
}

// wait blocks until it is the place's turn.
func (p *spot) wait() {
	if p.ahead == nil {
		return
	}
	late := time.NewTimer(longestTurn)
	defer late.Stop()
	select {
	case <-p.ahead:
	case <-late.C:
	}
}

// queueUp takes the place of the message at hand among those of its Call-ID that wait for
// the name that is asked for; nil: the answer is known, and none does.
func (c *Context) queueUp(known bool) *spot {
	c.stepOut()
	all := &c.proxy.lanes
	if known && all.n.Load() == 0 {
		return nil
	}
	c.place = all.enter(lane{hash(&c.proxy.keys.trans, c.Msg.CallID()), c.query.Host}, !known)
	return c.place
}

// stepOut lets those go on that come behind the message at hand.
func (c *Context) stepOut() {
	if p := c.place; p != nil {
		c.place = nil
		c.proxy.lanes.leave(p)
	}
}
