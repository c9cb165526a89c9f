package reactor

import (
	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/kernel"
	"sipreactor/tlsstate"
)

// TLS describes an established TLS connection; nil when the handle's connection
// is gone, not TLS or not established. The name that a client without a
// certificate asked for is not kept. Any goroutine.
func (e *Engine) TLS(h Handle) *tlsstate.State {
	c := e.conns.Table.Get(h)
	if c == nil {
		return nil
	}
	return c.KeptTLS()
}

// Conns calls f for each connection there is; f gets a copy, good until it
// returns, and may stop by answering false. Connections that come or go
// meanwhile may be seen or not. Any goroutine but a loop; it takes each
// connection's lock for a moment.
func (e *Engine) Conns(f func(*ConnInfo) bool) {
	var info ConnInfo
	more, there := true, false
	now := e.seconds()
	e.conns.Table.Each(func(c *connection.Conn) {
		if more {
			if info, there = c.Info(now); there {
				info.AliasPorts = e.conns.Peers.AliasPorts(c)
				more = f(&info)
			}
		}
	})
}

// Unread adds up the bytes that wait in the kernel for accepted connections of
// TCP or TLS. Any goroutine but a loop; it takes each connection's lock for a
// moment.
func (e *Engine) Unread(p Proto) (bytes uint64) {
	e.conns.Table.Each(func(c *connection.Conn) {
		if c.Src.Proto == p && !c.Src.Outbound {
			c.WithFd(func(fd int) { bytes += uint64(kernel.Unread(fd)) })
		}
	})
	return bytes
}

// Conn describes one connection; false when it is gone.
func (e *Engine) Conn(h Handle) (ConnInfo, bool) {
	c := e.conns.Table.Get(h)
	if c == nil {
		return ConnInfo{}, false
	}
	return c.Info(e.seconds())
}

// Goroutines is how many of each kind work in the engine, not counting
// workers that wait.
type Goroutines struct{ Loops, Handshakers, Workers int }

// Goroutines tells what the configuration came to.
func (e *Engine) Goroutines() Goroutines {
	return Goroutines{Loops: e.cfg.Loops, Handshakers: e.cfg.Handshakers, Workers: e.cfg.Workers}
}
