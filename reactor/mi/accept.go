package mi

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/repeats"
	"sipreactor/reactor/rescue"
)

// connectionShare is how many connections management may have so that they take
// no descriptors that traffic needs.
func connectionShare() int {
	const most, least = 64, 2
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return least
	}
	return int(min(max(limit.Cur/16, least), most))
}

// boundedListener keeps no more connections than there are places, and none of
// whoever may not speak by address.
type boundedListener struct {
	net.Listener
	allow  []netip.Prefix
	log    *slog.Logger
	secure bool // TLS is spoken, in which a refusal is none
	places *places
	// refusals has a place for each stranger that is being refused, and done waits
	// for them.
	refusals chan struct{}
	done     *sync.WaitGroup
	closed   chan struct{}
	once     sync.Once

	strangers repeats.Table[netip.Addr]
	evictions repeats.Table[struct{}]
	failed    repeats.Table[struct{}]
}

// refuse tells a stranger so in plain HTTP, if there are not too many of them, and
// closes.
func (l *boundedListener) refuse(c net.Conn) {
	if l.secure {
		_ = c.Close()
		return
	}
	select {
	case l.refusals <- struct{}{}:
	default:
		_ = c.Close()
		return
	}
	l.done.Go(func() {
		defer func() { <-l.refusals }()
		defer c.Close()
		_ = rescue.Run(l.log, "mi: a refusal", func() {
			_ = c.SetDeadline(time.Now().Add(refusalLimit))
			// An answer counts behind a request only.
			if _, err := c.Read(make([]byte, 1024)); err == nil {
				_, _ = io.WriteString(c, refusal)
			}
		})
	})
}

// refusalLimit is what a stranger may take to be refused, and maxRefusals how many
// of them do at one time.
const (
	refusalLimit = time.Second
	maxRefusals  = 16
)

const refusal = "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 32\r\nConnection: close\r\n\r\n" +
	"your address may not speak here\n"

// Accept waits for a connection of somebody who may speak.
func (l *boundedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) || !l.pause(err) {
				return nil, net.ErrClosed
			}
			continue
		}
		if !l.admits(c) {
			l.refuse(c)
			continue
		}
		in, out := l.places.enter(c)
		for _, o := range out {
			l.evicted(o, "management over HTTP: connections that had shown no token, or were idle, made room for new ones")
		}
		if in == nil {
			l.evicted(c, "management over HTTP: new connections found all places taken by requests that are being answered")
			continue
		}
		return in, nil
	}
}

// evicted ends a connection that lost its place, or found none, and tells what was with those.
func (l *boundedListener) evicted(out net.Conn, what string) {
	_ = out.Close()
	if held, ok := l.evictions.Open(time.Now(), struct{}{}); ok {
		l.log.Warn(what, "peer", out.RemoteAddr().String(), "more", held)
	}
}

// acceptPause is how long nobody accepts when accept(2) has failed.
const acceptPause = 100 * time.Millisecond

// pause waits until accept may be tried again: whatever it says, descriptors that
// are short or a peer that has gone, management goes on. It answers false when the
// listener is closed.
func (l *boundedListener) pause(err error) bool {
	if held, ok := l.failed.Open(time.Now(), struct{}{}); ok {
		l.log.Warn("management over HTTP: connections cannot be accepted", "error", err, "again_after", acceptPause.String(), "more", held)
	}
	select {
	case <-l.closed:
		return false
	case <-time.After(acceptPause):
		return true
	}
}

func (l *boundedListener) admits(c net.Conn) bool {
	peer, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err == nil && admits(l.allow, peer.Addr()) {
		return true
	}
	if held, ok := l.strangers.Open(time.Now(), peer.Addr()); ok {
		l.log.Warn("management over HTTP: an address that is not on the list allow was refused", "peer", c.RemoteAddr().String(), "more", held)
	}
	return false
}

// Close implements net.Listener.
func (l *boundedListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}
