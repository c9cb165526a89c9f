package cookie

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"strconv"
	"sync"
	"time"
)

// Errors of a Client; others are those of its sockets.
var (
	ErrSilent = errors.New("no answer")
	ErrBusy   = errors.New("too many requests wait for an answer")
	ErrClosed = errors.New("the client is closed")
	ErrLarge  = errors.New("the request is too large for a datagram")
)

const (
	// maxPending bounds the requests of a Client that wait.
	maxPending = 8192
	// maxDatagram is the size, in bytes, of the largest datagram over IPv4.
	maxDatagram = 65507
	// maxCookie bounds what stands before a request.
	maxCookie = 32
)

// Config is what a Client is made of.
type Config struct {
	Network, Addr string // udp, udp4 or udp6, and host:port
	// Timeout is for the answer to each sending of a request, of which there are 1+Retries.
	Timeout time.Duration
	Retries int
	// Valid reports whether a text, which is borrowed, is an answer at all; nil: each is.
	Valid func(text []byte) bool
	// Dial opens sockets; nil is DialUDP.
	Dial Dial
}

// Client speaks to one relay. Its requests wait in one list, in the order in which they
// are due to be sent again, and one timer looks at that: none has a goroutine or a timer of
// its own. mu is a leaf, and nothing is sent under it.
type Client struct {
	cfg    Config
	sends  int
	prefix string

	mu      sync.Mutex
	closed  bool
	lanes   []*lane // by their number + 1; nil: not open
	count   uint64
	pending map[uint64]*asked
	due     list
	timer   *time.Timer
	ticking bool // it will look
	free    []*asked
}

// Asker gets what became of a request: once, on any goroutine, which may be an event loop. It
// must not block. The answer is borrowed until it returns.
type Asker interface {
	Answered(text []byte, err error)
}

// asked is a request under way. The Client's mutex guards it.
type asked struct {
	id         uint64
	datagram   []byte
	lane       *lane
	to         Asker
	sent       int  // how often, counted though there was nothing yet to send it by
	sending    bool // the datagram is being read
	due        time.Time
	next, prev *asked
}

// NewClient makes a client. Nothing is resolved or opened yet.
func NewClient(cfg Config) *Client {
	if cfg.Dial == nil {
		cfg.Dial = DialUDP
	}
	return &Client{cfg: cfg, sends: 1 + cfg.Retries, prefix: rand.Text()[:12] + "_", pending: make(map[uint64]*asked)}
}

// Start sends a request, which is the caller's again when it returns, by the socket of a lane: see Dial. to gets what became of it, no later than 1+retries times
// the timeout, name resolution included, and perhaps before Start returns. A peer that refuses
// datagrams ends it at once. Start does not block.
func (c *Client) Start(lane int, request []byte, to Asker) { c.start(lane, request, to) }

func (c *Client) start(number int, request []byte, to Asker) (id uint64) {
	c.mu.Lock()
	var err error
	switch {
	case c.closed:
		err = ErrClosed
	case len(c.pending) == maxPending:
		err = ErrBusy
	case len(request)+maxCookie > maxDatagram:
		err = ErrLarge
	}
	if err != nil {
		c.mu.Unlock()
		to.Answered(nil, err)
		return 0
	}
	a := c.take()
	c.count++
	id = c.count
	a.id, a.to, a.lane, a.sent = id, to, c.lane(number), 1
	a.datagram = append(strconv.AppendUint(append(a.datagram[:0], c.prefix...), id, 36), ' ')
	a.datagram = append(a.datagram, request...)
	c.pending[id] = a
	a.due = time.Now().Add(c.cfg.Timeout)
	c.due.push(a)
	c.tick()
	line := a.begin()
	c.mu.Unlock()
	c.send(a, line)
	return id
}

// begin returns what a request is to be sent by; nil when that is not open yet: then it is
// sent by who opens it. The caller holds mu, and calls send without it.
func (a *asked) begin() Line {
	a.sending = a.lane.line != nil
	return a.lane.line
}

// send sends a request, and ends it if that fails.
func (c *Client) send(a *asked, line Line) {
	if line == nil {
		return
	}
	err := line.Send(a.datagram)
	var to Asker
	c.mu.Lock()
	a.sending = false
	switch {
	case a.to == nil: // it has ended meanwhile
		c.keep(a)
	case err != nil:
		to = c.end(a)
	}
	c.mu.Unlock()
	if to != nil {
		to.Answered(nil, err)
	}
}

