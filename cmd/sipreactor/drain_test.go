package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"syscall"
	"testing"
	"time"

	"sipreactor/cmd/sipreactor/load"
)

// edge runs a proxy over TCP that forwards all it gets, and a listener that is
// the next hop.
func edge(t *testing.T, more string) (r *running, addr string, next net.Listener) {
	t.Helper()
	next, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { next.Close() })
	addr = "127.0.0.1:" + freePort(t)
	path := config(t, "socket=tcp:"+addr+"\nloadmodule \"proto_tcp.so\"\n"+more+
		"\nroute { forward(\"tcp:"+next.Addr().String()+"\"); }\n")
	r = &running{addr: addr, stderr: newOutput(), stdout: newOutput(), code: make(chan int, 1)}
	go func() { r.code <- run(t.Context(), []string{"-f", path}, r.stdout, r.stderr) }()
	r.stderr.wait(t, "msg=ready")
	return r, addr, next
}

// line is one end of a connection with its reader.
type line struct {
	testing.TB
	net.Conn
	in *load.Reader
}

func newLine(t testing.TB, c net.Conn, err error) *line {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return &line{t, c, load.NewReader(c)}
}

func (l *line) say(text string) {
	l.Helper()
	if _, err := io.WriteString(l, text); err != nil {
		l.Fatal(err)
	}
}

func (l *line) hear() *load.Message {
	l.Helper()
	m := new(load.Message)
	if err := l.in.Next(m); err != nil {
		l.Fatal(err)
	}
	return m
}

func ask(callID, to string) string {
	return fmt.Sprintf("OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK%[1]s\r\nMax-Forwards: 70\r\n"+
		"From: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:x@127.0.0.1>%[2]s\r\nCall-ID: %[1]s\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n", callID, to)
}

// answerTo is a response with all that a proxy wants to see of the request.
func answerTo(m *load.Message) string {
	text := "SIP/2.0 200 OK\r\n"
	for _, v := range m.Vias {
		text += "Via: " + string(v) + "\r\n"
	}
	return text + fmt.Sprintf("From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\nContent-Length: 0\r\n\r\n", m.From, m.To, m.CallID, m.CSeq)
}

// Behind SIGTERM every request that is under way gets its answer, a request
// within a dialog too; new ones are told when to come again, and nobody is
// accepted. Then it ends by itself.
func TestDrainFinishesWhatIsUnderWay(t *testing.T) {
	const n = 20
	r, addr, next := edge(t, "shutdown_timeout=3600")
	dial := func() *line { c, err := net.Dial("tcp", addr); return newLine(t, c, err) }
	client, slow := dial(), dial()
	var uas *line
	var held []string
	for i := range n {
		client.say(ask(fmt.Sprint("held", i), ""))
		if uas == nil {
			c, err := next.Accept()
			uas = newLine(t, c, err)
		}
		held = append(held, answerTo(uas.hear()))
	}
	half := ask("half", "")
	slow.say(half[:100])

	r.signal(t, syscall.SIGTERM)
	r.stderr.wait(t, "msg=draining")
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		c, err := net.Dial("tcp", addr)
		if errors.Is(err, syscall.ECONNREFUSED) {
			break
		}
		if err == nil {
			c.Close()
		}
		if time.Now().After(end) {
			t.Fatalf("connections are still accepted: %v", err)
		}
	}
	client.say(ask("new", ""))
	if m := client.hear(); m.Status != 503 {
		t.Errorf("a new request is answered %d", m.Status)
	}
	client.say(ask("dialog", ";tag=2"))
	uas.say(answerTo(uas.hear()))
	if m := client.hear(); m.Status != 200 {
		t.Errorf("a request within a dialog is answered %d", m.Status)
	}
	select {
	case code := <-r.code:
		t.Fatalf("it ended with %d while requests were under way\n%s", code, r.stderr)
	case <-time.After(50 * time.Millisecond):
	}
	for _, a := range held {
		uas.say(a)
		if m := client.hear(); m.Status != 200 {
			t.Errorf("a request under way is answered %d", m.Status)
		}
	}
	slow.say(half[100:])
	if m := slow.hear(); m.Status != 503 {
		t.Errorf("the request that came in two is answered %d", m.Status)
	}
	r.exit(t)
}

// What nobody answers ends with shutdown_timeout, and a second signal ends it at
// once.
func TestDrainHasAnEnd(t *testing.T) {
	for _, limit := range []int{1, 20} {
		t.Run(strconv.Itoa(limit), func(t *testing.T) {
			r, addr, next := edge(t, "shutdown_timeout="+strconv.Itoa(limit))
			c, err := net.Dial("tcp", addr)
			client := newLine(t, c, err)
			client.say(ask("never", ""))
			c, err = next.Accept()
			newLine(t, c, err).hear()
			r.signal(t, syscall.SIGTERM)
			r.stderr.wait(t, "msg=draining")
			if limit == 1 {
				r.exit(t)
				r.stderr.wait(t, "1 requests without an answer")
				return
			}
			r.signal(t, syscall.SIGTERM)
			if code := <-r.code; code != exitFailed {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

// A next hop by UDP has no connection that counts what was sent there: what the
// client's own connection has not been answered is waited for.
func TestDrainWaitsForAnswersByUDP(t *testing.T) {
	next, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer next.Close()
	_ = next.SetDeadline(time.Now().Add(patience))
	addr := "127.0.0.1:" + freePort(t)
	r := &running{addr: addr, stderr: newOutput(), stdout: newOutput(), code: make(chan int, 1)}
	path := config(t, "shutdown_timeout=3600\nsocket=tcp:"+addr+"\nsocket=udp:127.0.0.1:"+freePort(t)+
		"\nloadmodule \"proto_tcp.so\"\nloadmodule \"proto_udp.so\"\nroute { forward(\"udp:"+next.LocalAddr().String()+"\"); }\n")
	go func() { r.code <- run(t.Context(), []string{"-f", path}, r.stdout, r.stderr) }()
	r.stderr.wait(t, "msg=ready")
	c, err := net.Dial("tcp", addr)
	client := newLine(t, c, err)
	client.say(ask("slow", ""))
	buf := make([]byte, 1<<16)
	n, from, err := next.ReadFrom(buf)
	if err != nil {
		t.Fatal(err)
	}
	m := new(load.Message)
	if err := load.NewReader(bytes.NewReader(buf[:n])).Next(m); err != nil {
		t.Fatal(err)
	}
	r.signal(t, syscall.SIGTERM)
	r.stderr.wait(t, "msg=draining")
	select {
	case code := <-r.code:
		t.Fatalf("it ended with %d while a request was under way\n%s", code, r.stderr)
	case <-time.After(100 * time.Millisecond):
	}
	if _, err := next.WriteTo([]byte(answerTo(m)), from); err != nil {
		t.Fatal(err)
	}
	if m := client.hear(); m.Status != 200 {
		t.Errorf("the request under way is answered %d", m.Status)
	}
	r.exit(t)
}
