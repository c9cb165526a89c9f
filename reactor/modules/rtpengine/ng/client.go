package ng

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"crypto/rand"
)

// Errors of a Client; others are those of its socket.
var (
	ErrSilent = errors.New("ng: no answer")
	ErrBusy   = errors.New("ng: too many requests wait for an answer")
	ErrClosed = errors.New("ng: the client is closed")
	ErrLarge  = errors.New("ng: the request is too large for a datagram")
)

const (
	// maxPending bounds the requests of a Client that wait.
	maxPending = 8192
	// maxDatagram is the size, in bytes, of the largest datagram over IPv4.
	maxDatagram = 65507
)

// Client speaks to one rtpengine.
type Client struct {
	addr    string
	timeout time.Duration
	sends   int
	prefix  string
	count   atomic.Uint64

	mu      sync.Mutex
	conn    net.Conn
	closed  bool
	pending map[string]chan answer
}

// answer is what a request gets: a dictionary, or why there is none.
type answer struct {
	dict Dict
	err  error
}

// NewClient makes a client for host:port. A request is sent up to 1+retries times, each
// time with timeout for the answer. Nothing is resolved or opened yet.
func NewClient(addr string, timeout time.Duration, retries int) *Client {
	return &Client{
		addr: addr, timeout: timeout, sends: 1 + retries, prefix: rand.Text()[:12] + "_",
		pending: make(map[string]chan answer),
	}
}

// Do sends a request and returns the answer. It blocks, no longer than 1+retries times the
// timeout, name resolution included, and ctx. A peer that refuses datagrams ends it at
// once. An answer that is no bencoding is not one, and takes no other's place.
func (c *Client) Do(ctx context.Context, request Dict) (Dict, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout*time.Duration(c.sends))
	defer cancel()
	cookie := c.prefix + strconv.FormatUint(c.count.Add(1), 36)
	datagram := Append(append([]byte(cookie), ' '), request)
	if len(datagram) > maxDatagram {
		return nil, ErrLarge
	}
	conn, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	got := make(chan answer, 1)
	if err := c.wait(cookie, got); err != nil {
		return nil, err
	}
	defer c.forget(cookie)
	again := time.NewTimer(c.timeout)
	defer again.Stop()
	for range c.sends {
		if _, err := conn.Write(datagram); err != nil {
			return nil, err
		}
		again.Reset(c.timeout)
		select {
		case a := <-got:
			return a.dict, a.err
		case <-again.C:
		case <-ctx.Done():
			return nil, ErrSilent
		}
	}
	return nil, ErrSilent
}

// errPing is that a ping was answered with something else.
var errPing = errors.New("ng: a ping was not answered with a pong")

// Ping asks whether rtpengine is there.
func (c *Client) Ping(ctx context.Context) error {
	d, err := c.Do(ctx, Dict{{"command", "ping"}})
	if err == nil && d.Text("result") != "pong" {
		return errPing
	}
	return err
}

// Close ends the client; requests that wait get ErrClosed.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.shut(ErrClosed)
}

// Renew closes the socket, so that the next request resolves the name again.
func (c *Client) Renew() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shut(ErrSilent)
}

// shut closes the socket and ends who waits. The caller holds mu.
func (c *Client) shut(err error) {
	if c.conn == nil {
		return
	}
	_ = c.conn.Close()
	c.conn = nil
	c.fail(err)
}

// fail ends all who wait. The caller holds mu.
func (c *Client) fail(err error) {
	for _, got := range c.pending {
		give(got, answer{err: err})
	}
}

// give leaves an answer if there is none yet.
func give(got chan answer, a answer) {
	select {
	case got <- a:
	default:
	}
}

// open returns the socket, a new one if there is none.
func (c *Client) open(ctx context.Context) (net.Conn, error) {
	c.mu.Lock()
	conn, closed := c.conn, c.closed
	c.mu.Unlock()
	if closed {
		return nil, ErrClosed
	}
	if conn != nil {
		return conn, nil
	}
	var d net.Dialer
	fresh, err := d.DialContext(ctx, "udp", c.addr)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.conn != nil {
		_ = fresh.Close()
		if c.closed {
			return nil, ErrClosed
		}
		return c.conn, nil
	}
	c.conn = fresh
	go c.read(fresh)
	return fresh, nil
}

func (c *Client) wait(cookie string, got chan answer) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return ErrClosed
	case len(c.pending) == maxPending:
		return ErrBusy
	}
	c.pending[cookie] = got
	return nil
}

func (c *Client) forget(cookie string) {
	c.mu.Lock()
	delete(c.pending, cookie)
	c.mu.Unlock()
}

// read hands answers to who waits, until the socket is closed.
func (c *Client) read(conn net.Conn) {
	buf := make([]byte, 1<<16)
	for {
		n, err := conn.Read(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			c.broken(conn, err)
			if !errors.Is(err, syscall.ECONNREFUSED) {
				return
			}
			continue
		}
		cookie, text, ok := bytes.Cut(buf[:n], []byte{' '})
		if !ok {
			continue
		}
		c.mu.Lock()
		if got := c.pending[string(cookie)]; got != nil {
			if d, err := Parse(bytes.Clone(text)); err == nil {
				give(got, answer{dict: d})
			}
		}
		c.mu.Unlock()
	}
}

// broken tells who waits for answers on a socket that there will be none; a socket that
// cannot be read is closed.
func (c *Client) broken(conn net.Conn, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != conn {
		return
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		c.fail(err)
		return
	}
	c.shut(err)
}
