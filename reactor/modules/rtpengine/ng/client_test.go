package ng

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// stub answers datagrams as a test says: with those that f returns.
func stub(t *testing.T, f func(cookie, body []byte) []string) string {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.Close() })
	go func() {
		buf := make([]byte, 1<<16)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			cookie, body, _ := bytes.Cut(buf[:n], []byte{' '})
			for _, a := range f(cookie, body) {
				_, _ = pc.WriteTo([]byte(a), from)
			}
		}
	}()
	return pc.LocalAddr().String()
}

var ping = Dict{{"command", "ping"}}

const pong = "d6:result4:ponge"

func TestLostAnswers(t *testing.T) {
	var mu sync.Mutex
	cookies := map[string]int{}
	c := NewClient(stub(t, func(cookie, _ []byte) []string {
		mu.Lock()
		defer mu.Unlock()
		if cookies[string(cookie)]++; cookies[string(cookie)] < 3 {
			return nil
		}
		return []string{string(cookie) + " " + pong}
	}), 20*time.Millisecond, 9)
	defer c.Close()
	for range 2 {
		if d, err := c.Do(t.Context(), ping); err != nil || d.Text("result") != "pong" {
			t.Fatal(d, err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(cookies) != 2 {
		t.Errorf("cookies %v", cookies)
	}
}

// Others' cookies, no cookies, no bencoding and doubles are passed over.
func TestGarbage(t *testing.T) {
	c := NewClient(stub(t, func(cookie, _ []byte) []string {
		return []string{"", "x", "other " + pong, string(cookie), string(cookie) + " ", string(cookie) + " i1e", string(cookie) + " d6:resul", string(cookie) + " " + pong, string(cookie) + " " + pong}
	}), 200*time.Millisecond, 100)
	defer c.Close()
	for range 5 {
		if d, err := c.Do(t.Context(), ping); err != nil || d.Text("result") != "pong" {
			t.Fatal(d, err)
		}
	}
}

func TestSilence(t *testing.T) {
	sent := make(chan struct{}, 9)
	addr := stub(t, func(_, _ []byte) []string { sent <- struct{}{}; return nil })
	c := NewClient(addr, 5*time.Millisecond, 2)
	defer c.Close()
	if _, err := c.Do(t.Context(), ping); !errors.Is(err, ErrSilent) {
		t.Error(err)
	}
	for range 2 { // the third one may be on its way when time is over
		<-sent
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Do(gone, ping); err == nil {
		t.Error("it has an answer")
	}
	if _, err := c.Do(t.Context(), Dict{{"sdp", string(make([]byte, 1<<16))}}); !errors.Is(err, ErrLarge) {
		t.Error(err)
	}
	if len(c.pending) != 0 {
		t.Errorf("%d are waited for", len(c.pending))
	}
}

func TestNobodyThere(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := pc.LocalAddr().String()
	_ = pc.Close()
	c := NewClient(addr, time.Minute, 5)
	if _, err := c.Do(t.Context(), ping); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Error(err)
	}
	c.Close()
	if _, err := c.Do(t.Context(), ping); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

// A Close ends who waits.
func TestCloseWhileWaiting(t *testing.T) {
	asked := make(chan struct{}, 1)
	c := NewClient(stub(t, func(_, _ []byte) []string { asked <- struct{}{}; return nil }), time.Minute, 0)
	go func() { <-asked; c.Close() }()
	if _, err := c.Do(t.Context(), ping); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

// Many ask at once by one socket, and each gets its own answer.
func TestMany(t *testing.T) {
	c := NewClient(stub(t, func(cookie, body []byte) []string { return []string{string(cookie) + " " + string(body)} }), time.Second, 5)
	defer c.Close()
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			if d, err := c.Do(t.Context(), Dict{{"n", strconv.Itoa(i)}}); err != nil || d.Text("n") != strconv.Itoa(i) {
				t.Error(i, d, err)
			}
		})
	}
	all.Wait()
	c.Renew()
	if _, err := c.Do(t.Context(), ping); err != nil {
		t.Error(err)
	}
}
