package main

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// program starts the program as a child process, with its log on a pipe.
func program(t *testing.T, text string, stderr *os.File) (child *exec.Cmd, addr string) {
	t.Helper()
	addr = "127.0.0.1:" + freePort(t)
	path := config(t, "socket=tcp:"+addr+"\nloadmodule \"proto_tcp.so\"\nloadmodule \"sl.so\"\n"+text+
		"\nroute { xlog(\"L_ERR\", \"line\"); sl_send_reply(200, \"OK\"); }\n")
	child = exec.Command(os.Args[0], "-f", path)
	child.Env = append(os.Environ(), asProgram+"=1")
	child.Stdout, child.Stderr = stderr, stderr
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = child.Process.Kill(); _ = child.Wait() })
	return child, addr
}

// isAnswered asks the program, as often as it takes for it to be up.
func isAnswered(t *testing.T, addr string, times int) {
	t.Helper()
	var c net.Conn
	var err error
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if c, err = net.Dial("tcp", addr); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	defer c.Close()
	in := bufio.NewReader(c)
	for range times {
		_ = c.SetDeadline(time.Now().Add(patience))
		_, _ = io.WriteString(c, "OPTIONS sip:here SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bKa;rport\r\nMax-Forwards: 70\r\n"+
			"From: <sip:a@b>;tag=1\r\nTo: <sip:here>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")
		line, err := in.ReadString('\n')
		if err != nil || !strings.HasPrefix(line, "SIP/2.0 200") {
			t.Fatalf("%q, %v", line, err)
		}
		for line != "\r\n" {
			if line, err = in.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// The reader of the log goes away, is stopped, or is a disk that is full: the
// program answers on, and ends in order when it is told to.
func TestLogReaderThatFails(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(t *testing.T) (*os.File, func()){
		"gone": func(t *testing.T) (*os.File, func()) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			return w, func() { r.Close() }
		},
		"stopped": func(t *testing.T) (*os.File, func()) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { r.Close() })
			return w, func() {}
		},
		"full": func(t *testing.T) (*os.File, func()) {
			f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			return f, func() {}
		},
	} {
		t.Run(name, func(t *testing.T) {
			stderr, fail := open(t)
			child, addr := program(t, "", stderr)
			stderr.Close()
			isAnswered(t, addr, 1)
			fail()
			isAnswered(t, addr, 3000) // more lines than a pipe holds
			_ = child.Process.Signal(syscall.SIGTERM)
			done := make(chan error, 1)
			go func() { done <- child.Wait() }()
			select {
			case err := <-done:
				if err != nil {
					t.Errorf("it ended with %v", err)
				}
			case <-time.After(patience):
				t.Error("it does not end")
			}
		})
	}
}

// A key log on a full disk is told once, and the handshakes succeed.
func TestKeyLogOnAFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	var said strings.Builder
	k := newKeyLogFile(full, slog.New(slog.NewTextHandler(&said, nil)))
	for range 100 {
		_, _ = k.Write([]byte("SECRET\n"))
	}
	k.Close()
	if k.lost.Load() != 100 || strings.Count(said.String(), "cannot be written") != 1 {
		t.Errorf("%d lost: %s", k.lost.Load(), &said)
	}
	if k.f, err = os.Create(filepath.Join(t.TempDir(), "keys")); err != nil { // the goroutine has ended
		t.Fatal(err)
	}
	defer k.f.Close()
	for range 2 {
		k.write([]byte("SECRET\n"))
	}
	if s := said.String(); strings.Count(s, "lines_missing=100") != 1 || strings.Contains(s, "SECRET") {
		t.Error(s)
	}
}

// A key log whose reader has stopped holds up nobody: what finds no room is counted and told once, and neither does
// the end wait for it.
func TestKeyLogThatBlocks(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	line := bytes.Repeat([]byte("S"), 1024)
	if err := w.SetWriteDeadline(time.Now().Add(fast)); err != nil {
		t.Fatal(err)
	}
	for err == nil { // until the pipe is full: what finds room there is no loss
		_, err = w.Write(line)
	}
	if err := w.SetWriteDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	said := newOutput()
	k := newKeyLogFile(w, slog.New(slog.NewTextHandler(said, nil)))
	for range 2 * keyLogQueue {
		if _, err := k.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	said.wait(t, "too slow")
	if k.lost.Load() < keyLogQueue/2 {
		t.Errorf("%d lines are counted", k.lost.Load())
	}
	k.Close()
	<-k.stopped // closing the file has ended its write
	if n := strings.Count(said.String(), "cannot be written"); n != 1 {
		t.Errorf("%d lines: %s", n, said)
	}
}

// failing is a writer that takes half of each line, and fails, while it is told to.
type failing struct {
	strings.Builder
	fails bool
}

func (f *failing) Write(p []byte) (int, error) {
	if f.fails {
		n, _ := f.Builder.Write(p[:min(3, len(p))])
		return n, syscall.ENOSPC
	}
	return f.Builder.Write(p)
}

// What a full disk has swallowed is counted, and told once when there is room.
func TestLogWriterTellsOfAFullDisk(t *testing.T) {
	f := &failing{fails: true}
	w := newLogWriter(f, 100)
	for range 10 {
		_, _ = w.Write([]byte("line\n"))
	}
	for end := time.Now().Add(patience); w.Dropped() < 10 && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	w.Close(patience)
	if w.Dropped() != 10 {
		t.Errorf("%d lines are counted", w.Dropped())
	}
	f.fails = false // the goroutine has ended
	w2 := &logWriter{out: f, why: syscall.ENOSPC, cut: true}
	w2.dropped.Store(10)
	w2.confess()
	w2.confess()
	out := f.String()
	if strings.Count(out, "log lines dropped, the log could not be written: no space left on device") != 1 || !strings.Contains(out, "\ntime=") ||
		!strings.HasSuffix(out, "lines=10\n") {
		t.Errorf("%q", out)
	}
}
