package compare

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"sipreactor/bench/system"
	"sipreactor/reactor/modules/rtpengine/ng"
)

// stubEngine speaks rtpengine's protocol and has no media: it gives back the SDP that it gets, at once, so that what is
// measured is who asks.
type stubEngine struct {
	conn net.PacketConn
	done chan struct{}
}

func startStub() (*stubEngine, error) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &stubEngine{conn, make(chan struct{})}
	go s.serve()
	return s, nil
}

func (s *stubEngine) serve() {
	defer close(s.done)
	in, out := make([]byte, 65536), make([]byte, 0, 65536)
	for {
		n, from, err := s.conn.ReadFrom(in)
		if err != nil {
			return
		}
		if out = answered(out[:0], in[:n]); len(out) > 0 {
			_, _ = s.conn.WriteTo(out, from) // who has gone asks no more
		}
	}
}

// answered appends the answer to a request: its cookie, and the dictionary.
func answered(dst, request []byte) []byte {
	cookie, body, ok := bytes.Cut(request, []byte{' '})
	if !ok {
		return dst
	}
	d, err := ng.Parse(body)
	if err != nil {
		return dst
	}
	reply := ng.Dict{{Key: "result", Value: "ok"}}
	switch d.Text("command") {
	case "ping":
		reply[0].Value = "pong"
	case "offer", "answer":
		reply.Add("sdp", d.Text("sdp"))
	}
	return ng.Append(append(append(dst, cookie...), ' '), reply)
}

func (s *stubEngine) close() {
	_ = s.conn.Close()
	<-s.done
}

// withStub has the media of calls pass a stub.
func withStub(_ context.Context, t *trial, s *system.Setup) error {
	stub, err := startStub()
	if err != nil {
		return err
	}
	t.after = append(t.after, stub.close)
	s.Media = stub.conn.LocalAddr().String()
	return nil
}

// withEngine has it pass the real one, without its kernel module: what it takes is not the system's, but others' work.
func withEngine(ctx context.Context, t *trial, s *system.Setup) error {
	path, err := exec.LookPath("rtpengine")
	if err != nil {
		return errors.New("no rtpengine on the PATH (Debian: apt-get install rtpengine-daemon)")
	}
	if s.Media, err = unusedUDP(); err != nil {
		return err
	}
	cmd := exec.Command(path, "--config-file=none", "--foreground", "--log-stderr", "--log-level=3", "--table=-1", "--num-threads=2",
		"--interface=127.0.0.1", "--listen-ng="+s.Media, "--port-min=30000", "--port-max=40000", "--pidfile="+filepath.Join(s.Dir, "rtpengine.pid"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	t.after = append(t.after, func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	client := ng.NewClient(s.Media, 200*time.Millisecond, 0, nil)
	defer client.Close()
	for end := time.Now().Add(20 * time.Second); ; {
		d, err := client.Do(ctx, ng.Dict{{Key: "command", Value: "ping"}})
		if err == nil && d.Text("result") == "pong" {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("rtpengine does not answer: %w", err)
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// unusedUDP is an address of loopback that nobody has.
func unusedUDP() (string, error) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	return conn.LocalAddr().String(), nil
}
