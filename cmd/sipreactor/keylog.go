package main

import (
	"cmp"
	"log/slog"
	"os"
	"sync/atomic"

	"sipreactor/reactor/script"
	"sipreactor/tlsstate"
)

// openKeyLog opens the file that ssl_keylog_file or SSLKEYLOGFILE names for the secrets of connections, and warns
// of it. The result closes it; without a file it does nothing.
func openKeyLog(cfg *script.Config, log *slog.Logger) (closeFile func(), err error) {
	path := cmp.Or(cfg.TLSFiles.KeyLog, os.Getenv("SSLKEYLOGFILE"))
	if path == "" {
		return func() {}, nil
	}
	f, err := tlsstate.OpenKeyLog(path)
	if err != nil {
		return nil, err
	}
	cfg.TLS.KeyLog = &keyLogFile{f: f, log: log}
	log.Warn("the secrets of TLS connections are written: who has this file reads their traffic", "file", path)
	return func() { f.Close() }, nil
}

// keyLogFile is the file of the secrets. That it cannot be written, for a full disk mostly, is told once, and no
// connection suffers from it. Any goroutine.
type keyLogFile struct {
	f    *os.File
	log  *slog.Logger
	lost atomic.Int64 // lines since the file could last be written
}

func (k *keyLogFile) Write(line []byte) (int, error) {
	n, err := k.f.Write(line)
	if err != nil {
		if k.lost.Add(1) == 1 {
			k.log.Error("the key log cannot be written: the secrets of connections are missing in it", "file", k.f.Name(), "error", err)
		}
		return n, err
	}
	if k.lost.Load() > 0 {
		if lost := k.lost.Swap(0); lost > 0 {
			k.log.Warn("the key log is written again", "file", k.f.Name(), "lines_missing", lost)
		}
	}
	return n, nil
}
