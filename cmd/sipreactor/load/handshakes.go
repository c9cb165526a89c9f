package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Handshakes is a load of new connections: connect, handshake, one OPTIONS and its answer, orderly end.
type Handshakes struct {
	Peer     Peer          // with TLS
	URI      string        // Request-URI of the OPTIONS
	Resumed  bool          // resume a session instead of a full handshake
	Workers  int           // closed loop: connections at once; open loop: at most this many
	Rate     float64       // connections a second; 0: closed loop
	Duration time.Duration // connections begin for this long
	Timeout  time.Duration // a connection whose answer has not come by then is lost; 4 s if 0
	Tally    *Tally        // to watch the load under way; may be nil
}

var errNoTLS = errors.New("load: handshakes want a peer with TLS")

// Run offers the load. The latency is that of the handshake; the phase "connect" is TCP's, "request" the OPTIONS.
func (h Handshakes) Run(ctx context.Context) (Result, error) {
	if h.Peer.TLS == nil {
		return Result{}, errNoTLS
	}
	if h.Tally == nil {
		h.Tally = NewTally()
	}
	if h.Timeout <= 0 {
		h.Timeout = 4 * time.Second
	}
	h.Workers = max(h.Workers, 1)
	h.Tally.Begin()
	var err error
	if h.Rate > 0 {
		err = h.openLoop(ctx)
	} else {
		h.closedLoop(ctx)
	}
	name := "full handshakes"
	if h.Resumed {
		name = "resumed handshakes"
	}
	return h.Tally.Result(name), err
}

func (h Handshakes) closedLoop(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, h.Duration)
	defer cancel()
	var wg sync.WaitGroup
	for range h.Workers {
		wg.Go(func() {
			one := h.shaker()
			for ctx.Err() == nil {
				one(time.Now())
			}
		})
	}
	wg.Wait()
}

func (h Handshakes) openLoop(ctx context.Context) error {
	due := make(chan time.Time, 1<<16)
	var wg sync.WaitGroup
	for range h.Workers {
		wg.Go(func() {
			one := h.shaker()
			for t := range due {
				one(t)
			}
		})
	}
	err := Pace(ctx, h.Rate, h.Duration, func(t time.Time) { due <- t })
	close(due)
	wg.Wait()
	return err
}

// shaker makes the function of one worker: one connection from begin to end, counted.
func (h Handshakes) shaker() func(due time.Time) {
	cfg := h.Peer.TLS.Clone()
	if cfg.ServerName == "" {
		cfg.ServerName, _, _ = net.SplitHostPort(h.Peer.Addr)
	}
	cfg.ClientSessionCache = nil
	if h.Resumed {
		cfg.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	}
	connect, request := h.Tally.Phase("connect"), h.Tally.Phase("request")
	number, primed := 0, !h.Resumed
	return func(due time.Time) {
		if !primed { // the first one of a worker fetches the ticket and is not part of the load
			_, err := h.once(cfg, number)
			number++
			if err != nil {
				h.Tally.Started.Add(1)
				h.Tally.Fail("first handshake: " + err.Error())
				time.Sleep(10 * time.Millisecond)
				return
			}
			primed = true
		}
		h.Tally.Started.Add(1)
		began := time.Now()
		s, err := h.once(cfg, number)
		number++
		var late net.Error
		switch {
		case errors.As(err, &late) && late.Timeout():
			h.Tally.Lost.Add(1)
			return
		case err != nil:
			h.Tally.Fail(err.Error())
			return
		case s.resumed != h.Resumed:
			h.Tally.Fail(fmt.Sprintf("resumed: %v", s.resumed))
			return
		}
		h.Tally.Latency.Record(s.established.Sub(s.connected) + began.Sub(due))
		connect.Record(s.connected.Sub(began))
		request.Record(s.answered.Sub(s.established))
		h.Tally.Done.Add(1)
	}
}

type shake struct {
	connected, established, answered time.Time
	resumed                          bool
}

func (h Handshakes) once(cfg *tls.Config, number int) (s shake, err error) {
	deadline := time.Now().Add(h.Timeout)
	raw, err := net.DialTimeout("tcp", h.Peer.Addr, h.Timeout)
	if err != nil {
		return s, err
	}
	defer raw.Close()
	s.connected = time.Now()
	if err := raw.SetDeadline(deadline); err != nil {
		return s, err
	}
	conn := tls.Client(raw, cfg)
	if err := conn.Handshake(); err != nil {
		return s, err
	}
	s.established = time.Now()
	s.resumed = conn.ConnectionState().DidResume
	if err := ask(conn, h.URI, number); err != nil {
		return s, err
	}
	s.answered = time.Now()
	return s, conn.Close()
}

// ask sends one OPTIONS and waits for its final response.
func ask(conn net.Conn, uri string, number int) error {
	local := conn.LocalAddr().String()
	a := &agent{fleet: &fleet{run: "h" + local}, local: local, transport: "TLS"}
	if _, ok := conn.(*tls.Conn); !ok {
		a.transport = "TCP"
	}
	u := &unit{seq: uint64(number)}
	if _, err := conn.Write(body(a.request(nil, u, "OPTIONS", uri, "<"+uri+">", "o", 1), "", nil)); err != nil {
		return err
	}
	r := NewReader(conn)
	var m Message
	for {
		if err := r.Next(&m); err != nil {
			return err
		}
		if m.Status >= 300 {
			return fmt.Errorf("OPTIONS answered %d", m.Status)
		}
		if m.Status >= 200 {
			return nil
		}
	}
}
