package reactor

import (
	"bufio"
	"context"
	"net"
	"strings"
	"testing"
)

// A listener that another program opened is left to that, with what waits
// there; connections that are up go on.
func TestDrainLeavesInheritedListeners(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	f, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in, err := Inherit(f)
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, &script{message: echo}, func(c *Config) {
		c.Sockets = []SocketConfig{{Proto: TCP, Addr: in.Addr, Inherited: in}}
	})
	c := r.dial(TCP)
	back := bufio.NewReader(c)
	ack := request("ACK", "inherited", 1, "") // what is echoed is no reply, and an ACK waits for none
	echoed := func() {
		t.Helper()
		_, _ = c.Write([]byte(ack))
		if got, err := readMessage(back); err != nil || got != ack {
			t.Fatalf("%q, %v", got, err)
		}
	}
	echoed()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := r.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	late := r.dial(TCP)
	owner, err := ln.Accept()
	if err != nil || owner.RemoteAddr().String() != late.LocalAddr().String() {
		t.Fatalf("%v, %v", owner, err)
	}
	owner.Close()
	echoed()
}

// The half of a message is waited for, and named when it does not come.
func TestDrainWaitsForTheOtherHalf(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		r := start(t, &script{message: echo}, nil)
		c := r.dial(p)
		m := request("ACK", "half", 1, "") // echoed, and waits for no reply
		_, _ = c.Write([]byte(m[:50]))
		r.eventually("a half is there", func() bool { return strings.Contains(r.underWay(), "incomplete") })
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if err := r.Drain(over); err == nil || !strings.Contains(err.Error(), "1 incomplete messages") {
			t.Errorf("drained: %v", err)
		}
		done := make(chan error)
		go func() { done <- r.Drain(t.Context()) }()
		_, _ = c.Write([]byte(m[50:]))
		if got, err := readMessage(bufio.NewReader(c)); err != nil || got != m {
			t.Errorf("%q, %v", got, err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
