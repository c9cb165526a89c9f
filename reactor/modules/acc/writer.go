package acc

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor/rescue"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

const (
	maxWaiting = 10000           // records that wait for the database in memory
	maxBatch   = 100             // records of one transaction of the database, and of one file of the spool
	lastWait   = 5 * time.Second // for those that are left at the end
	pauses     = time.Second     // between attempts while it is gone
	moment     = time.Second     // for how long records wait in memory for a database that does not answer
)

// writer hands records to the database, in order and several at once where several wait. While it is gone they are
// kept in the spool, and without one in memory; while it is slow those that wait there for more than a moment, or no
// longer fit, go to the spool, too. A
// record whose statement had no answer is written again, and can then be there twice. What comes behind its end is for
// the writer that follows it, or for the spool.
type writer struct {
	db    *store.DB
	log   *slog.Logger
	queue chan store.Change
	spool *spool        // nil: there is no folder for one
	full  chan struct{} // the queue is half full
	lost  *script.Count
	// refused counts records that the database does not take and that are in the spool's own file.
	refused *script.Count

	since atomic.Int64 // when the database was given the records that it has not answered, in ns; 0: it has none

	cancel context.CancelFunc // of begin
	done   chan struct{}      // closed when run is over

	mu     sync.Mutex
	closed bool
	heir   func() *writer // gives who follows it once it is closed; nil, as what it gives: nobody does
	said   time.Time      // when a record's loss was told
	warned time.Time      // when it was told that nothing takes them
}

func newWriter(db *store.DB, log *slog.Logger, s *spool) *writer {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &writer{db: db, log: log, queue: make(chan store.Change, maxWaiting), spool: s, full: make(chan struct{}, 1),
		lost: new(script.Count), refused: new(script.Count)}
}

// begin runs it until end. The goroutine is its own: those of the module end before its last records come.
func (w *writer) begin() {
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel, w.done = cancel, make(chan struct{})
	go func() {
		defer close(w.done)
		_ = rescue.Run(w.log, "acc: the writer", func() { w.run(ctx) }) // a driver's fault ends accounting, and not the calls
	}()
}

// end hands what comes later to another writer, which may be nil, and waits until what is there is written or kept.
func (w *writer) end(heir func() *writer) {
	w.mu.Lock()
	w.heir = heir
	w.mu.Unlock()
	w.close()
	w.cancel()
	<-w.done
}

// put hands a record over; it is lost where too many wait.
func (w *writer) put(c store.Change) {
	w.mu.Lock()
	closed, heir := w.closed, w.heir
	if !closed {
		select {
		case w.queue <- c:
			if len(w.queue) > maxWaiting/2 {
				select {
				case w.full <- struct{}{}:
				default:
				}
			}
			w.mu.Unlock()
			return
		default:
		}
	}
	w.mu.Unlock()
	var next *writer
	if closed && heir != nil {
		next = heir()
	}
	switch {
	case !closed:
		w.lose(1, "too many records wait for the database", nil)
	case next != nil:
		next.put(c)
	case w.spool == nil:
		w.lose(1, "accounting has ended, and there is no state_dir", nil)
	default:
		if err := w.spool.add([]store.Change{c}); err != nil {
			w.lose(1, "accounting has ended, and the spool does not take it", err)
		}
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

// run writes until close was called, and not much longer than ctx. That one's end takes nothing back that the database was
// given, which may execute it all the same: whoever has its records then would write them again.
func (w *writer) run(ctx context.Context) {
	last, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(lastWait, cancel) })
	defer stop()
	defer func() { _ = w.db.Close() }() // what it says of its connections helps nobody now
	tick := time.NewTicker(pauses)
	defer tick.Stop()
	var relief sync.WaitGroup
	defer relief.Wait()
	relieving, relieved := context.WithCancel(last)
	relief.Go(func() { _ = rescue.Run(w.log, "acc: the writer", func() { w.relieve(relieving, last) }) })
	defer relieved()
	w.unspool(ctx, last)
	for {
		select {
		case c, ok := <-w.queue:
			if !ok {
				return
			}
			w.write(last, w.more(c))
		case <-tick.C:
			w.unspool(ctx, last)
		case <-ctx.Done():
			w.close()
			for c := range w.queue {
				w.write(last, w.more(c))
			}
			return
		}
	}
}

