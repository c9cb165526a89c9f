package acc

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor/store"
	"sipreactor/sipframe"
)

// record makes the record of a transaction from its response, its request, or both. What
// it has are views, but for those of an event.
func (a *account) record(response, request *sipframe.Message, code int) *record {
	r := &record{time: time.Now()}
	if code != 0 {
		r.code = strconv.AppendInt(nil, int64(code), 10)
	}
	if msg := request; msg != nil {
		r.method, r.callID, r.fromTag, r.toTag = msg.MethodName(), msg.CallID(), tagOf(msg, msg.From), tagOf(msg, msg.To)
	}
	if msg := response; msg != nil {
		if request == nil {
			_, r.method, _ = msg.CSeq()
			r.callID, r.fromTag = msg.CallID(), tagOf(msg, msg.From)
		}
		if t := tagOf(msg, msg.To); len(t) > 0 {
			r.toTag = t
		}
		r.reason = msg.ReasonPhrase()
	} else if code != 0 {
		r.reason = []byte(phrase(code))
	}
	if a.upstream {
		r.fromTag, r.toTag = r.toTag, r.fromTag
	}
	return r
}

func tagOf(msg *sipframe.Message, get func() (*sipframe.NameAddr, error)) []byte {
	if a, err := get(); err == nil {
		return a.Tag.In(msg.Raw())
	}
	return nil
}

// phrase is the reason of an answer that is ours.
func phrase(code int) string {
	switch code {
	case 408:
		return "Request Timeout"
	case 487:
		return "Request Terminated"
	case 500:
		return "Server Internal Error"
	case 503:
		return "Service Unavailable"
	default:
		return ""
	}
}

// row is a record for the database. It has copies of all.
func (m *module) row(table string, r *record, leg []field) store.Change {
	text := func(b []byte) store.Value { return store.String(string(b)) }
	c := &m.columns
	var names []string
	var values []store.Value
	add := func(column string, v store.Value) { names, values = append(names, column), append(values, v) }
	for _, set := range []store.Set{
		{Column: c.method, Value: text(r.method)}, {Column: c.fromTag, Value: text(r.fromTag)}, {Column: c.toTag, Value: text(r.toTag)},
		{Column: c.callID, Value: text(r.callID)}, {Column: c.code, Value: text(r.code)}, {Column: c.reason, Value: text(r.reason)},
		{Column: c.time, Value: store.Time(r.time)},
	} {
		add(set.Column, set.Value)
	}
	if r.call != nil {
		for _, set := range r.call.columns() {
			add(set.Column, set.Value)
		}
	}
	for _, list := range [][]field{r.extra, leg} {
		for _, f := range list {
			v := store.Value{}
			if f.value != nil {
				v = text(f.value)
			}
			add(f.name, v)
		}
	}
	return store.Change{Verb: store.VerbInsert, Table: table, Columns: names, Rows: [][]store.Value{values}}
}

const (
	maxWaiting = 10000           // records that wait for the database
	lastWait   = 5 * time.Second // for those that are left at the end
	pauses     = time.Second     // between attempts while it is gone
)

// writer hands records to the database, in order, and keeps them while it is gone.
type writer struct {
	db    *store.DB
	log   *slog.Logger
	queue chan store.Change
	lost  atomic.Uint64

	mu     sync.Mutex
	closed bool
	said   time.Time
}

func newWriter(db *store.DB, log *slog.Logger) *writer {
	return &writer{db: db, log: log, queue: make(chan store.Change, maxWaiting)}
}

// put hands a record over; it is lost where too many wait.
func (w *writer) put(c store.Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		select {
		case w.queue <- c:
			return
		default:
		}
	}
	w.lose("too many records wait for the database", nil)
}

// lose counts a record that nobody will read; the caller has mu.
func (w *writer) lose(why string, err error) {
	n := w.lost.Add(1)
	if now := time.Now(); w.log != nil && now.Sub(w.said) >= time.Second {
		w.said = now
		w.log.Error("acc: a record is lost: "+why, "error", err, "lost", n)
	}
}

// close ends run once all records have been written.
func (w *writer) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
}

// run writes until close was called, and not much longer than ctx.
func (w *writer) run(ctx context.Context) {
	last, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(lastWait, cancel) })
	defer stop()
	defer func() { _ = w.db.Close() }() // what it says of its connections helps nobody now
	for {
		select {
		case c, ok := <-w.queue:
			if !ok {
				return
			}
			w.write(last, c)
		case <-ctx.Done():
			w.rest(last)
			return
		}
	}
}

// rest writes what is left at the end.
func (w *writer) rest(ctx context.Context) {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.mu.Unlock()
	for c := range w.queue {
		w.write(ctx, c)
	}
}

func (w *writer) write(ctx context.Context, c store.Change) {
	for {
		_, err := w.db.Apply(ctx, c)
		switch {
		case err == nil:
			return
		case store.Unreachable(err) && ctx.Err() == nil:
			select {
			case <-time.After(pauses):
				continue
			case <-ctx.Done():
			}
		}
		w.mu.Lock()
		w.lose("the database does not take it", err)
		w.mu.Unlock()
		return
	}
}
