package hep

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"time"
)

// batchBytes is how much is written at once to a stream.
const batchBytes = 64 << 10

// batch holds encoded packets until the system has taken them.
type batch struct {
	bytes []byte
	ends  []int // where each packet ends
}

func (b *batch) add(p parcel) {
	b.bytes = p.appendTo(b.bytes)
	b.ends = append(b.ends, len(b.bytes))
}

// took forgets the packets that lie wholly in the first n bytes and tells how
// many they were. Of the next one nothing counts as taken: another connection
// gets all of it.
func (b *batch) took(n int) (packets int) {
	for packets < len(b.ends) && b.ends[packets] <= n {
		packets++
	}
	if packets == 0 {
		return 0
	}
	start := b.ends[packets-1]
	b.bytes = append(b.bytes[:0], b.bytes[start:]...)
	b.ends = append(b.ends[:0], b.ends[packets:]...)
	for i := range b.ends {
		b.ends[i] -= start
	}
	return packets
}

// run is the goroutine: it connects, feeds the connection until that ends, and
// begins anew.
func (s *Sender) run() {
	defer close(s.done)
	defer s.cancel()
	for first := true; ; first = false {
		conn, began := s.connect(first)
		if conn == nil {
			break
		}
		err := s.feed(conn)
		_ = s.hold(nil)
		if err == nil || s.stopping() {
			break
		}
		s.lost(err)
		s.slow(time.Since(began))
	}
	left := len(s.batch.ends)
	for {
		select {
		case <-s.queue:
			left++
			continue
		default:
		}
		break
	}
	s.dropped.Add(uint64(left))
}

// slow chooses the pause before the next attempt: a long one for a collector
// whose connections do not hold.
func (s *Sender) slow(held time.Duration) {
	if held >= s.cfg.MaxPause {
		s.pause = 0
	}
	s.pause = min(max(2*s.pause, s.cfg.MinPause), s.cfg.MaxPause)
}

// connect dials until there is a connection. nil: Close has been called, and
// there is nothing to send or nobody to send it to.
func (s *Sender) connect(first bool) (_ net.Conn, began time.Time) {
	for ; ; first = false {
		if s.pause > 0 {
			timer := time.NewTimer(s.pause)
			select {
			case <-timer.C:
			case <-s.stop:
			}
			timer.Stop()
		}
		last := s.stopping()
		if last && len(s.batch.ends) == 0 && len(s.queue) == 0 {
			return nil, began
		}
		if !first {
			s.redials.Add(1)
		}
		began = time.Now()
		ctx, cancel := context.WithTimeout(s.ctx, s.cfg.DialTimeout)
		conn, err := s.cfg.Dial(ctx, s.network, s.cfg.Destination.Address())
		cancel()
		if err == nil {
			if err = s.hold(conn); err == nil {
				s.found()
				return conn, began
			}
			conn.Close()
		}
		s.lost(err)
		if last {
			return nil, began
		}
		s.slow(0)
	}
}

func (s *Sender) stopping() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}

// feed writes until the connection ends, which is an error, or until Close has
// been called and nothing waits.
func (s *Sender) feed(conn net.Conn) error {
	var gone chan struct{} // stays nil for UDP, which has no end
	defer func() {
		conn.Close()
		if gone != nil {
			<-gone
		}
	}()
	if s.network == "tcp" {
		gone = make(chan struct{})
		go watch(conn, gone)
	}
	for {
		if len(s.batch.ends) == 0 {
			select {
			case p := <-s.queue:
				s.pack(p)
			case <-gone:
				return io.EOF
			case <-s.stop:
				select {
				case p := <-s.queue:
					s.pack(p)
				default:
					return nil
				}
			}
		}
		s.fill()
		select {
		case <-gone:
			return io.EOF
		default:
		}
		if err := s.write(conn); err != nil {
			return err
		}
	}
}

// watch reads what a collector never sends, so that its end is noticed before
// something is written to nobody.
func watch(conn net.Conn, gone chan<- struct{}) {
	defer close(gone)
	_, _ = io.Copy(io.Discard, conn)
}

func (s *Sender) pack(p parcel) {
	s.held.Add(-int64(p.size()))
	s.batch.add(p)
}

// fill adds what waits as well. A datagram is one packet.
func (s *Sender) fill() {
	for s.network == "tcp" && len(s.batch.bytes) < batchBytes {
		select {
		case p := <-s.queue:
			s.pack(p)
		default:
			return
		}
	}
}

// write gives the batch to the system; what it does not take stays for the
// next connection.
func (s *Sender) write(conn net.Conn) error {
	_ = conn.SetWriteDeadline(time.Now().Add(s.cfg.WriteTimeout))
	n, err := conn.Write(s.batch.bytes)
	if errors.Is(err, syscall.EMSGSIZE) {
		s.batch.took(len(s.batch.bytes))
		s.dropped.Add(1)
		return nil
	}
	s.sent.Add(uint64(s.batch.took(n)))
	return err
}

// lost tells once that the collector does not take packets, found that it does
// again.
func (s *Sender) lost(err error) {
	if !s.silent {
		s.silent = true
		s.log.Warn("trace collector lost", "name", s.cfg.Destination.Name, "addr", s.cfg.Destination.Address(),
			"transport", string(s.cfg.Destination.Transport), "err", err)
	}
}

func (s *Sender) found() {
	if s.silent {
		s.silent = false
		s.log.Info("trace collector found", "name", s.cfg.Destination.Name, "addr", s.cfg.Destination.Address(),
			"dropped", s.dropped.Load())
	}
}
