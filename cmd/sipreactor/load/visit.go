package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// visit is one connection of a client. Its own goroutine writes, another reads.
type visit struct {
	b    *book
	c    net.Conn
	raw  *net.TCPConn
	room chan struct{} // a place for each request under way
	kick chan struct{} // acks has something, or nothing is under way any more

	mu     sync.Mutex
	under  map[int]time.Time // requests under way, and since when
	acks   []byte
	ending ending
	over   bool // the other side has ended the connection, or it is no more
}

// ending is how a connection ends for its client.
type ending uint8

const (
	cut    ending = iota // by the other side
	leaves               // by the client, which has no interest in what is under way
	waited               // by the client, which has waited for as long as it would
)

// run sends until it is the connection's time to end, which it does in one of several ways.
func (v *visit) run(ctx context.Context, number, turn int) {
	read := make(chan struct{})
	go func() { defer close(read); v.read() }()
	quota, how := v.b.Total, "stays" // all that is left
	if number%4 != 0 || turn > 0 {
		quota = 200 + (number*131+turn*71)%400
		how = []string{"stays", "half", "stays", "goes", "half", "resets"}[(number+turn)%6]
		if v.b.Stays && how != "half" {
			how = "stays"
		}
	}
	alive := v.send(ctx, quota, read)
	switch {
	case !alive:
	case how == "goes", how == "resets":
		v.mu.Lock()
		v.ending = leaves
		v.mu.Unlock()
		if how == "resets" {
			abort(v.raw)
			_ = v.raw.Close()
		}
	case how == "half":
		if tc, ok := v.c.(*tls.Conn); ok && turn%2 == 0 {
			_ = tc.CloseWrite() // close_notify alone
		} else {
			_ = v.raw.CloseWrite()
		}
		v.wait(read, false)
	default:
		v.wait(read, true)
	}
	v.c.Close()
	<-read
}

// send writes requests, and ACKs with them, until the quota is done; false when the connection is gone or ctx over.
func (v *visit) send(ctx context.Context, quota int, read <-chan struct{}) bool {
	var out []byte
	for range quota {
		select {
		case v.room <- struct{}{}:
		default:
			out = v.takeACKs(out)
			if _, err := v.c.Write(out); err != nil {
				return false
			}
			out = out[:0]
			if !v.enter(ctx, read) {
				return false
			}
		}
		i := int(v.b.begun.Add(1)) - 1
		if i >= v.b.Total {
			break
		}
		if out = v.request(out, i); len(out) >= 16<<10 {
			if _, err := v.c.Write(out); err != nil {
				return false
			}
			out = out[:0]
		}
	}
	_, err := v.c.Write(v.takeACKs(out))
	return err == nil
}

// enter waits for a place in the window.
func (v *visit) enter(ctx context.Context, read <-chan struct{}) bool {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case v.room <- struct{}{}:
			return true
		case <-v.kick:
			if _, err := v.c.Write(v.takeACKs(nil)); err != nil {
				return false
			}
		case <-tick.C:
			v.giveUp()
		case <-read:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

func (v *visit) takeACKs(out []byte) []byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	out = append(out, v.acks...)
	v.acks = v.acks[:0]
	return out
}

// giveUp waits no more for what has waited for too long, and returns how many are under way.
func (v *visit) giveUp() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	for i, since := range v.under {
		if time.Since(since) > v.b.Timeout {
			delete(v.under, i)
			<-v.room
		}
	}
	return len(v.under)
}

// wait waits until nothing is under way or the connection is gone.
func (v *visit) wait(read <-chan struct{}, acks bool) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for v.giveUp() > 0 {
		select {
		case <-v.kick:
			if acks {
				_, _ = v.c.Write(v.takeACKs(nil))
			}
		case <-tick.C:
		case <-read:
			return
		}
	}
	v.mu.Lock()
	v.ending = waited
	v.mu.Unlock()
}

// request enters a request into the book and appends it to out.
func (v *visit) request(out []byte, i int) []byte {
	b := v.b
	e := &b.entries[i]
	method := "MESSAGE"
	now := time.Now()
	b.mu.Lock()
	e.to, e.invite, e.sent, e.by = b.pick(i), i%2 == 0, now, v
	uri := b.Destinations[e.to].URI()
	b.mu.Unlock()
	if e.invite {
		method = "INVITE"
	}
	v.mu.Lock()
	v.under[i] = now
	over := v.over
	v.mu.Unlock()
	if over {
		b.mu.Lock()
		e.cross = true
		b.mu.Unlock()
	}
	return v.head(out, method, uri, i, "<"+uri+">")
}

func (v *visit) head(out []byte, method, uri string, i int, to string) []byte {
	local, transport, id := v.c.LocalAddr().String(), "TCP", v.b.callID(i)
	if v.c != net.Conn(v.raw) {
		transport = "TLS"
	}
	return fmt.Appendf(out, "%s %s SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=z9hG4bK%s;rport\r\nMax-Forwards: 70\r\nFrom: <sip:ledger@%s>;tag=%s\r\n"+
		"To: %s\r\nCall-ID: %s\r\nCSeq: 1 %s\r\nContact: <sip:ledger@%s>\r\nContent-Length: 0\r\n\r\n",
		method, uri, transport, local, id, local, id, to, id, method, local)
}

// read enters the answers into the book.
func (v *visit) read() {
	in := NewReader(v.c)
	var m Message
	for {
		if err := in.Next(&m); err != nil {
			v.ended(err)
			return
		}
		switch {
		case m.Request:
			v.b.strange("a request: " + string(m.Method))
		case m.Status >= 200:
			v.final(&m)
		}
	}
}

// final enters one.
func (v *visit) final(m *Message) {
	b := v.b
	run, number, _ := strings.Cut(string(m.CallID), ".")
	i, err := strconv.Atoi(number)
	if err != nil || run != b.run || i < 0 || i >= b.Total {
		b.strange("an answer to nothing that was sent")
		return
	}
	b.mu.Lock()
	e := &b.entries[i]
	mine := e.by == v
	if mine {
		e.finals++
	}
	first, invite, to := e.finals == 1, e.invite, b.Destinations[e.to]
	if first && mine {
		by := b.account.Answered[to.fault]
		if by == nil {
			by = map[int]int{}
			b.account.Answered[to.fault] = by
		}
		by[m.Status]++
		b.account.Slowest[to.fault] = max(b.account.Slowest[to.fault], time.Since(e.sent))
	}
	b.mu.Unlock()
	if !mine {
		b.strange("an answer to another's request")
		return
	}
	v.mu.Lock()
	_, waits := v.under[i]
	delete(v.under, i)
	if invite {
		v.acks = v.head(v.acks, "ACK", to.URI(), i, string(m.To))
	}
	v.mu.Unlock()
	switch {
	case !waits:
	case m.Status == 503: // a client that is told to come again does so later
		time.AfterFunc(refused, func() { <-v.room })
	default:
		<-v.room
	}
	select {
	case v.kick <- struct{}{}:
	default:
	}
}

// ended writes down why those that are not answered will not be.
func (v *visit) ended(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.over = true
	b := v.b
	b.mu.Lock()
	defer b.mu.Unlock()
	if v.ending == cut && len(v.under) > 0 {
		why := err.Error()
		if i := strings.LastIndex(why, ": "); i >= 0 {
			why = why[i+2:]
		}
		b.account.Cuts[why]++
	}
	for i := range v.under {
		e := &b.entries[i]
		e.gone, e.cut = v.ending == leaves, v.ending == cut
		e.cross = e.cut && errors.Is(err, io.EOF) && time.Since(e.sent) < crossing
	}
}
