package uac_registrant

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"sync"
	"time"

	"sipreactor/reactor/transaction"
)

// table has the registrations and sends what is due. It outlives a reload of the script. Any goroutine may call its
// methods; the lock is held for computing alone.
type table struct {
	mu     sync.Mutex
	rules  policy
	spread time.Duration // timer_interval: all accounts have been tried once in it
	list   []*registration
	byKey  map[key]*registration
	at     int // in the list, where the next round begins
	sent   uint64

	now func() time.Time
	// send sends a request. An error is why it cannot be sent: then its Done is not called.
	send func(r *transaction.Request, socket string) error
	log  *slog.Logger
}

func newTable() *table { return &table{byKey: make(map[key]*registration), now: time.Now} }

// every is how often the table looks for what is due.
const every = 200 * time.Millisecond

// atOnce is how many REGISTERs a round sends, unless there are so many accounts that more are needed.
const atOnce = 20

// outgoing is a REGISTER on its way out of the lock.
type outgoing struct {
	r       *registration
	number  uint64
	request *transaction.Request
	to      key
	socket  string
}

// round sends what is due.
func (t *table) round(context.Context) {
	t.mu.Lock()
	now := t.now()
	budget := max(atOnce, int(int64(len(t.list))*int64(every)/int64(max(t.spread, every))))
	var out []outgoing
	n := len(t.list)
	start := 0
	if n > 0 {
		start = t.at % n
	}
	for i := 0; i < n && len(out) < budget; i++ {
		r := t.list[(start+i)%n]
		if m := r.start(&t.rules, now); m != nil {
			out = append(out, t.out(r, m))
		}
		t.at = (start + i + 1) % n
	}
	t.sweep()
	t.mu.Unlock()
	t.dispatch(out...)
}

// sweep removes the registrations that have left. The lock is held.
func (t *table) sweep() {
	kept := t.list[:0]
	for _, r := range t.list {
		if !r.over() {
			kept = append(kept, r)
		} else if t.byKey[r.key()] == r {
			delete(t.byKey, r.key())
		}
	}
	clear(t.list[len(kept):])
	t.list = kept
}

// out makes a REGISTER ready. The lock is held.
func (t *table) out(r *registration, m *register) outgoing {
	number := r.number
	o := outgoing{r: r, number: number, request: r.requestOf(m), to: r.key(), socket: r.socket}
	binding := r.binding
	o.request.Done = func(end *transaction.Outcome) {
		if end.Code < 200 {
			return
		}
		var a answer
		a.read(end, binding)
		t.heard(r, number, &a)
	}
	t.sent++
	return o
}

// dispatch sends, without the lock.
func (t *table) dispatch(list ...outgoing) {
	if len(list) == 0 {
		return
	}
	t.mu.Lock()
	send, log := t.send, t.log
	t.mu.Unlock()
	for _, o := range list {
		if err := send(o.request, o.socket); err != nil {
			log.Warn("uac_registrant: a REGISTER was not sent", "aor", o.to.aor, "registrar", o.to.registrar, "error", err)
			t.broken(o.r, o.number)
		}
	}
}

// heard takes the end of a REGISTER.
func (t *table) heard(r *registration, number uint64, a *answer) {
	t.mu.Lock()
	if r.number != number || !r.state.underWay() {
		t.mu.Unlock()
		return
	}
	m := r.heard(&t.rules, t.now(), a)
	var out []outgoing
	if m != nil {
		out = append(out, t.out(r, m))
	}
	k, s, due, log := r.key(), r.state, r.due, t.log
	t.mu.Unlock()
	if s.failed() {
		log.Warn("uac_registrant: not registered", "aor", k.aor, "registrar", k.registrar, "state", s, "code", a.code, "again", due.Format(time.RFC3339))
	}
	t.dispatch(out...)
}

// broken takes a REGISTER that could not be sent.
func (t *table) broken(r *registration, number uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r.number == number && r.state.underWay() {
		r.failed(&t.rules, t.now(), internalError, nil)
	}
}

// put adds an account, or gives one that is there what is new: it registers then at once. The lock is held.
func (t *table) put(a account, from origin) *registration {
	r := t.byKey[a.key()]
	if r == nil {
		r = &registration{account: a, callID: token(12), fromTag: token(4), from: from, due: t.now()}
		t.byKey[a.key()] = r
		t.list = append(t.list, r)
		return r
	}
	r.gone = false
	r.from = from
	if r.account != a || r.state == notRegistered {
		r.account, r.ask, r.tries, r.due = a, 0, 0, t.now()
	}
	return r
}

// drop has an account leave. The lock is held.
func (t *table) drop(r *registration) { r.gone, r.due = true, t.now() }

// replace has the accounts of the database be those of the list.
func (t *table) replace(list []account) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := make(map[key]bool, len(list))
	for _, a := range list {
		now[a.key()] = true
		t.put(a, fromDatabase)
	}
	for _, r := range t.list {
		if r.from == fromDatabase && !now[r.key()] {
			t.drop(r)
		}
	}
}

// token makes a Call-ID or a tag of n random bytes.
func token(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return hex.AppendEncode(nil, b)
}

// count returns how many registrations are in a state that f wants.
func (t *table) count(f func(state) bool) (n uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.list {
		if f(r.state) {
			n++
		}
	}
	return n
}
