package listener

import (
	"fmt"
	"log/slog"
	"sync"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
)

// Inlet is a socket of datagrams: each loop has one of its own at each address, and the
// kernel chooses by a hash of both ends, so that what one peer sends stays in order.
type Inlet struct {
	Listener int // the number of its listener
	FD       int
}

// Inlets are the sockets of datagrams of a program, whose descriptors they own. What
// opens and closes them is one goroutine's, before the loops run and when they have ended;
// in between All and Sender are anybody's, and Dropped always. The zero value has none.
type Inlets struct {
	all     []Inlet
	senders []int // by listener; -1 = none

	mu      sync.Mutex // for Dropped
	dropped uint64     // by those that are closed
}

// Open opens n sockets at the address of a listener, or takes the inherited one in place of
// them all. A port that is 0 is known then. What is open when it fails, Close closes.
func (s *Inlets) Open(number int, c *Config, n int) error {
	if c.Inherited != nil {
		n = 1
	}
	for range n {
		fd, err := c.BindDatagrams()
		if err != nil {
			return fmt.Errorf("%v: %w", c.Addr, err)
		}
		s.add(Inlet{Listener: number, FD: fd})
		if err := c.TakePort(fd); err != nil {
			return err
		}
	}
	return nil
}

func (s *Inlets) add(in Inlet) {
	s.mu.Lock()
	s.all = append(s.all, in)
	s.mu.Unlock()
	for len(s.senders) <= in.Listener {
		s.senders = append(s.senders, -1)
	}
	if s.senders[in.Listener] < 0 {
		s.senders[in.Listener] = in.FD
	}
}

// All returns the sockets, those of a listener beside each other.
func (s *Inlets) All() []Inlet { return s.all }

// Sender returns a descriptor to send datagrams with from a listener; -1 without any.
func (s *Inlets) Sender(number int) int {
	if number < len(s.senders) {
		return s.senders[number]
	}
	return -1
}

// Grow gives the sockets their receive buffer in bytes, if theirs is smaller: a burst that
// finds no room there is dropped by the kernel. What the system does not allow is logged.
func (s *Inlets) Grow(want int, log *slog.Logger) {
	if want <= 0 {
		return
	}
	least := want
	for _, in := range s.all {
		least = min(least, kernel.GrowReceive(in.FD, want))
	}
	if least < want {
		log.Warn("the system holds the receive buffers of UDP below maxbuffer: raise net.core.rmem_max", "bytes", least, "maxbuffer", want)
	}
}

// Dropped returns how many datagrams found no room in the receive buffers.
func (s *Inlets) Dropped() (n uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n = s.dropped
	for _, in := range s.all {
		n += kernel.Dropped(in.FD)
	}
	return n
}

// Close closes the sockets, and remembers what they have dropped.
func (s *Inlets) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, in := range s.all {
		s.dropped += kernel.Dropped(in.FD)
		unix.Close(in.FD)
	}
	s.all, s.senders = nil, nil
}
