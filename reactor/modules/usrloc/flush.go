package usrloc

import "sync/atomic"

// flush is the right to write a table to the database, which one at a time has, and how the last write ended. Messages
// wait for it, but none behind a write that fails.
type flush struct {
	had     chan struct{} // full: somebody has it
	watch   atomic.Pointer[watch]
	failure atomic.Pointer[error] // of the last write; nil: it was good
}

// watch is for those who wait: failed is closed when a write has failed, err is why.
type watch struct {
	failed chan struct{}
	err    error
}

func newFlush() *flush {
	f := &flush{had: make(chan struct{}, 1)}
	f.watch.Store(&watch{failed: make(chan struct{})})
	return f
}

// lock waits until it is free.
func (f *flush) lock() { f.had <- struct{}{} }

func (f *flush) unlock() { <-f.had }

// lockUnlessFailed is lock for who gives up when a write fails meanwhile, with its error: the next one would wait as long for
// the same database, and those behind it longer still. With known a write that failed last is reason enough.
func (f *flush) lockUnlessFailed(known bool) error {
	w := f.watch.Load() // first: what fails from here on is told by it
	if err := f.failed(); err != nil && known {
		return err
	}
	select {
	case f.had <- struct{}{}:
		return nil
	case <-w.failed:
		return w.err
	}
}

// ended notes how a write did. Who has the right calls it.
func (f *flush) ended(err error) {
	if err == nil {
		f.failure.Store(nil)
		return
	}
	f.failure.Store(&err) // before the watch is another: see lockUnlessFailed
	w := f.watch.Swap(&watch{failed: make(chan struct{})})
	w.err = err
	close(w.failed)
}

// failed returns why the last write did not succeed, nil if it did.
func (f *flush) failed() error {
	if err := f.failure.Load(); err != nil {
		return *err
	}
	return nil
}
