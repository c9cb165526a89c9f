package main

import (
	"crypto/tls"
	"net"
	"strings"
	"sync"
	"testing"

	"sipreactor/cmd/sipreactor/load"
)

// mood is what a fickle gateway does.
type mood string

const (
	sound      mood = "sound"      // answers 486, and 200 to OPTIONS
	gone       mood = "gone"       // its process is killed: connections are reset, nobody listens
	frozen     mood = "frozen"     // its process is stopped: the kernel takes what comes, nobody reads it
	overloaded mood = "overloaded" // answers 503 to all
	trying     mood = "trying"     // answers 100, and nothing more
	resetting  mood = "resetting"  // resets the connection of each request
	expired    mood = "expired"    // its certificate has expired; nobody is connected
)

// fickle is a gateway over TLS whose mood changes. It is sound at first.
type fickle struct {
	t          *testing.T
	addr       string
	good, late *tls.Config // late has expired
	running    sync.WaitGroup

	mu      sync.Mutex
	turned  *sync.Cond // the mood
	mood    mood
	ln      net.Listener // nil: it is gone
	conns   map[net.Conn]bool
	invites int
}

func newFickle(t *testing.T, ca *load.Authority) *fickle {
	t.Helper()
	good, err := ca.ServerConfig("ecdsa", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	late, err := ca.ExpiredConfig("ecdsa", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	f := &fickle{t: t, addr: "127.0.0.1:" + freePort(t), good: good, late: late, mood: sound, conns: map[net.Conn]bool{}}
	f.turned = sync.NewCond(&f.mu)
	f.listen()
	t.Cleanup(func() {
		f.turn(gone)
		f.running.Wait()
	})
	return f
}

// listen begins to listen, where it did before.
func (f *fickle) listen() {
	f.t.Helper()
	ln, err := net.Listen("tcp", f.addr)
	if err != nil {
		f.t.Fatal(err)
	}
	f.addr, f.ln = ln.Addr().String(), ln
	f.running.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			f.running.Go(func() { f.serve(c.(*net.TCPConn)) })
		}
	})
}

// turn changes the mood. Connections do not outlive one that would not have them.
func (f *fickle) turn(to mood) {
	f.t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mood = to
	if to == gone || to == expired {
		for c := range f.conns {
			_ = c.(*net.TCPConn).SetLinger(0)
			c.Close()
		}
	}
	switch {
	case to == gone && f.ln != nil:
		f.ln.Close()
		f.ln = nil
	case to != gone && f.ln == nil:
		f.listen()
	}
	f.turned.Broadcast()
}

// now gives the mood once it is not frozen, and counts calls.
func (f *fickle) now(invite bool) mood {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.mood == frozen {
		f.turned.Wait()
	}
	if invite {
		f.invites++
	}
	return f.mood
}

// calls counts those that it has read.
func (f *fickle) calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.invites
}

func (f *fickle) serve(raw *net.TCPConn) {
	defer raw.Close()
	f.mu.Lock()
	f.conns[raw] = true
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		delete(f.conns, raw)
		f.mu.Unlock()
	}()
	cfg := f.good
	if f.now(false) == expired {
		cfg = f.late
	}
	c := tls.Server(raw, cfg)
	in := load.NewReader(c)
	var m load.Message
	for in.Next(&m) == nil {
		if !m.Request || string(m.Method) == "ACK" {
			continue
		}
		invite := string(m.Method) == "INVITE"
		status := "200 OK"
		if invite {
			status = "486 Busy Here"
		}
		switch f.now(invite) {
		case overloaded:
			status = "503 Overloaded"
		case trying:
			status = "100 Trying"
		case resetting:
			_ = raw.SetLinger(0)
			return
		case sound, gone, frozen, expired:
		}
		if _, err := c.Write([]byte(strings.Replace(answerTo(&m), "200 OK", status, 1))); err != nil {
			return
		}
	}
}
