package hep

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor/rescue"
)

// SenderConfig is how packets go to one collector. Zero values of bounds and
// times stand for the defaults named here.
type SenderConfig struct {
	Destination Destination
	// Queue bounds the packets that wait (4096), QueueBytes their memory in
	// bytes, roughly (16 MiB).
	Queue, QueueBytes int
	// Dial connects; a host name is resolved by it, each time anew. Network is
	// "udp" or "tcp"; for a TLS destination it has to speak TLS over "tcp", as
	// the DialContext of a tls.Dialer does. nil stands for a net.Dialer, which
	// will not do for TLS.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// DialTimeout bounds one attempt to connect (5 s), WriteTimeout the time in
	// which a collector has to take up to 64 KiB (5 s): it is dialled anew
	// after that.
	DialTimeout, WriteTimeout time.Duration
	// MinPause is how long it takes to dial anew (100 ms). It doubles up to
	// MaxPause (10 s) as long as no connection holds for MaxPause.
	MinPause, MaxPause time.Duration
	// Drain is how long Close lets the queue empty itself (1 s).
	Drain time.Duration
	// Logger hears when the collector is lost and found. nil discards.
	Logger *slog.Logger
}

// Sender sends packets to one collector. Nobody who has a packet for it ever
// waits: it goes into a bounded queue, or is dropped and counted. One goroutine
// encodes and writes; a second one, per connection, only notices its end.
type Sender struct {
	cfg     SenderConfig
	network string
	log     *slog.Logger

	queue chan parcel
	held  atomic.Int64 // bytes that the queue holds
	stop  chan struct{}
	done  chan struct{}
	// ctx ends when the time to drain is over.
	ctx    context.Context
	cancel context.CancelFunc

	mu     sync.Mutex
	closed bool
	conn   net.Conn

	sent, dropped, redials atomic.Uint64

	// Of the goroutine alone.
	batch  batch
	pause  time.Duration
	silent bool // the loss of the collector is in the log
}

// parcel is a packet that is not encoded yet.
type parcel interface {
	size() int // bytes of memory it holds, roughly
	appendTo(dst []byte) []byte
}

// NewSender checks the configuration, and begins to dial in the background.
// Whoever gets a Sender closes it.
func NewSender(cfg SenderConfig) (*Sender, error) {
	s := &Sender{cfg: cfg, network: "tcp", log: cfg.Logger, stop: make(chan struct{}), done: make(chan struct{})}
	switch t := cfg.Destination.Transport; {
	case t == UDP:
		s.network = "udp"
	case t != TCP && t != TLS:
		return nil, fmt.Errorf("hep: destination %q: no transport %q", cfg.Destination.Name, t)
	case t == TLS && cfg.Dial == nil:
		return nil, fmt.Errorf("hep: destination %q: nothing to dial TLS with", cfg.Destination.Name)
	}
	if cfg.Dial == nil {
		s.cfg.Dial = new(net.Dialer).DialContext
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	orInt(&s.cfg.Queue, 4096)
	orInt(&s.cfg.QueueBytes, 16<<20)
	orTime(&s.cfg.DialTimeout, 5*time.Second)
	orTime(&s.cfg.WriteTimeout, 5*time.Second)
	orTime(&s.cfg.MinPause, 100*time.Millisecond)
	orTime(&s.cfg.MaxPause, 10*time.Second)
	orTime(&s.cfg.Drain, time.Second)
	s.queue = make(chan parcel, s.cfg.Queue)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	go func() { _ = rescue.Run(s.log, "hep: a sender", s.run) }()
	return s, nil
}

func orInt(v *int, otherwise int) {
	if *v <= 0 {
		*v = otherwise
	}
}

func orTime(v *time.Duration, otherwise time.Duration) {
	if *v <= 0 {
		*v = otherwise
	}
}

// Destination tells where the packets go.
func (s *Sender) Destination() Destination { return s.cfg.Destination }

// SenderStats counts packets since the start.
type SenderStats struct {
	// Sent packets are with the system: neither UDP nor TCP tells whether the
	// collector has read them.
	Sent uint64
	// Dropped packets found the queue full, could not be sent as they are, or
	// were left over at the end.
	Dropped uint64
	// Redials are the attempts to connect after the first one.
	Redials uint64
	// Queued packets wait now.
	Queued int
}

// Stats reads the counters. Any goroutine.
func (s *Sender) Stats() SenderStats {
	return SenderStats{Sent: s.sent.Load(), Dropped: s.dropped.Load(), Redials: s.redials.Load(), Queued: len(s.queue)}
}

// full tells whether there is no use in making a parcel; it counts that as a
// loss. Any goroutine.
func (s *Sender) full() bool {
	if len(s.queue) < cap(s.queue) && s.held.Load() < int64(s.cfg.QueueBytes) {
		return false
	}
	s.dropped.Add(1)
	return true
}

// put queues a parcel, or drops it and answers false. Any goroutine; it does
// not wait.
func (s *Sender) put(p parcel) bool {
	if s.enqueue(p) {
		return true
	}
	s.dropped.Add(1)
	return false
}

func (s *Sender) enqueue(p parcel) bool {
	size := int64(p.size())
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.held.Load()+size > int64(s.cfg.QueueBytes) {
		return false
	}
	select {
	case s.queue <- p:
		s.held.Add(size)
		return true
	default:
		return false
	}
}

// Close sends what waits, for Drain at most, and ends the connection; over TLS
// its goodbye may take longer. What is left then, and what still comes, is
// dropped and counted. Any goroutine, more than once.
func (s *Sender) Close() {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	s.mu.Unlock()
	if first {
		close(s.stop)
		cut := time.AfterFunc(s.cfg.Drain, func() {
			s.cancel()
			s.mu.Lock()
			conn := s.conn
			s.mu.Unlock()
			if conn != nil {
				conn.Close() // not under the lock: TLS may have to wait
			}
		})
		defer cut.Stop()
	}
	<-s.done
}

// errCut ends a connection that came up when the time to drain was over.
var errCut = errors.New("hep: closed")

// hold notes the connection that Close may have to cut.
func (s *Sender) hold(c net.Conn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c != nil && s.ctx.Err() != nil {
		return errCut
	}
	s.conn = c
	return nil
}
