package ng

import (
	"context"
	"errors"
	"time"

	"sipreactor/reactor/modules/internal/relay/cookie"
)

// Client speaks to one rtpengine.
type Client struct{ *cookie.Client }

// NewClient makes a client for host:port. A request is sent up to 1+retries times, each
// time with timeout for the answer. An answer that is no bencoding is not one, and takes no other's
// place. dial opens sockets; nil is cookie.DialUDP.
func NewClient(addr string, timeout time.Duration, retries int, dial cookie.Dial) *Client {
	return &Client{cookie.NewClient(cookie.Config{Network: "udp", Addr: addr, Timeout: timeout, Retries: retries, Dial: dial,
		Valid: func(text []byte) bool { return Answer(text).valid() }})}
}

// Do sends a request and returns the answer. It blocks, no longer than ctx.
func (c *Client) Do(ctx context.Context, request Dict) (Dict, error) {
	text, err := c.Client.Do(ctx, Append(nil, request))
	return Answer(text).Dict(), err
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
