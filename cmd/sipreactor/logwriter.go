package main

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// logQueue is how many lines wait for a reader of the log that is slow.
const logQueue = 4096

// logWriter writes lines on a goroutine of its own, so that no caller ever waits for the terminal, pipe or disk
// behind it. When its queue is full it drops lines, counts them and says so as soon as there is room.
//
// Write may be called by any goroutine, one line a call.
type logWriter struct {
	out     io.Writer
	lines   chan []byte
	pool    sync.Pool
	dropped atomic.Uint64 // not yet told
	total   atomic.Uint64
	stop    chan struct{}
	stopped chan struct{}
	once    sync.Once
}

func newLogWriter(out io.Writer, queue int) *logWriter {
	w := &logWriter{
		out: out, lines: make(chan []byte, queue),
		stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	w.pool.New = func() any { b := make([]byte, 0, 256); return &b }
	go w.run()
	return w
}

// Write queues a copy of the line. It never waits and never fails.
func (w *logWriter) Write(line []byte) (int, error) {
	b := w.pool.Get().(*[]byte)
	*b = append((*b)[:0], line...)
	select {
	case w.lines <- *b:
	default:
		w.pool.Put(b)
		w.dropped.Add(1)
		w.total.Add(1)
	}
	return len(line), nil
}

// Dropped is how many lines were lost since the start.
func (w *logWriter) Dropped() uint64 { return w.total.Load() }

// Close writes what is queued, for so long, and ends. Lines that come later are dropped.
func (w *logWriter) Close(limit time.Duration) {
	w.once.Do(func() { close(w.stop) })
	select {
	case <-w.stopped:
	case <-time.After(limit):
	}
}

func (w *logWriter) run() {
	defer close(w.stopped)
	for {
		select {
		case line := <-w.lines:
			w.write(line)
		case <-w.stop:
			for {
				select {
				case line := <-w.lines:
					w.write(line)
				default:
					w.confess()
					return
				}
			}
		}
	}
}

func (w *logWriter) write(line []byte) {
	_, _ = w.out.Write(line) // a log that cannot be written has nobody to tell
	if cap(line) <= 4096 {
		w.pool.Put(&line)
	}
	w.confess()
}

// confess tells of dropped lines once the reader is there again.
func (w *logWriter) confess() {
	if n := w.dropped.Swap(0); n > 0 {
		fmt.Fprintf(w.out, "time=%s level=WARN msg=\"log lines dropped, the reader of the log is too slow\" lines=%d\n",
			time.Now().Format(time.RFC3339Nano), n)
	}
}
