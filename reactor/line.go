package reactor

import (
	"errors"
	"net"
	"runtime/debug"

	"sipreactor/reactor/internal/loops"
	"sipreactor/reactor/internal/poller"
)

// Line is a connected socket of datagrams that are no SIP: what a Handler asks others by, in
// their own protocols. A loop reads it, so that an answer meets the message that waits for it
// (Worker.Await) where that is carried on. Its methods may be called from any goroutine.
type Line = poller.Line

// errNoLoop is why a line cannot be opened.
var errNoLoop = errors.New("reactor: there is no such event loop")

// OpenLine has the loop of a number (Worker.Await) read conn, which is the engine's from here on, whatever
// becomes of it. got is given each datagram, valid until it returns; ended, once, why there
// will be no more: nil behind Line.Close, and at the end of the engine. Both run on the loop
// and must not block. OpenLine blocks, for a short time: it is for no loop.
func (e *Engine) OpenLine(index int, conn *net.UDPConn, got func(datagram []byte), ended func(error)) (*Line, error) {
	var on *poller.Loop
	e.loops.Each(func(l *loops.Loop) {
		if l.Index == index {
			on = l.Poll
		}
	})
	if on == nil {
		_ = conn.Close()
		return nil, errNoLoop
	}
	peer := conn.RemoteAddr()
	return on.OpenLine(conn, func(b []byte) {
		defer e.guardLine(peer)
		got(b)
	}, func(err error) {
		defer e.guardLine(peer)
		ended(err)
	})
}

// guardLine is deferred around what a loop calls of a line's: a panic over a datagram ends
// nothing.
func (e *Engine) guardLine(peer net.Addr) {
	if p := recover(); p != nil {
		e.conns.Panicked("who has a line has panicked", p, debug.Stack(), "peer", peer.String())
	}
}
