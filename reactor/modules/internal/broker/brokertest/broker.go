// Package brokertest plays a RabbitMQ broker, for tests: as much of AMQP 0-9-1 as one connection
// with one channel needs that publishes or consumes.
package brokertest

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// Broker is a broker.
type Broker struct {
	Addr string // host:port
	// Heard gets what clients do: "login user password", "publish exchange key flags type mode {headers} body",
	// "consume queue flags", "ack 1".
	Heard chan string

	mu    sync.Mutex
	conns map[net.Conn]string // with the consumer's tag
	sent  uint64
}

// Listen opens one, and closes it at the end of the test.
func Listen(t testing.TB) *Broker {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &Broker{Addr: l.Addr().String(), Heard: make(chan string, 1000), conns: map[net.Conn]string{}}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			b.mu.Lock()
			b.conns[c] = ""
			b.mu.Unlock()
			all.Go(func() { b.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		b.Drop()
		all.Wait()
	})
	return b
}

// Drop closes all connections.
func (b *Broker) Drop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.conns {
		_ = c.Close()
	}
	clear(b.conns)
}

// Next gives what a client did next.
func (b *Broker) Next(t testing.TB) string {
	t.Helper()
	select {
	case s := <-b.Heard:
		return s
	case <-time.After(20 * time.Second):
		t.Fatal("the broker hears nothing")
		return ""
	}
}

// Deliver sends a message to all who consume.
func (b *Broker) Deliver(body string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c, tag := range b.conns {
		if tag == "" {
			continue
		}
		b.sent++
		send(c, 1, 1, 60, 60, short(tag), number(b.sent, 8), []byte{0}, short(""), short("key"))
		frame(c, 2, 1, number(60, 2), number(0, 2), number(uint64(len(body)), 8), number(0, 2))
		frame(c, 3, 1, []byte(body))
	}
}

func number(n uint64, size int) []byte { return binary.BigEndian.AppendUint64(nil, n)[8-size:] }

func short(s string) []byte { return append([]byte{byte(len(s))}, s...) }

func long(s string) []byte { return append(number(uint64(len(s)), 4), s...) }

func frame(w io.Writer, kind byte, channel uint16, parts ...[]byte) {
	payload := bytes.Join(parts, nil)
	_, _ = w.Write(bytes.Join([][]byte{{kind}, number(uint64(channel), 2), number(uint64(len(payload)), 4), payload, {0xCE}}, nil))
}

func send(w io.Writer, kind byte, channel, class, method uint16, parts ...[]byte) {
	frame(w, kind, channel, append([][]byte{number(uint64(class), 2), number(uint64(method), 2)}, parts...)...)
}

// text reads from a payload.
type text struct{ b []byte }

func (t *text) take(n int) []byte {
	n = min(n, len(t.b))
	var got []byte
	got, t.b = t.b[:n], t.b[n:]
	return got
}

func (t *text) number(size int) (n int) {
	for _, c := range t.take(size) {
		n = n<<8 | int(c)
	}
	return n
}

func (t *text) short() string { return string(t.take(t.number(1))) }
func (t *text) long() string  { return string(t.take(t.number(4))) }

func (b *Broker) serve(c net.Conn) {
	defer func() {
		_ = c.Close()
		b.mu.Lock()
		delete(b.conns, c)
		b.mu.Unlock()
	}()
	r := bufio.NewReader(c)
	if _, err := io.ReadFull(r, make([]byte, 8)); err != nil {
		return
	}
	send(c, 1, 0, 10, 10, []byte{0, 9}, number(0, 4), long("PLAIN"), long("en_US"))
	published := ""
	for {
		head := make([]byte, 7)
		if _, err := io.ReadFull(r, head); err != nil {
			return
		}
		payload := make([]byte, binary.BigEndian.Uint32(head[3:])+1)
		if _, err := io.ReadFull(r, payload); err != nil {
			return
		}
		t := &text{payload[:len(payload)-1]}
		switch head[0] {
		case 1:
			published = b.method(c, t, published)
		case 2:
			t.take(12)
			published += " " + properties(t)
		case 3:
			b.Heard <- published + " " + string(t.b)
		}
	}
}

// properties writes the content type, the mode and the headers of a message.
func properties(t *text) string {
	flags := t.number(2)
	kind, mode, headers := "", 0, []string{}
	if flags&0x8000 != 0 {
		kind = t.short()
	}
	if flags&0x2000 != 0 {
		for table := (&text{[]byte(t.long())}); len(table.b) > 0; {
			name := table.short()
			table.take(1)
			headers = append(headers, name+"="+table.long())
		}
	}
	if flags&0x1000 != 0 {
		mode = t.number(1)
	}
	return fmt.Sprintf("%s %d {%s}", kind, mode, strings.Join(headers, " "))
}

func (b *Broker) method(c net.Conn, t *text, published string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch class, method := t.number(2), t.number(2); [2]int{class, method} {
	case [2]int{10, 11}: // start-ok
		t.take(t.number(4))
		t.short()
		b.Heard <- "login" + strings.ReplaceAll(t.long(), "\x00", " ")
		send(c, 1, 0, 10, 30, number(0, 2), number(131072, 4), number(0, 2))
	case [2]int{10, 40}:
		send(c, 1, 0, 10, 41, short(""))
	case [2]int{10, 50}:
		send(c, 1, 0, 10, 51)
	case [2]int{20, 10}:
		send(c, 1, 1, 20, 11, long(""))
	case [2]int{60, 10}:
		send(c, 1, 1, 60, 11)
	case [2]int{60, 20}:
		t.take(2)
		queue, tag := t.short(), t.short()
		b.conns[c] = tag
		b.Heard <- fmt.Sprintf("consume %s %d", queue, t.number(1))
		send(c, 1, 1, 60, 21, short(tag))
	case [2]int{60, 40}:
		t.take(2)
		return fmt.Sprintf("publish %s %s %d", t.short(), t.short(), t.number(1))
	case [2]int{60, 80}:
		b.Heard <- fmt.Sprintf("ack %d", t.number(8))
	}
	return published
}
