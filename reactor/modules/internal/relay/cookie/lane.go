package cookie

import (
	"context"
	"net"

	"sipreactor/reactor/rescue"
)

// Line is a socket that is connected to a relay. Any goroutine.
type Line interface {
	// Send sends a datagram, and does not block.
	Send(datagram []byte) error
	Close()
}

// Dial opens the Line of a lane, which is the number of the event loop that reads it, or -1
// for what is asked on none. It may block, no longer than ctx. got is given each datagram, borrowed until it
// returns, and ended, once, why there will be no more.
type Dial func(ctx context.Context, lane int, network, addr string, got func(datagram []byte), ended func(error)) (Line, error)

// lane is the way that the requests of one event loop take, so that their answers come back
// to it. The Client's mutex guards it.
type lane struct {
	number int
	line   Line // nil: it is being opened
}

// lane gives the one of a number. The caller holds mu.
func (c *Client) lane(number int) *lane {
	for len(c.lanes) < number+2 {
		c.lanes = append(c.lanes, nil)
	}
	l := c.lanes[number+1]
	if l == nil {
		l = &lane{number: number}
		c.lanes[number+1] = l
		rescue.Go(nil, "a socket to a relay", func() { c.open(l) })
	}
	return l
}

// open opens the socket of a lane, and sends what waits for that.
func (c *Client) open(l *lane) {
	ctx, cancel := context.WithTimeout(context.Background(), c.cfg.Timeout)
	defer cancel()
	line, err := c.cfg.Dial(ctx, l.number, c.cfg.Network, c.cfg.Addr, c.got, func(err error) { c.fail(l, err) })
	if err != nil {
		c.fail(l, err)
		return
	}
	var wait []*asked
	c.mu.Lock()
	used := c.has(l)
	if used {
		l.line = line
		for a := c.due.first; a != nil; a = a.next {
			if a.lane == l {
				a.begin()
				wait = append(wait, a)
			}
		}
	}
	c.mu.Unlock()
	if !used {
		line.Close()
	}
	for _, a := range wait {
		c.send(a, line)
	}
}

// has reports whether a lane is in use. The caller holds mu.
func (c *Client) has(l *lane) bool {
	i := l.number + 1
	return i < len(c.lanes) && c.lanes[i] == l
}

// fail ends a lane, and the requests that wait by it; the next one opens another.
func (c *Client) fail(l *lane, err error) {
	if err == nil {
		err = net.ErrClosed
	}
	var ends []Asker
	c.mu.Lock()
	if c.has(l) {
		c.lanes[l.number+1] = nil
	}
	for a := c.due.first; a != nil; {
		next := a.next
		if a.lane == l {
			ends = append(ends, c.end(a))
		}
		a = next
	}
	line := l.line
	l.line = nil
	c.mu.Unlock()
	if line != nil {
		line.Close()
	}
	for _, to := range ends {
		to.Answered(nil, err)
	}
}

// socket is a Line that a goroutine reads.
type socket struct{ net.Conn }

// Send is Line's.
func (s socket) Send(datagram []byte) error {
	_, err := s.Write(datagram)
	return err
}

// Close is Line's.
func (s socket) Close() { _ = s.Conn.Close() }

// DialUDP opens a Line that a goroutine reads, whatever the lane.
func DialUDP(ctx context.Context, _ int, network, addr string, got func([]byte), ended func(error)) (Line, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	go func() {
		buf := make([]byte, 1<<16)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				_ = conn.Close()
				ended(err)
				return
			}
			_ = rescue.Run(nil, "the answer of a relay", func() { got(buf[:n]) })
		}
	}()
	return socket{conn}, nil
}
