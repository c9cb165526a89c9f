package load

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
)

// Shim is a relay of streams between plain TCP and TLS, for software at either end that speaks only one of them.
type Shim struct {
	ln   net.Listener
	dial func() (net.Conn, error)

	mu    sync.Mutex
	conns map[net.Conn]struct{}
	shut  bool
	done  sync.WaitGroup
}

// Wrap listens on plain TCP and relays to a peer by TLS.
func Wrap(listen, to string, cfg *tls.Config) (*Shim, error) {
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, err
	}
	return newShim(ln, func() (net.Conn, error) { return tls.Dial("tcp", to, cfg) }), nil
}

// Unwrap listens with TLS and relays to a peer by plain TCP.
func Unwrap(listen, to string, cfg *tls.Config) (*Shim, error) {
	ln, err := tls.Listen("tcp", listen, cfg)
	if err != nil {
		return nil, err
	}
	return newShim(ln, func() (net.Conn, error) { return net.Dial("tcp", to) }), nil
}

func newShim(ln net.Listener, dial func() (net.Conn, error)) *Shim {
	s := &Shim{ln: ln, dial: dial, conns: map[net.Conn]struct{}{}}
	s.done.Go(s.accept)
	return s
}

// Addr is the address it listens on.
func (s *Shim) Addr() string { return s.ln.Addr().String() }

// Close ends every relay and the listener.
func (s *Shim) Close() {
	s.ln.Close()
	s.mu.Lock()
	s.shut = true
	for c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	s.done.Wait()
}

func (s *Shim) accept() {
	for {
		c, err := s.ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			s.done.Go(func() { s.relay(c) })
		}
	}
}

// relay copies both ways until one side ends, then ends the other.
func (s *Shim) relay(near net.Conn) {
	if !s.keep(near) {
		return
	}
	defer s.drop(near)
	far, err := s.dial()
	if err != nil || !s.keep(far) {
		return
	}
	defer s.drop(far)
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(near, far) // however it ends, it ends
		near.Close()
	})
	_, _ = io.Copy(far, near)
	far.Close()
	back.Wait()
}

// keep registers a connection for Close; after that it closes the connection and says false.
func (s *Shim) keep(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut {
		c.Close()
		return false
	}
	s.conns[c] = struct{}{}
	return true
}

func (s *Shim) drop(c net.Conn) {
	c.Close()
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
}
