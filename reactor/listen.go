package reactor

import (
	"errors"
	"fmt"
	"net/netip"
	"os"

	"sipreactor/reactor/internal/listener"
)

// listeners returns the sockets as the poller is told them.
func (c *Config) listeners() []listener.Config {
	list := make([]listener.Config, len(c.Sockets))
	for i := range c.Sockets {
		list[i] = c.Sockets[i].listener()
	}
	return list
}

// Named returns the sockets that a configuration asks for, before they are opened, for who
// looks for one by its name.
func Named(sockets []SocketConfig) []*Socket {
	list := make([]*Socket, len(sockets))
	for i := range sockets {
		list[i] = sockets[i].socket()
	}
	return list
}

func (s *SocketConfig) socket() *Socket {
	return &Socket{Proto: s.Proto, Addr: s.Addr, Advertised: s.Advertised, AdvertisedPort: s.AdvertisedPort, Tag: s.Tag, Host: s.Host}
}

func (s *SocketConfig) listener() listener.Config {
	l := listener.Config{Addr: s.Addr, Datagrams: s.Proto == UDP}
	if s.Inherited != nil {
		l.Inherited = s.Inherited.File
	}
	return l
}

// alone tells why the sockets cannot be opened. Where they share their ports, the
// kernel would let two of ours in, or another engine of the same user beside ours,
// and each would get a part of the traffic.
func (c *Config) alone() error {
	for i, s := range c.Sockets {
		if s.Inherited != nil || s.Addr.Port() == 0 {
			continue
		}
		for _, other := range c.Sockets[:i] {
			if other.Addr == s.Addr && other.Proto.Stream() == s.Proto.Stream() {
				return &ListenError{s.Proto, s.Addr, fmt.Errorf("%v listens there", other.Proto)}
			}
		}
	}
	return c.unbindable()
}

// ListenError tells why a socket cannot be listened on. Engine.Start joins those of
// all sockets.
type ListenError struct {
	Proto Proto
	Addr  netip.AddrPort
	Err   error
}

// Error returns "proto:address: cause".
func (e *ListenError) Error() string { return fmt.Sprintf("%v:%v: %v", e.Proto, e.Addr, e.Err) }

// Unwrap returns the cause.
func (e *ListenError) Unwrap() error { return e.Err }

// unbindable joins a *ListenError for each socket that cannot be bound; nil when all
// can. gnet's own error does not say which socket it is.
func (c *Config) unbindable() error {
	var all []error
	for i := range c.Sockets {
		s := &c.Sockets[i]
		if s.Inherited != nil {
			continue
		}
		l := s.listener()
		if err := l.Bindable(); err != nil {
			all = append(all, &ListenError{s.Proto, s.Addr, err})
		}
	}
	return errors.Join(all...)
}

// Inherited is a bound socket that another program opened for us, such as systemd: File,
// Stream (it listens for connections; else it takes datagrams), Addr, and Serves(proto,
// addr), whether it is one of those. It stays its owner's: the file may be closed once
// Engine.Start has returned.
type Inherited = listener.Inherited

// Inherit looks at a descriptor. One that is no listening TCP socket and no
// bound UDP socket is an error.
func Inherit(f *os.File) (*Inherited, error) { return listener.Inherit(f) }
