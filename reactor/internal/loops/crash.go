package loops

import (
	"net/netip"
	"runtime/debug"
)

// A panic on an event loop. Whatever a loop does, it does for one connection, or for one
// datagram: it reads, frames and seals what the one peer has sent or is to get. A panic of
// that (a codec, a framer, an Observer, a Sharder) ends that connection as EngineFailed, or
// that datagram, with one line that has the stack, and the loop goes on: what came whole
// before is handed on, and what waited for the connection is given back, as at any end.
//
// What does not belong to one of them is the loop's schedule and the lead of a shard that it
// has borrowed. They are not rescued, on purpose: connections that were posted, or all
// messages of the shard, would be left for ever without a word, and whoever supervises the
// process could not see it. That ends the process, with the stack.

// guardDatagram is deferred around what a loop does for a datagram of a peer.
func (l *Loop) guardDatagram(from netip.AddrPort) {
	if p := recover(); p != nil {
		l.Crashed(p, from)
		l.Stat.Dropped.Add(1)
	}
}

// guardDatagrams is deferred around what a loop does with the datagrams of a read.
func (l *Loop) guardDatagrams() {
	if p := recover(); p != nil {
		l.Crashed(p, netip.AddrPort{})
		l.Salvage()
	}
}

// Crashed tells of a panic, unless it ends the process.
func (l *Loop) Crashed(p any, peer netip.AddrPort) {
	if l.lent {
		panic(p)
	}
	l.common.Conns.Panicked("an event loop has panicked", p, debug.Stack(), "peer", peer.String())
}

// Salvage hands the frames of the read under way to their shards, or drops them if it was
// that which failed.
func (l *Loop) Salvage() {
	defer func() {
		if p := recover(); p != nil {
			l.Crashed(p, netip.AddrPort{})
		}
		for i, b := range l.frames {
			l.Stat.Dropped.Add(uint64(len(b)))
			clear(b) // their buffers are the garbage collector's
			l.frames[i] = b[:0]
		}
		l.handing = false
	}()
	if !l.handing {
		l.hand()
	}
}
