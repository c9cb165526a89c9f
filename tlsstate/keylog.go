package tlsstate

import (
	"io"
	"net/netip"
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

// keyLogFor gives the writer for the secrets of a machine; nil for none.
func (s *Set) keyLogFor(m *machine, peer netip.AddrPort) io.Writer {
	wanted := s.keyLog != nil && (s.keyLog.filter == nil || s.keyLog.filter(peer))
	switch {
	case s.secrets != nil && s.secrets():
		k := &keeper{m: m}
		if wanted {
			k.log = s.keyLog
		}
		return k
	case wanted:
		return s.keyLog
	default:
		return nil
	}
}

// keeper keeps a machine's secrets with it, and passes them on.
type keeper struct {
	m   *machine
	log *keyLog // nil: nowhere
}

// Write keeps a line. Whoever runs the handshake calls it.
func (k *keeper) Write(line []byte) (int, error) {
	k.m.secrets = append(k.m.secrets, line...)
	if k.log != nil {
		return k.log.Write(line)
	}
	return len(line), nil
}
