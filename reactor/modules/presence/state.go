package presence

import (
	"cmp"
	"slices"
	"sync"

	"sipreactor/reactor"
)

// Bounds of what is kept.
const (
	maxSubscriptions = 200_000
	maxPublications  = 200_000
	maxPerPresentity = 32
)

// resource is what is published and watched: an event of a presentity.
type resource struct{ uri, event string }

// publication is an event state that somebody has published.
type publication struct {
	etag    string
	order   uint64
	body    []byte
	expires int64 // unix seconds
}

// dialogID names a dialog as its watcher does.
type dialogID struct{ callID, fromTag, toTag string }

// subscription is a dialog with a watcher.
type subscription struct {
	id      dialogID
	of      resource
	eventID string // id parameter of Event
	watcher string // URI of From
	local   string // URI of To
	target  string // URI of Contact
	routes  string // Route set
	contact string // ours
	socket  *reactor.Socket
	flow    reactor.Handle // the connection the watcher came by; 0 over datagrams
	expires int64
	seen    uint32 // the last CSeq of the watcher
	cseq    uint32 // the last of ours
	version int    // of watcher information
}

// state is what a presence server knows. The zero value is empty.
type state struct {
	mu      sync.Mutex
	orders  uint64
	count   int // publications
	state   map[resource][]*publication
	subs    map[dialogID]*subscription
	watched map[resource]map[*subscription]bool
	has     map[string]int // how many subscriptions a watcher has; none: no entry
}

func newState() *state {
	return &state{state: make(map[resource][]*publication), subs: make(map[dialogID]*subscription), watched: make(map[resource]map[*subscription]bool), has: make(map[string]int)}
}

// add and drop keep the subscription's indexes. The lock is held, as in all below.
func (s *state) add(x *subscription) {
	s.subs[x.id] = x
	if s.watched[x.of] == nil {
		s.watched[x.of] = make(map[*subscription]bool)
	}
	s.watched[x.of][x] = true
	s.has[x.watcher]++
}

func (s *state) drop(x *subscription) bool {
	if s.subs[x.id] != x {
		return false
	}
	delete(s.subs, x.id)
	if delete(s.watched[x.of], x); len(s.watched[x.of]) == 0 {
		delete(s.watched, x.of)
	}
	if s.has[x.watcher]--; s.has[x.watcher] == 0 {
		delete(s.has, x.watcher)
	}
	return true
}

// watchers lists the subscriptions to a resource, in the order of their dialogs.
func (s *state) watchers(of resource) []*subscription {
	list := make([]*subscription, 0, len(s.watched[of]))
	for x := range s.watched[of] {
		list = append(list, x)
	}
	slices.SortFunc(list, func(a, b *subscription) int { return cmp.Compare(a.id.callID, b.id.callID) })
	return list
}

// find returns a publication by its entity tag, nil if there is none.
func (s *state) find(of resource, etag string, now int64) *publication {
	for _, p := range s.state[of] {
		if p.etag == etag && p.expires > now {
			return p
		}
	}
	return nil
}

// publish keeps a new publication. It reports whether there is room.
func (s *state) publish(of resource, p *publication) bool {
	if s.count >= maxPublications || len(s.state[of]) >= maxPerPresentity {
		return false
	}
	s.count++
	s.orders++
	p.order = s.orders
	s.state[of] = append(s.state[of], p)
	return true
}

func (s *state) unpublish(of resource, p *publication) {
	list := slices.DeleteFunc(s.state[of], func(q *publication) bool { return q == p })
	if len(list) < len(s.state[of]) {
		s.count--
	}
	if s.state[of] = list; len(list) == 0 {
		delete(s.state, of)
	}
}

// bodies are what is published and not over, the oldest first.
func (s *state) bodies(of resource, now int64) (list [][]byte) {
	for _, p := range s.state[of] {
		if p.expires > now {
			list = append(list, p.body)
		}
	}
	return list
}

// expire takes off what is over: the subscriptions, and the resources with other
// publications than before.
func (s *state) expire(now int64) (ended []*subscription, changed []resource) {
	for _, x := range s.subs {
		if x.expires <= now {
			ended = append(ended, x)
		}
	}
	for _, x := range ended {
		s.drop(x)
	}
	for of, list := range s.state {
		for _, p := range slices.Clone(list) {
			if p.expires <= now {
				s.unpublish(of, p)
				changed = append(changed, of)
			}
		}
	}
	slices.SortFunc(changed, func(a, b resource) int { return cmp.Or(cmp.Compare(a.uri, b.uri), cmp.Compare(a.event, b.event)) })
	return ended, slices.Compact(changed)
}
