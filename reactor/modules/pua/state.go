package pua

import "sync"

// maxKept bounds the publications, and the subscriptions.
const maxKept = 100000

// publicationKey tells publications apart.
type publicationKey struct{ uri, event, id string }

// subscriptionKey tells subscriptions apart.
type subscriptionKey struct{ uri, event, watcher string }

// state is all that is kept. Its lock guards what is in it, too.
type state struct {
	mu            sync.Mutex
	publications  map[publicationKey]*publication
	subscriptions map[subscriptionKey]*subscription
	calls         map[string]*subscription // by Call-ID
}

func newState() *state {
	return &state{publications: map[publicationKey]*publication{}, subscriptions: map[subscriptionKey]*subscription{}, calls: map[string]*subscription{}}
}

func (t *state) size() (publications, subscriptions uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return uint64(len(t.publications)), uint64(len(t.subscriptions))
}

// early is how long before its end something is refreshed, which lasts for so many seconds.
func early(lasts int64) int64 { return min(max(lasts/10, 2), 60) }

// due gives what has to be refreshed now, and takes off what is over. The lock is held.
func (t *state) due(now int64) (publish []*publication, subscribe []*subscription) {
	for k, p := range t.publications {
		switch {
		case p.busy:
		case p.wanted <= now:
			delete(t.publications, k) // the server lets it go by itself
		case p.until-early(p.lasts) <= now:
			p.busy = true
			publish = append(publish, p)
		}
	}
	for k, s := range t.subscriptions {
		switch {
		case s.busy:
		case s.wanted <= now:
			delete(t.subscriptions, k)
			delete(t.calls, s.callID)
		case s.until-early(s.lasts) <= now:
			s.busy = true
			subscribe = append(subscribe, s)
		}
	}
	return publish, subscribe
}
