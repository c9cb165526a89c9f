package load

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// pair is a connected pair of TCP connections.
func pair(t *testing.T) (*Conn, net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	near, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c := NewConn(near)
	t.Cleanup(func() { c.Close(); far.Close() })
	return c, far
}

func TestConnWritesInOrder(t *testing.T) {
	c, far := pair(t)
	var want strings.Builder
	for i := range 1000 {
		piece := strings.Repeat(string(rune('a'+i%26)), i%50)
		want.WriteString(piece)
		c.Queue(func(out []byte) []byte { return append(out, piece...) })
		if i%3 == 0 {
			c.Flush()
		}
	}
	c.Flush()
	got := make([]byte, want.Len())
	if _, err := io.ReadFull(far, got); err != nil || string(got) != want.String() {
		t.Errorf("%v, the bytes differ: %v", err, string(got) != want.String())
	}
}

func TestConnQueuesWithoutFlush(t *testing.T) {
	c, far := pair(t)
	c.Queue(func(out []byte) []byte { return append(out, "first "...) })
	c.Queue(func(out []byte) []byte { return append(out, "second"...) })
	c.Flush()
	got := make([]byte, 64)
	n, err := far.Read(got)
	if err != nil || string(got[:n]) != "first second" {
		t.Errorf("%q, %v: what is queued goes out at once", got[:n], err)
	}
}

func TestServeFlushesAnswersOfOneReadTogether(t *testing.T) {
	c, far := pair(t)
	done := make(chan error, 1)
	go func() {
		done <- c.Serve(func(m *Message) {
			c.Queue(func(out []byte) []byte { return append(append(out, m.Body...), '.') })
		})
	}()
	if _, err := far.Write([]byte(invite + invite)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len("body.body."))
	if _, err := io.ReadFull(far, got); err != nil || string(got) != "body.body." {
		t.Errorf("%q, %v", got, err)
	}
	far.Close()
	if err := <-done; err != nil {
		t.Errorf("an orderly end by the peer: %v", err)
	}
}

func TestServeEndsByClose(t *testing.T) {
	c, _ := pair(t)
	done := make(chan error, 1)
	go func() { done <- c.Serve(func(*Message) {}) }()
	c.Close()
	c.Close() // once more does nothing
	if err := <-done; err != nil {
		t.Errorf("%v", err)
	}
}

func TestServeTellsOfHalfAMessage(t *testing.T) {
	c, far := pair(t)
	done := make(chan error, 1)
	go func() { done <- c.Serve(func(*Message) {}) }()
	if _, err := far.Write([]byte(invite[:40])); err != nil {
		t.Fatal(err)
	}
	far.Close()
	if err := <-done; err == nil {
		t.Error("a message that breaks off is no orderly end")
	}
}

func TestCloseWithAPeerThatDoesNotRead(t *testing.T) {
	c, _ := pair(t)
	c.Queue(func(out []byte) []byte { return append(out, make([]byte, 64<<20)...) })
	c.Flush()
	ended := make(chan struct{})
	go func() {
		c.Close()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Fatal("Close waits for a peer that does not read")
	}
}
