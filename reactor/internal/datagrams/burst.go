package datagrams

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
)

// Owner is who sends a Burst: a loop.
type Owner[S comparable] interface {
	// Descriptor returns that of a socket.
	Descriptor(socket S) int
	// Lost gets a datagram that could not be sent; text is borrowed.
	Lost(socket S, text []byte, to netip.AddrPort, note any, why unix.Errno)
}

// Burst is the datagrams that are sent while it is open: they leave together
// (sendmmsg), before anybody else has the shard, so that nothing overtakes them. A
// message costs a tenth less than with one call each, under load. The zero value is
// closed.
type Burst[S comparable] struct {
	out    kernel.Outgoing
	socket S // of all that is there
	notes  [kernel.BatchSize]any
	open   bool
}

// Open begins to gather.
func (b *Burst[S]) Open() { b.open = true }

// IsOpen reports whether datagrams are gathered.
func (b *Burst[S]) IsOpen() bool { return b.open }

// Close sends what was gathered.
func (b *Burst[S]) Close(o Owner[S]) {
	b.open = false
	b.send(o)
}

// Add takes a datagram to be sent. What is there leaves first when it has no room, or
// is another socket's.
func (b *Burst[S]) Add(o Owner[S], socket S, text []byte, to netip.AddrPort, note any) {
	if b.socket != socket || b.out.Full() {
		b.send(o)
		b.socket = socket
	}
	b.notes[b.out.Len()] = note
	b.out.Add(text, to)
}

func (b *Burst[S]) send(o Owner[S]) {
	n := b.out.Len()
	if n == 0 {
		return
	}
	if b.out.Send(o.Descriptor(b.socket)) > 0 {
		for i := range n {
			if text, to, why := b.out.At(i); why != 0 {
				o.Lost(b.socket, text, to, b.notes[i], why)
			}
		}
	}
	clear(b.notes[:n])
	b.out.Reset()
}
