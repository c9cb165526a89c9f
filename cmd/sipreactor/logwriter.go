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
// behind it. When its queue is full, or the log cannot be written (a full disk, a reader that has gone), it drops
// lines, counts them and says so as soon as there is room.
//
// Write may be called by any goroutine, one line a call.
type logWriter struct {
	out     io.Writer
	lines   chan []byte
	pool    sync.Pool
	dropped atomic.Int64 // not yet told
	total   atomic.Uint64
	stop    chan struct{}
	stopped chan struct{}
	once    sync.Once

	// Of the goroutine that writes.
	why error // of the last write that failed; nil once it was told
	cut bool  // a part of a line was written
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
			w.confess()
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
	w.confess()
	if w.cut { // a full disk took a part of the line before
		_, err := w.out.Write([]byte("\n"))
		w.cut = err != nil
	}
	if n, err := w.out.Write(line); err != nil {
		w.cut = w.cut || n > 0
		w.why = err
		w.dropped.Add(1)
		w.total.Add(1)
	}
	if cap(line) <= 4096 {
		w.pool.Put(&line)
	}
}

// confess tells of dropped lines once the reader is there again, or the disk has room. What a log that cannot be
// written loses is counted, and nobody can be told.
func (w *logWriter) confess() {
	n := w.dropped.Load()
	if n == 0 {
		return
	}
	why := "the reader of the log is too slow"
	if w.why != nil {
		why = "the log could not be written: " + w.why.Error()
	}
	start := ""
	if w.cut {
		start = "\n"
	}
	_, err := fmt.Fprintf(w.out, "%stime=%s level=WARNING msg=\"log lines dropped, %s\" lines=%d\n",
		start, time.Now().Format("2006-01-02T15:04:05.000Z07:00"), why, n)
	if err == nil {
		w.dropped.Add(-n)
		w.why, w.cut = nil, false
	}
}
