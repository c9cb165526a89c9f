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

// due gives what has to be refreshed now, and takes off what is over. The lock is held.
func (t *state) due(now int64) (publish []*publication, subscribe []*subscription) {
	for k, p := range t.publications {
		over, refresh := p.due(now)
		if over {
			delete(t.publications, k)
		}
		if refresh {
			publish = append(publish, p)
		}
	}
	for _, s := range t.subscriptions {
		over, refresh := s.due(now)
		if over {
			t.end(s)
		}
		if refresh {
			subscribe = append(subscribe, s)
		}
	}
	return publish, subscribe
}
