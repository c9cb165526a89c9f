package tlsstate

import (
	"io"
	"net/netip"
	"os"
)

// keyLog is where secrets go, and of which peers.
type keyLog struct {
	to     io.Writer
	filter func(netip.AddrPort) bool
}

// Write passes a line on. What becomes of it is not the connection's business:
// a handshake shall not fail because a disk is full.
func (k *keyLog) Write(line []byte) (int, error) {
	_, _ = k.to.Write(line)
	return len(line), nil
}

// keyLogFor gives the writer for a peer's secrets; nil for none.
func (s *Set) keyLogFor(peer netip.AddrPort) io.Writer {
	if s.keyLog == nil || s.keyLog.filter != nil && !s.keyLog.filter(peer) {
		return nil
	}
	return s.keyLog
}

// OpenKeyLog opens a file for Config.KeyLog: made with mode 0600 if it is new,
// appended to otherwise. The caller closes it when no set writes to it any more.
func OpenKeyLog(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
}
