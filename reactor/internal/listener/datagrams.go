package listener

import (
	"net/netip"

	"sipreactor/reactor/internal/kernel"
)

// Datagrams are what waits at a socket: it is read batch by batch. It is made once and used
// for one socket after the other, by one goroutine.
type Datagrams struct {
	// Listener is the listener that they came to.
	Listener int

	fd          int
	batch       *kernel.Batch
	left        int
	quote       []byte // for what ICMP quotes
	undelivered Undelivered
}

// Undelivered is told of a datagram that was sent from a listener and could not be delivered: to
// whom, why, and as much of its beginning as the network has quoted, valid until it returns.
// Anybody may have made that up.
type Undelivered func(number int, to netip.AddrPort, why error, quote []byte)

// mostBatches is how many batches are read before other sockets have their turn.
const mostBatches = 4

// Begin takes a socket that has something to tell.
func (d *Datagrams) Begin(s *Inlet, lost Undelivered) {
	if d.batch == nil {
		d.batch = kernel.NewBatch()
	}
	d.Listener, d.fd, d.left, d.undelivered = s.Listener, s.FD, mostBatches, lost
}

// Next reads the next batch, and reports whether there is one.
func (d *Datagrams) Next() bool {
	first := d.left == mostBatches
	if d.left == 0 || !first && d.batch.Len() < kernel.BatchSize {
		return false
	}
	d.left--
	if d.batch.Receive(d.fd) == nil {
		return true
	}
	if first { // the kernel has something else to tell
		d.errors()
	}
	return false
}

// Len returns how many datagrams the batch has.
func (d *Datagrams) Len() int { return d.batch.Len() }

// At returns the i-th, valid until Next, and who sent it.
func (d *Datagrams) At(i int) (from netip.AddrPort, data []byte) { return d.batch.At(i) }

// mostErrors is how many errors are read before other sockets have their turn.
const mostErrors = 64

// errors hands on what became of datagrams that were sent.
func (d *Datagrams) errors() {
	if d.quote == nil {
		d.quote = make([]byte, kernel.MaxDatagram)
	}
	for range mostErrors {
		to, why, quote := kernel.ReadError(d.fd, d.quote)
		if why == 0 {
			return
		}
		if to.IsValid() {
			d.undelivered(d.Listener, to, why, quote)
		}
	}
}
