package freeswitch

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"
)

// connection is one to a server's Event Socket. One goroutine reads it; any may run commands.
type connection struct {
	url     URL
	timeout time.Duration // of a command
	each    func(e *Event)
	log     *slog.Logger

	mu      sync.Mutex
	conn    net.Conn
	waiting []chan frame // of the commands under way, in their order
	down    bool
}

// maxWaiting bounds the commands under way on a connection.
const maxWaiting = 256

var (
	errClosed = errors.New("the connection to FreeSWITCH has ended")
	errBusy   = errors.New("too many commands wait for FreeSWITCH")
	errLate   = errors.New("FreeSWITCH has not answered in time")
	errLogin  = errors.New("FreeSWITCH has refused the login")
	errBreaks = errors.New("a command is empty, or has line ends that end it")
)

// dial connects and logs in. What it returns has to be read.
func dial(ctx context.Context, u URL, connect, timeout time.Duration, each func(*Event), log *slog.Logger) (*connection, func(silence time.Duration) error, error) {
	d := net.Dialer{Timeout: connect}
	conn, err := d.DialContext(ctx, "tcp", u.Address())
	if err != nil {
		return nil, nil, err
	}
	c := &connection{url: u, timeout: timeout, each: each, log: log, conn: conn}
	limited := &io.LimitedReader{R: conn}
	r := bufio.NewReader(limited)
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(timeout))
	if err = c.login(limited, r); err != nil {
		stop()
		_ = conn.Close()
		return nil, nil, err
	}
	_ = conn.SetDeadline(time.Time{})
	return c, func(silence time.Duration) error {
		defer stop()
		return c.read(limited, r, silence)
	}, nil
}

// login answers the server's question who we are.
func (c *connection) login(limited *io.LimitedReader, r *bufio.Reader) error {
	f, err := readFrame(limited, r)
	if err != nil {
		return err
	}
	if f.kind != "auth/request" {
		return errors.New("what listens there is no Event Socket, or it lets us not in")
	}
	line := "auth " + c.url.Password
	if c.url.User != "" {
		line = "userauth " + c.url.User + ":" + c.url.Password
	}
	if _, err = io.WriteString(c.conn, line+"\n\n"); err != nil {
		return err
	}
	if f, err = readFrame(limited, r); err != nil {
		return err
	}
	if !f.answers() || !strings.HasPrefix(f.reply, "+OK") {
		return errLogin
	}
	return nil
}

// read reads until the connection ends, or nothing has come for as long as silence says.
func (c *connection) read(limited *io.LimitedReader, r *bufio.Reader, silence time.Duration) error {
	defer c.end()
	for {
		_ = c.conn.SetReadDeadline(time.Now().Add(silence))
		f, err := readFrame(limited, r)
		if err != nil {
			return err
		}
		switch {
		case f.answers():
			c.mu.Lock()
			var to chan frame
			if len(c.waiting) > 0 {
				to, c.waiting = c.waiting[0], c.waiting[1:]
			}
			c.mu.Unlock()
			if to != nil {
				to <- f // has room for it
			}
		case f.kind == "text/event-json":
			e, err := parseEvent(c.url.Host, f.body)
			if err != nil {
				c.log.Warn("freeswitch: an event cannot be read", "server", c.url.Address(), "why", err)
				continue
			}
			if c.each != nil {
				c.each(e)
			}
		case f.kind == "text/disconnect-notice":
			return errClosed
		}
	}
}

// end closes the connection; commands under way fail.
func (c *connection) end() {
	c.mu.Lock()
	waiting := c.waiting
	c.waiting, c.down = nil, true
	c.mu.Unlock()
	_ = c.conn.Close()
	for _, w := range waiting {
		close(w)
	}
}

// run has the server carry out a command and returns its answer.
func (c *connection) run(ctx context.Context, command string) (string, error) {
	command = strings.TrimRight(command, "\r\n")
	if command == "" || strings.Contains(strings.ReplaceAll(command, "\r", ""), "\n\n") {
		return "", errBreaks
	}
	answer := make(chan frame, 1)
	c.mu.Lock()
	switch {
	case c.down:
		c.mu.Unlock()
		return "", errClosed
	case len(c.waiting) >= maxWaiting:
		c.mu.Unlock()
		return "", errBusy
	}
	_ = c.conn.SetWriteDeadline(time.Now().Add(c.timeout))
	_, err := io.WriteString(c.conn, command+"\n\n")
	if err == nil {
		c.waiting = append(c.waiting, answer)
	}
	c.mu.Unlock()
	if err != nil {
		_ = c.conn.Close() // part of it may have gone out; who reads ends it
		return "", err
	}
	late := time.NewTimer(c.timeout)
	defer late.Stop()
	select {
	case f, ok := <-answer:
		if !ok {
			return "", errClosed
		}
		return f.text(), nil
	case <-late.C: // what comes still is read over
		return "", errLate
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
