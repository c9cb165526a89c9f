package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/ports"
)

// Silent keeps so many connections to a TLS server on which no handshake is made: every other one says nothing, the
// rest begin a ClientHello and stop. One that the server ends is opened anew. It returns when ctx is over, with the
// number of connections that were opened.
func Silent(ctx context.Context, addr string, connections int) int64 {
	// The head of a TLS record and of a ClientHello of 512 bytes, which never come.
	hello := []byte{22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3}
	return holdAll(ctx, connections, func(i int) error {
		var d net.Dialer
		c, err := d.DialContext(ctx, "tcp", addr)
		if err != nil {
			return err
		}
		defer c.Close()
		if i%2 == 0 {
			if _, err := c.Write(hello); err != nil {
				return err
			}
		}
		return untilEnd(ctx, c)
	})
}

// SlowReaders keeps so many connections that send requests without a pause and read no answer. One that the server
// ends is opened anew. It returns when ctx is over, with the number of connections that were opened.
func SlowReaders(ctx context.Context, peer Peer, uri string, connections int) int64 {
	return holdAll(ctx, connections, func(i int) error {
		d := net.Dialer{Control: smallWindow}
		raw, err := d.DialContext(ctx, "tcp", peer.Addr)
		if err != nil {
			return err
		}
		defer raw.Close()
		defer context.AfterFunc(ctx, func() { raw.Close() })()
		c := raw
		if peer.TLS != nil {
			cfg := peer.TLS.Clone()
			if cfg.ServerName == "" {
				cfg.ServerName, _, _ = net.SplitHostPort(peer.Addr)
			}
			conn := tls.Client(raw, cfg)
			if err := conn.HandshakeContext(ctx); err != nil {
				return err
			}
			c = conn
		}
		local := c.LocalAddr().String()
		a := &agent{fleet: &fleet{run: "s" + local}, index: i, local: local, transport: peer.Transport()}
		for seq := uint64(0); ; seq++ {
			// A peer that holds the connection open without reading stops us here, as it should.
			if _, err := c.Write(body(a.request(nil, &unit{seq: seq}, "OPTIONS", uri, "<"+uri+">", "o", 1), "", nil)); err != nil {
				return err
			}
		}
	})
}

// smallWindow makes a receive buffer that is soon full.
func smallWindow(_, _ string, c syscall.RawConn) error {
	var err error
	if e := c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 4096) }); e != nil {
		return e
	}
	return os.NewSyscallError("setsockopt", err)
}

// holdAll keeps connections by a function that holds one until it ends.
func holdAll(ctx context.Context, connections int, hold func(i int) error) int64 {
	var opened atomic.Int64
	var all sync.WaitGroup
	for i := range connections {
		all.Go(func() {
			for ctx.Err() == nil {
				opened.Add(1)
				if err := hold(i); err != nil {
					select { // not a storm of its own when everything is refused
					case <-time.After(20 * time.Millisecond):
					case <-ctx.Done():
					}
				}
			}
		})
	}
	all.Wait()
	return opened.Load()
}

// untilEnd reads until the peer or ctx ends the connection.
func untilEnd(ctx context.Context, c net.Conn) error {
	defer context.AfterFunc(ctx, func() { c.Close() })()
	var b [256]byte
	for {
		if _, err := c.Read(b[:]); err != nil {
			return err
		}
	}
}

// BlackHole is an address on 127.0.0.1 whose connects get no answer, as if a firewall dropped them: a listener that
// accepts nobody and whose queue is full.
type BlackHole struct {
	fd     int
	addr   string
	queued []net.Conn
}

// NewBlackHole makes one. Close ends it.
func NewBlackHole() (*BlackHole, error) {
	port, err := ports.Unused()
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	b := &BlackHole{fd: fd, addr: net.JoinHostPort("127.0.0.1", port)}
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Port: n, Addr: [4]byte{127, 0, 0, 1}}), unix.Listen(fd, 0)); err != nil {
		b.Close()
		return nil, fmt.Errorf("load: black hole: %w", err)
	}
	// Connects are answered until the queue is full; from then on they are not.
	for range 8 {
		c, err := net.DialTimeout("tcp", b.addr, 300*time.Millisecond)
		if err != nil {
			return b, nil
		}
		b.queued = append(b.queued, c)
	}
	b.Close()
	return nil, errors.New("load: black hole: the queue of a listener does not fill")
}

// Addr is where nobody answers.
func (b *BlackHole) Addr() string { return b.addr }

// Close ends it.
func (b *BlackHole) Close() {
	for _, c := range b.queued {
		c.Close()
	}
	_ = unix.Close(b.fd)
}

// Lost sends requests through a peer to destinations that never answer, by turns and at a rate, until ctx is over. It
// returns how many it sent and what they were answered.
func Lost(ctx context.Context, peer Peer, destinations []string, rate float64) (sent int64, answers map[int]int64, err error) {
	raw, err := peer.Dial(ctx)
	if err != nil {
		return 0, nil, err
	}
	c := NewConn(raw)
	answers = map[int]int64{}
	read := make(chan struct{})
	go func() {
		defer close(read)
		_ = c.Serve(func(m *Message) { answers[m.Status]++ })
	}()
	a := &agent{Conn: c, fleet: &fleet{run: "b" + c.LocalAddr().String()}, local: c.LocalAddr().String(), transport: peer.Transport()}
	err = Pace(ctx, rate, 24*time.Hour, func(time.Time) {
		uri := "sip:nobody@" + destinations[int(sent)%len(destinations)] + ";transport=tls"
		u := &unit{seq: uint64(sent)}
		sent++
		c.Queue(func(out []byte) []byte {
			return body(a.request(out, u, "MESSAGE", uri, "<"+uri+">", "m", 1), "", nil)
		})
		c.Flush()
	})
	c.Close()
	<-read
	return sent, answers, err
}