// What is kept of requests that are over: how many, and the largest datagram.
const (
	maxFree     = 256
	maxFreeSize = 8192
)

// take gives a request that is not under way. The caller holds mu.
func (c *Client) take() *asked {
	if n := len(c.free); n > 0 {
		a := c.free[n-1]
		c.free = c.free[:n-1]
		return a
	}
	return new(asked)
}

// end has a request no longer wait, and returns who is to be told. The caller holds mu.
func (c *Client) end(a *asked) Asker {
	delete(c.pending, a.id)
	c.due.remove(a)
	to := a.to
	a.to, a.lane = nil, nil
	if !a.sending {
		c.keep(a)
	}
	return to
}

// keep keeps one that is over for take. The caller holds mu.
func (c *Client) keep(a *asked) {
	if len(c.free) < maxFree && cap(a.datagram) <= maxFreeSize {
		c.free = append(c.free, a)
	}
}

// got hands an answer to who waits for it.
func (c *Client) got(datagram []byte) {
	cookie, text, _ := bytes.Cut(datagram, []byte{' '})
	if len(cookie) > maxCookie || !bytes.HasPrefix(cookie, []byte(c.prefix)) || c.cfg.Valid != nil && !c.cfg.Valid(text) {
		return
	}
	id, err := strconv.ParseUint(string(cookie[len(c.prefix):]), 36, 64)
	if err != nil {
		return
	}
	c.mu.Lock()
	var to Asker
	if a := c.pending[id]; a != nil {
		to = c.end(a)
	}
	c.mu.Unlock()
	if to != nil {
		to.Answered(text, nil)
	}
}

// tick has the timer look when the first request is due. The caller holds mu.
func (c *Client) tick() {
	if c.ticking || c.due.first == nil {
		return
	}
	c.ticking = true
	wait := max(time.Until(c.due.first.due), time.Millisecond)
	if c.timer == nil {
		c.timer = time.AfterFunc(wait, c.look)
		return
	}
	c.timer.Reset(wait)
}

// look sends again what is due, or ends it.
func (c *Client) look() {
	var again []*asked
	var lines []Line
	var ends []Asker
	c.mu.Lock()
	now := time.Now()
	for a := c.due.first; a != nil && !a.due.After(now); a = c.due.first {
		if a.sent == c.sends {
			ends = append(ends, c.end(a))
			continue
		}
		a.sent++
		c.due.remove(a)
		a.due = now.Add(c.cfg.Timeout)
		c.due.push(a)
		if !a.sending {
			again, lines = append(again, a), append(lines, a.begin())
		}
	}
	c.ticking = false
	c.tick()
	c.mu.Unlock()
	for _, to := range ends {
		to.Answered(nil, ErrSilent)
	}
	for i, a := range again {
		c.send(a, lines[i])
	}
}

// Close ends the client; requests that wait get ErrClosed.
func (c *Client) Close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.shut(ErrClosed)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer != nil {
		c.timer.Stop()
	}
}

// Renew closes the sockets, so that the next request resolves the name again.
func (c *Client) Renew() { c.shut(ErrSilent) }

// shut closes all sockets and ends who waits.
func (c *Client) shut(err error) {
	c.mu.Lock()
	lanes := c.lanes
	c.lanes = nil
	c.mu.Unlock()
	for _, l := range lanes {
		if l != nil {
			c.fail(l, err)
		}
	}
}

// Do sends a request and returns the answer. It blocks, no longer than a request of Start may
// take, and no longer than ctx.
func (c *Client) Do(ctx context.Context, request []byte) ([]byte, error) {
	if ctx.Err() != nil {
		return nil, ErrSilent
	}
	w := make(waiter, 1)
	id := c.start(-1, request, w)
	select {
	case r := <-w:
		return r.text, r.err
	case <-ctx.Done():
		c.mu.Lock()
		defer c.mu.Unlock()
		if a := c.pending[id]; a != nil {
			c.end(a)
		}
		return nil, ErrSilent
	}
}

// waiter waits for the end of a request.
type waiter chan result

type result struct {
	text []byte
	err  error
}

// Answered is Asker's.
func (w waiter) Answered(text []byte, err error) { w <- result{bytes.Clone(text), err} }
