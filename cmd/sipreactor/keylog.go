package main

import (
	"cmp"
	"log/slog"
	"os"

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
	cfg.TLS.KeyLog = f
	log.Warn("the secrets of TLS connections are written: who has this file reads their traffic", "file", path)
	return func() { f.Close() }, nil
}
