package fraud_detection

import (
	"sync"

	core "sipreactor/reactor/dialog"
)

const (
	maxUser   = 256     // bytes of a user
	maxUsages = 1 << 18 // users with a prefix
	kept      = 86400   // seconds: no interval is longer
)

// counts are what was counted of all users. Any goroutine may call its methods.
type counts struct {
	mu     sync.Mutex
	users  map[string]*user
	usages int
	swept  int64
}

// user is what was counted of a user.
type user struct {
	prefix   string // of the last call
	prefixes map[string]*usage
}

// usage is what was counted of a user's calls to a prefix.
type usage struct {
	last                          int64 // call, in Unix seconds
	total, concurrent, sequential int64
	minute                        window
}

// call is one that check_fraud() has counted.
type call struct {
	rule         *rule
	user, number string
	usage        *usage
}

// held is what a dialog has attached: its calls, which counts.mu guards.
type held struct{ calls []*call }

var heldKey = new(int)

func newCounts() *counts { return &counts{users: make(map[string]*user)} }

// begin counts a call of a dialog and returns what that makes. since is when the rule's interval has begun.
func (t *counts) begin(c *call, d *core.Dialog, since, now int64) (v [measures]int64, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	u := t.users[c.user]
	if u == nil || u.prefixes[c.rule.prefix] == nil {
		if !t.room(now) {
			return v, errMany
		}
		if u = t.users[c.user]; u == nil { // or it was forgotten
			u = &user{prefixes: make(map[string]*usage)}
			t.users[c.user] = u
		}
		u.prefixes[c.rule.prefix] = new(usage)
		t.usages++
	}
	g := u.prefixes[c.rule.prefix]
	if g.last < since {
		g.total, g.minute = 0, window{}
	}
	g.last = now
	g.total++
	g.minute.add(now)
	if u.prefix != c.rule.prefix {
		u.prefix, g.sequential = c.rule.prefix, 0
	}
	g.sequential++
	h, _ := d.Attachment(heldKey).(*held)
	if h == nil {
		h = new(held)
		d.Attach(heldKey, h)
	}
	if !h.has(g) {
		c.usage = g
		g.concurrent++
		h.calls = append(h.calls, c)
	}
	return g.values(), nil
}

// has reports whether a call to a prefix is there already: the script may count a call again.
func (h *held) has(g *usage) bool {
	for _, c := range h.calls {
		if c.usage == g {
			return true
		}
	}
	return false
}

// end takes the calls off a dialog that is over.
func (t *counts) end(d *core.Dialog) (calls []*call) {
	h, _ := d.Attachment(heldKey).(*held)
	if h == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	calls, h.calls = h.calls, nil
	for _, c := range calls {
		c.usage.concurrent--
	}
	return calls
}

// look returns what was counted of a user's calls to a prefix.
func (t *counts) look(name, prefix string, now int64) (v [measures]int64, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	u := t.users[name]
	if u == nil || u.prefixes[prefix] == nil {
		return v, false
	}
	g := u.prefixes[prefix]
	g.minute.advance(now)
	return g.values(), true
}

func (g *usage) values() (v [measures]int64) {
	v[perMinute], v[total], v[concurrent], v[sequential] = g.minute.sum, g.total, g.concurrent, g.sequential
	return v
}

// room makes sure that there is room for another usage: it forgets those whose interval is over, once a minute at most.
func (t *counts) room(now int64) bool {
	if t.usages < maxUsages {
		return true
	}
	if now-t.swept < 60 {
		return false
	}
	t.swept = now
	for name, u := range t.users {
		for prefix, g := range u.prefixes {
			if g.concurrent == 0 && now-g.last > kept {
				delete(u.prefixes, prefix)
				t.usages--
			}
		}
		if len(u.prefixes) == 0 {
			delete(t.users, name)
		}
	}
	return t.usages < maxUsages
}

// window counts the calls of the last 60 seconds.
type window struct {
	at    int64
	calls [60]int64
	sum   int64
}

// add counts a call.
func (w *window) add(now int64) {
	w.advance(now)
	w.calls[w.at%60]++
	w.sum++
}

// advance forgets what is over. A clock that was put back adds to the last second.
func (w *window) advance(now int64) {
	if now-w.at >= 60 {
		*w = window{at: now}
	}
	for w.at < now {
		w.at++
		w.sum -= w.calls[w.at%60]
		w.calls[w.at%60] = 0
	}
}
