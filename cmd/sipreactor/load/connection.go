package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Peer says how the system under test is reached.
type Peer struct {
	Addr string      // host:port
	TLS  *tls.Config // nil: plain TCP

	AtOnce int // so many connections of a load are opened at the same time, 1 if 0
}

// Transport is the word for Via and the transport parameter: "TLS" or "TCP".
func (p Peer) Transport() string {
	if p.TLS != nil {
		return "TLS"
	}
	return "TCP"
}

// Dial connects, with the handshake done.
func (p Peer) Dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	raw, err := d.DialContext(ctx, "tcp", p.Addr)
	if err != nil || p.TLS == nil {
		return raw, err
	}
	cfg := p.TLS
	if cfg.ServerName == "" && !cfg.InsecureSkipVerify {
		cfg = cfg.Clone()
		cfg.ServerName, _, _ = net.SplitHostPort(p.Addr)
	}
	conn := tls.Client(raw, cfg)
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, err
	}
	return conn, nil
}

// dialAll opens connections, or none after an error.
func dialAll(ctx context.Context, peer Peer, connections int) ([]net.Conn, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	conns := make([]net.Conn, connections)
	var next atomic.Int64
	var dialling sync.WaitGroup
	for range max(peer.AtOnce, 1) {
		dialling.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= connections {
					return
				}
				c, err := peer.Dial(ctx)
				if err != nil {
					cancel(fmt.Errorf("load: connection %d: %w", i, err))
					return
				}
				conns[i] = c
			}
		})
	}
	dialling.Wait()
	err := context.Cause(ctx)
	if err != nil {
		for _, c := range conns {
			if c != nil {
				c.Close()
			}
		}
		return nil, err
	}
	return conns, nil
}

// Conn is one SIP connection: a goroutine of its caller's reads it (Serve), one of its own writes what any
// goroutine has queued, all of it at once.
type Conn struct {
	net.Conn

	mu    sync.Mutex
	out   []byte
	wake  chan struct{}
	ended chan struct{}
	once  sync.Once
	done  sync.WaitGroup
}

// NewConn starts the writer of a connection. Close ends it.
func NewConn(c net.Conn) *Conn {
	conn := &Conn{Conn: c, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	conn.done.Add(1)
	go conn.write()
	return conn
}

// Queue gives the outgoing bytes to f, which appends a message to them. Nothing is written before Flush.
func (c *Conn) Queue(f func(out []byte) []byte) {
	c.mu.Lock()
	c.out = f(c.out)
	c.mu.Unlock()
}

// Flush has the writer write what is queued. It does not wait.
func (c *Conn) Flush() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Serve reads messages until the connection ends; answers that handle queues are flushed when what came in one
// read has been handled. A message is valid within handle only. The error is nil after an orderly end by the peer
// or by Close.
func (c *Conn) Serve(handle func(*Message)) error {
	r := NewReader(c.Conn)
	r.BeforeRead = c.Flush
	var m Message
	for {
		if err := r.Next(&m); err != nil {
			select {
			case <-c.ended:
				return nil
			default:
			}
			if orderly(err) {
				return nil
			}
			return err
		}
		handle(&m)
	}
}

// Close ends the connection, with close_notify over TLS, and its writer.
func (c *Conn) Close() error {
	var err error
	c.once.Do(func() {
		close(c.ended)
		// The writer may be in a Write that nobody reads.
		_ = c.SetWriteDeadline(time.Now().Add(time.Second))
		err = c.Conn.Close()
		c.done.Wait()
	})
	return err
}

func (c *Conn) write() {
	defer c.done.Done()
	var writing []byte
	for {
		select {
		case <-c.wake:
		case <-c.ended:
			return
		}
		c.mu.Lock()
		writing, c.out = c.out, writing[:0]
		c.mu.Unlock()
		if len(writing) == 0 {
			continue
		}
		if _, err := c.Conn.Write(writing); err != nil {
			// The reader learns of it by its own error; this one only has to get out of the way.
			c.Conn.Close()
			return
		}
	}
}

func orderly(err error) bool {
	return errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF)
}
