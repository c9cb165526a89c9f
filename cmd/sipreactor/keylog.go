package main

import (
	"bytes"
	"cmp"
	"errors"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor/rescue"
	"sipreactor/reactor/script"
	"sipreactor/tlsstate"
)

// keyLogPath is where the secrets of connections go, "" nowhere.
func keyLogPath(cfg *script.Config) string {
	return cmp.Or(cfg.TLSFiles.KeyLog, os.Getenv("SSLKEYLOGFILE"))
}

// openKeyLog opens the file that ssl_keylog_file or SSLKEYLOGFILE names for the secrets of connections, and warns
// of it. The result closes it; without a file it does nothing.
func openKeyLog(cfg *script.Config, log *slog.Logger) (closeFile func(), err error) {
	path := keyLogPath(cfg)
	if path == "" {
		return func() {}, nil
	}
	f, err := tlsstate.OpenKeyLog(path)
	if err != nil {
		return nil, placed(cfg.Place("tls_mgm/ssl_keylog_file"), "tls_mgm", err)
	}
	k := newKeyLogFile(f, log)
	cfg.TLS.KeyLog = k
	log.Warn("the secrets of TLS connections are written: who has this file reads their traffic", "file", path)
	return k.Close, nil
}

// keyLogQueue is how many lines wait for a file that is slow: a disk that stalls, a FIFO whose reader has stopped.
const keyLogQueue = 4096

// keyLogFile is the file of the secrets. A goroutine of its own writes it, so that no handshake waits for a disk or for
// the reader of a FIFO. Lines that find no room, or cannot be written, for a full disk mostly, are counted; that is told
// once, and no connection suffers from it.
type keyLogFile struct {
	f       *os.File
	log     *slog.Logger
	lines   chan []byte
	stop    chan struct{}
	stopped chan struct{}
	once    sync.Once
	lost    atomic.Int64 // lines since the file could last be written
}

func newKeyLogFile(f *os.File, log *slog.Logger) *keyLogFile {
	k := &keyLogFile{f: f, log: log, lines: make(chan []byte, keyLogQueue), stop: make(chan struct{}), stopped: make(chan struct{})}
	go func() { _ = rescue.Run(log, "the key log", k.run) }()
	return k
}

// Write queues a copy of a line. It never waits and never fails. Any goroutine.
func (k *keyLogFile) Write(line []byte) (int, error) {
	select {
	case k.lines <- bytes.Clone(line):
	default:
		k.miss(errSlow)
	}
	return len(line), nil
}

var errSlow = errors.New("whoever reads it is too slow")

// miss counts a line that is not in the file, and tells of the first. Any goroutine.
func (k *keyLogFile) miss(cause error) {
	if k.lost.Add(1) == 1 {
		k.log.Error("the key log cannot be written: the secrets of connections are missing in it", "file", k.f.Name(), "error", cause)
	}
}

func (k *keyLogFile) run() {
	defer close(k.stopped)
	for {
		select {
		case line := <-k.lines:
			k.write(line)
		case <-k.stop:
			for {
				select {
				case line := <-k.lines:
					k.write(line)
				default:
					return
				}
			}
		}
	}
}

func (k *keyLogFile) write(line []byte) {
	if _, err := k.f.Write(line); err != nil {
		k.miss(err)
		return
	}
	if lost := k.lost.Swap(0); lost > 0 {
		k.log.Warn("the key log is written again", "file", k.f.Name(), "lines_missing", lost)
	}
}

// keyLogEnd is how long the end of the program waits for the lines that are queued.
const keyLogEnd = time.Second

// Close writes what is queued, for a moment, and closes the file.
func (k *keyLogFile) Close() {
	k.once.Do(func() { close(k.stop) })
	select {
	case <-k.stopped:
	case <-time.After(keyLogEnd):
	}
	_ = k.f.Close()
}
