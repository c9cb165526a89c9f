// Package freeswitchtest plays the Event Socket of a FreeSWITCH server, for tests.
package freeswitchtest

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// Server is an Event Socket.
type Server struct {
	Addr string // host:port
	// Answer gives the answer to an api command; nil: each is answered "+OK".
	Answer func(command string) string

	password string
	mu       sync.Mutex
	conns    map[net.Conn]bool // logged in
	heard    []string          // commands
	told     chan struct{}     // closed at the next command
}

// Listen opens one that lets those in who know the password, and closes it at the end of the
// test.
func Listen(t testing.TB, password string) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Addr: l.Addr().String(), password: password, conns: map[net.Conn]bool{}, told: make(chan struct{})}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { s.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		s.Drop()
		all.Wait()
	})
	return s
}

func (s *Server) serve(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	fmt.Fprint(c, "Content-Type: auth/request\n\n")
	for {
		var lines []string
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			if line = strings.TrimRight(line, "\r\n"); line == "" {
				break
			}
			lines = append(lines, line)
		}
		if !s.answer(c, strings.Join(lines, "\n")) {
			return
		}
	}
}

func (s *Server) answer(c net.Conn, command string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, command)
	close(s.told)
	s.told = make(chan struct{})
	switch {
	case strings.HasPrefix(command, "auth "), strings.HasPrefix(command, "userauth "):
		if _, given, _ := strings.Cut(command, " "); given != s.password {
			fmt.Fprint(c, "Content-Type: command/reply\nReply-Text: -ERR invalid\n\n")
			return false
		}
		s.conns[c] = true
		fmt.Fprint(c, "Content-Type: command/reply\nReply-Text: +OK accepted\n\n")
	case strings.HasPrefix(command, "api "):
		text := "+OK\n"
		if s.Answer != nil {
			text = s.Answer(command)
		}
		fmt.Fprintf(c, "Content-Type: api/response\nContent-Length: %d\n\n%s", len(text), text)
	default:
		fmt.Fprint(c, "Content-Type: command/reply\nReply-Text: +OK\n\n")
	}
	return true
}

// Send sends an event, JSON, to all who are logged in.
func (s *Server) Send(event string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		fmt.Fprintf(c, "Content-Length: %d\nContent-Type: text/event-json\n\n%s", len(event), event)
	}
}

// Beat sends heartbeats, with 100 of 1000 sessions and so much idle CPU in percent, until a list has a text. What has
// not come when the time is over is an error.
func (s *Server) Beat(t testing.TB, idle string, list func() string, text string) {
	t.Helper()
	got := ""
	for end := time.Now().Add(20 * time.Second); !strings.Contains(got, text); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("%s idle: %s", idle, got)
			return
		}
		s.Send(`{"Event-Name":"HEARTBEAT","Idle-CPU":"` + idle + `","Max-Sessions":"1000","Session-Count":"100"}`)
		got = list()
	}
}

// Drop closes the connections of those who are logged in.
func (s *Server) Drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close()
	}
	clear(s.conns)
}

// Await waits for a command, and forgets those before it.
func (s *Server) Await(t testing.TB, command string) {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		s.mu.Lock()
		told := s.told
		for i, h := range s.heard {
			if h == command {
				s.heard = s.heard[i+1:]
				s.mu.Unlock()
				return
			}
		}
		heard := fmt.Sprintf("%q", s.heard)
		s.mu.Unlock()
		select {
		case <-told:
		case <-late:
			t.Fatalf("%q was not heard, but %s", command, heard)
		}
	}
}