// relieve moves records to the spool while the queue is half full, or the database takes too long for those that it
// has, until ctx ends: run waits for the database then. What run takes next belongs behind them and follows them there.
// What the spool does not take is written until last ends.
func (w *writer) relieve(ctx, last context.Context) {
	if w.spool == nil {
		return
	}
	tick := time.NewTicker(moment / 4)
	defer tick.Stop()
	for {
		left := maxWaiting / 4
		select {
		case <-ctx.Done():
			return
		case <-w.full:
		case <-tick.C:
			if since := w.since.Load(); since == 0 || time.Now().UnixNano()-since < int64(moment) {
				continue
			}
			left = 0
		}
		for len(w.queue) > left {
			c, ok := <-w.queue
			if !ok {
				return
			}
			w.keep(last, w.more(c))
		}
	}
}

// keep adds a batch to the spool, or waits until it can be written otherwise.
func (w *writer) keep(ctx context.Context, batch []store.Change) {
	if w.spool.add(batch) != nil {
		w.write(ctx, batch)
	}
}

// more gives a record and those that wait behind it, as many as a batch has.
func (w *writer) more(first store.Change) []store.Change {
	batch := []store.Change{first}
	for len(batch) < maxBatch {
		select {
		case c, ok := <-w.queue:
			if !ok {
				return batch
			}
			batch = append(batch, c)
		default:
			return batch
		}
	}
	return batch
}

// write writes a batch, or keeps it. Where neither can be done it waits: for the database, for room, or for the
// process before this one, which has the spool until it ends.
func (w *writer) write(ctx context.Context, batch []store.Change) {
	for {
		var err error
		if !w.spool.waits() { // else it belongs behind those
			if err = w.apply(ctx, batch); err == nil {
				return
			}
		}
		if w.spool != nil {
			if err = w.spool.add(batch); err == nil {
				return
			}
		}
		w.wait(len(batch), err)
		select {
		case <-time.After(pauses):
			w.unspool(ctx, ctx)
		case <-ctx.Done():
			w.lose(len(batch), "neither the database nor the spool takes it", err)
			return
		}
	}
}

// unspool writes what the spool has, as long as the database takes it: it begins no file when ctx has ended, and waits for
// one that it began until last ends.
func (w *writer) unspool(ctx, last context.Context) {
	if !w.spool.waits() || !w.spool.draining.TryLock() {
		return
	}
	defer w.spool.draining.Unlock()
	for ctx.Err() == nil {
		name, batch, bad := w.spool.oldest()
		if name == "" {
			return
		}
		if bad > 0 {
			w.lose(bad, "the spool has what is no record", nil)
		}
		if w.apply(last, batch) != nil {
			return
		}
		if err := w.spool.remove(name); err != nil {
			w.log.Error("acc: the database has the records of a file that cannot be removed: remove it before the next start", "file", name, "error", err)
		}
		select {
		case c, ok := <-w.queue: // it must not run full meanwhile
			if !ok {
				return
			}
			if more := w.more(c); w.spool.add(more) != nil {
				w.lose(len(more), "the spool does not take it", nil)
			}
		default:
		}
	}
}

// apply writes a batch in one transaction. Where the database has something against it, each record is tried by
// itself, and put aside if it is the one. The error is that the database does not answer.
func (w *writer) apply(ctx context.Context, batch []store.Change) error {
	if len(batch) == 0 {
		return nil
	}
	w.since.Store(time.Now().UnixNano())
	_, err := w.db.Apply(ctx, joined(batch)...)
	w.since.Store(0)
	if err == nil || store.Unreachable(err) || ctx.Err() != nil {
		return err
	}
	if len(batch) == 1 {
		w.refuse(&batch[0], err)
		return nil
	}
	for i := range batch {
		if err := w.apply(ctx, batch[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

// joined makes one change of those in a row that have the same table and columns.
func joined(batch []store.Change) (list []store.Change) {
	for _, c := range batch {
		if n := len(list) - 1; n >= 0 && list[n].Table == c.Table && slices.Equal(list[n].Columns, c.Columns) {
			list[n].Rows = append(list[n].Rows[:len(list[n].Rows):len(list[n].Rows)], c.Rows...)
			continue
		}
		list = append(list, c)
	}
	return list
}
