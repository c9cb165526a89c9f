package hep

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/tlsstate"
)

// tap is a relay to a server that records what passes.
type tap struct {
	net.Listener
	to string

	mu   sync.Mutex
	rec  *recording
	next [2]uint32 // sequence numbers: of the client, of the server
	wait sync.WaitGroup
}

func newTap(t *testing.T, to string) *tap {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &tap{Listener: ln, to: to, rec: newRecording(), next: [2]uint32{1, 1}}
	p.wait.Go(p.relay)
	t.Cleanup(func() { ln.Close(); p.wait.Wait() })
	return p
}

// relay carries one connection.
func (p *tap) relay() {
	client, err := p.Accept()
	if err != nil {
		return
	}
	defer client.Close()
	server, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	defer server.Close()
	deadline := time.Now().Add(2 * patience)
	_, _ = client.SetDeadline(deadline), server.SetDeadline(deadline)
	p.wait.Go(func() {
		p.carry(1, server, client)
		client.Close()
	})
	p.carry(0, client, server)
}

// carry copies one direction; a chunk is recorded before it can be answered.
func (p *tap) carry(direction int, from io.Reader, to io.Writer) {
	buf := make([]byte, 1400)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		p.segment(direction, buf[:n])
		if _, err = to.Write(buf[:n]); err != nil {
			return
		}
	}
}

func (p *tap) segment(direction int, data []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ports := [2]uint16{40000, 5061}
	head := binary.BigEndian.AppendUint16(nil, ports[direction])
	head = binary.BigEndian.AppendUint16(head, ports[1-direction])
	head = binary.BigEndian.AppendUint32(head, p.next[direction])
	head = binary.BigEndian.AppendUint32(head, p.next[1-direction])
	head = append(head, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0)
	p.rec.packet(ipTCP, append(head, data...))
	p.next[direction] += uint32(len(data))
}

// With the secrets that the opening brings, tshark reads a capture of the
// connection.
func TestSecretsDecryptCapture(t *testing.T) {
	for name, version := range map[string]uint16{"TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13} {
		t.Run(name, func(t *testing.T) {
			s := build(t, TCP, nil)
			p := newTap(t, s.addr())
			c, err := tls.Dial("tcp", p.Addr().String(), &tls.Config{RootCAs: s.roots, MinVersion: version, MaxVersion: version})
			if err != nil {
				t.Fatal(err)
			}
			_ = c.SetDeadline(time.Now().Add(patience))
			exchange(t, c, strings.Replace(options, "Content", "Call-ID: secret\r\nContent", 1))
			_, event := s.event(Accepted)
			c.Close()
			p.wait.Wait()
			keys := filepath.Join(t.TempDir(), "keys.log")
			if err := os.WriteFile(keys, []byte(event["master-key"]), 0o600); err != nil {
				t.Fatal(err)
			}
			fields, port := []string{"sip.Method", "sip.Call-ID"}, []string{"-d", "tcp.port==5061,tls"}
			if got, want := tsharkReads(t, p.rec, "sip", fields, append(port, "-o", "tls.keylog_file:"+keys)...), "OPTIONS\tsecret\nOPTIONS\tsecret"; got != want {
				t.Errorf("tshark reads %q, want %q", got, want)
			}
			if got := tsharkReads(t, p.rec, "sip", fields, port...); got != "" {
				t.Errorf("without secrets tshark reads %q", got)
			}
		})
	}
}

func TestTracerSecrets(t *testing.T) {
	const line = "CLIENT_RANDOM aa bb\n"
	for _, allowed := range []bool{false, true} {
		b := newBench(t, func(c *Config) { c.Secrets = allowed })
		if b.WantSecrets() != allowed {
			t.Errorf("allowed %v: wanted %v", allowed, b.WantSecrets())
		}
		src, bad := source(1, false), source(2, true)
		b.life(src, nil, accepted)
		b.Observe(&reactor.Event{Kind: established, Src: src, TLS: &tlsstate.State{}, Secrets: line})
		b.life(src, orderly, closed)
		b.life(bad, nil, started)
		b.Observe(&reactor.Event{Kind: closed, Src: bad, Err: late, TLS: &tlsstate.State{}, Secrets: line})
		for i, want := range []bool{allowed, false, allowed} {
			p := b.await(3)[i]
			if key, there := object(t, p)["master-key"]; there != want || there && key != line {
				t.Errorf("allowed %v, packet %d: %s", allowed, i, p.Payload)
			}
		}
		b.Switch(reactor.TLS, false)
		if b.WantSecrets() {
			t.Error("wanted while nothing is traced")
		}
	}
	if New(Config{Secrets: true, TLS: Lane{On: true}}).WantSecrets() {
		t.Error("wanted without a collector")
	}
}

func TestNewWarns(t *testing.T) {
	fail := func(c *SenderConfig) {
		c.Drain = time.Millisecond
		c.Dial = dialNothing
	}
	for id, want := range map[string]bool{
		"[h]192.0.2.1":               true,
		"[h]127.0.0.1":               false,
		"[h]192.0.2.1;transport=tls": false,
	} {
		d, err := ParseID(id)
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		cfg := Config{TLS: Lane{To: send(t, d, fail)}, Secrets: true, Logger: slog.New(slog.NewTextHandler(&log, nil))}
		New(cfg)
		if got := strings.Contains(log.String(), "trace_master_key"); got != want {
			t.Errorf("%s: the log says %q", id, log.String())
		}
		log.Reset()
		cfg.Secrets = false
		New(cfg)
		if log.Len() != 0 {
			t.Errorf("%s: without secrets the log says %q", id, log.String())
		}
	}
}
