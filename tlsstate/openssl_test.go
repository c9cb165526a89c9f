package tlsstate_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

func needOpenSSL(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("the openssl program is not installed (apt-get install openssl)")
	}
}

// openssl is the program with its standard streams.
type openssl struct {
	in  io.WriteCloser
	mu  sync.Mutex
	out strings.Builder
}

func (o *openssl) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.out.String()
}

func runOpenSSL(t *testing.T, args ...string) *openssl {
	t.Helper()
	cmd := exec.Command("openssl", args...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	o := &openssl{in: in}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for s := bufio.NewScanner(out); s.Scan(); {
			o.mu.Lock()
			o.out.WriteString(s.Text() + "\n")
			o.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		in.Close()
		cmd.Process.Kill()
		cmd.Wait()
		w.Close()
		<-read
		if t.Failed() {
			t.Logf("openssl %s:\n%s", strings.Join(args, " "), o.text())
		}
	})
	return o
}

func (o *openssl) say(t *testing.T, line string) {
	t.Helper()
	if _, err := io.WriteString(o.in, line+"\n"); err != nil {
		t.Fatal(err)
	}
}

// sClient runs openssl s_client against a server machine.
func sClient(t *testing.T, w *world, set *tlsstate.Set, args ...string) (*openssl, *driver) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	cert, key := w.client.Files(t)
	args = append([]string{"s_client", "-connect", l.Addr().String(), "-CAfile", w.ca.File(t), "-cert", cert, "-key", key,
		"-verify_return_error", "-servername", "sip.example.com"}, args...)
	o := runOpenSSL(t, args...)
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return o, drive(t, newServer(t, set), conn)
}

// sServer runs openssl s_server; the machine comes to it.
func sServer(t *testing.T, w *world, set *tlsstate.Set, args ...string) (o *openssl, dial func() *driver) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	cert, key := w.server.Files(t)
	args = append([]string{"s_server", "-accept", addr, "-CAfile", w.ca.File(t), "-cert", cert, "-key", key,
		"-Verify", "3", "-verify_return_error"}, args...)
	o = runOpenSSL(t, args...)
	return o, func() *driver {
		t.Helper()
		for try := 0; ; try++ {
			conn, err := net.Dial("tcp", addr)
			if err == nil {
				return drive(t, newClient(t, set, "sip.example.com"), conn)
			}
			if try > 100 {
				t.Fatal(err)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
}

func TestOpenSSLClient(t *testing.T) {
	needOpenSSL(t)
	w := newWorld(t)
	set := w.set(t, nil)
	for _, c := range []struct {
		args    []string
		version string
		retried bool
	}{
		{[]string{"-tls1_2"}, "TLSv1.2", false},
		{[]string{"-tls1_3"}, "TLSv1.3", false},
		{[]string{"-tls1_3", "-groups", "P-521:P-256"}, "TLSv1.3", true},
		{[]string{"-tls1_3", "-groups", "P-384"}, "TLSv1.3", false},
		{[]string{"-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"}, "TLSv1.3", false},
		{[]string{"-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"}, "TLSv1.2", false},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			o, d := sClient(t, w, set, append(c.args, "-quiet", "-no_ign_eof")...)
			if err := d.handshake(); err != nil {
				t.Fatal(err)
			}
			if s := d.State(); s.VersionName() != c.version || s.Retried != c.retried || !s.Verified {
				t.Fatalf("%+v", s)
			}
			o.say(t, "hello from openssl")
			if _, err := d.readUntil("hello from openssl\n"); err != nil {
				t.Fatal(err)
			}
			if err := d.write([]byte("hello from the machine\n")); err != nil {
				t.Fatal(err)
			}
			o.waitFor(t, "hello from the machine")
			o.in.Close()
			if _, err := d.read(make([]byte, 10)); err != io.EOF {
				t.Errorf("no close_notify: %v", err)
			}
		})
	}
}

// waitFor waits until openssl has printed a text.
func (o *openssl) waitFor(t *testing.T, mark string) {
	t.Helper()
	o.waitForCount(t, mark, 1)
}

func (o *openssl) waitForCount(t *testing.T, mark string, times int) {
	t.Helper()
	for range 400 {
		if strings.Count(o.text(), mark) >= times {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatalf("openssl never printed %q", mark)
}

// K makes s_client and s_server send a KeyUpdate that asks for ours.
func TestOpenSSLKeyUpdate(t *testing.T) {
	needOpenSSL(t)
	w := newWorld(t)
	o, d := sClient(t, w, w.set(t, nil), "-tls1_3")
	if err := d.handshake(); err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		o.say(t, "K")
		o.waitForCount(t, "KEYUPDATE", n+1)
		o.say(t, "after the key update")
		if _, err := d.readUntil("after the key update\n"); err != nil {
			t.Fatal(err)
		}
		if err := d.write([]byte("answered under new keys\n")); err != nil {
			t.Fatal(err)
		}
	}
	o.waitFor(t, "answered under new keys")
}

func TestOpenSSLServer(t *testing.T) {
	needOpenSSL(t)
	w := newWorld(t)
	for _, c := range []struct{ args, version string }{
		{"-tls1_2", "TLSv1.2"},
		{"-tls1_3", "TLSv1.3"},
		{"-tls1_3 -groups P-384", "TLSv1.3"},
	} {
		t.Run(c.args, func(t *testing.T) {
			o, dial := sServer(t, w, w.set(t, nil), append(strings.Fields(c.args), "-quiet")...)
			d := dial()
			if err := d.handshake(); err != nil {
				t.Fatal(err)
			}
			if s := d.State(); s.VersionName() != c.version || !s.Verified {
				t.Fatalf("%+v", s)
			}
			if err := d.write([]byte("from the machine\n")); err != nil {
				t.Fatal(err)
			}
			o.waitFor(t, "from the machine")
			o.say(t, "from openssl")
			if _, err := d.readUntil("from openssl\n"); err != nil {
				t.Fatal(err)
			}
			if err := d.goodbye(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// Tickets of OpenSSL's server resume a client machine's next connection.
func TestOpenSSLResumesUs(t *testing.T) {
	needOpenSSL(t)
	w := newWorld(t)
	for _, version := range []string{"-tls1_2", "-tls1_3"} {
		t.Run(version, func(t *testing.T) {
			o, dial := sServer(t, w, w.set(t, nil), version)
			for i, resumed := range []bool{false, true} {
				d := dial()
				if err := d.handshake(); err != nil {
					t.Fatal(err)
				}
				mark := fmt.Sprintf("line %d", i)
				o.waitFor(t, "CIPHER is")
				o.say(t, mark)
				if _, err := d.readUntil(mark); err != nil { // reads the tickets as well
					t.Fatal(err)
				}
				if d.State().Resumed != resumed {
					t.Fatalf("connection %d: resumed %v", i, d.State().Resumed)
				}
				if err := d.goodbye(); err != nil {
					t.Fatal(err)
				}
				d.conn.Close()
			}
		})
	}
}

// Tickets of a server machine resume OpenSSL's next connection.
func TestWeResumeOpenSSL(t *testing.T) {
	needOpenSSL(t)
	w := newWorld(t)
	for _, version := range []string{"-tls1_2", "-tls1_3"} {
		t.Run(version, func(t *testing.T) {
			set := w.set(t, nil)
			file := filepath.Join(t.TempDir(), "session.pem")
			for i, arg := range []string{"-sess_out", "-sess_in"} {
				o, d := sClient(t, w, set, version, arg, file)
				if err := d.handshake(); err != nil {
					t.Fatal(err)
				}
				if err := d.write([]byte("some line\n")); err != nil {
					t.Fatal(err)
				}
				o.waitFor(t, "some line")
				if d.State().Resumed != (i == 1) {
					t.Fatalf("connection %d: resumed %v", i, d.State().Resumed)
				}
				if s := d.State(); len(s.Peer) == 0 || !s.Verified {
					t.Fatalf("connection %d: %+v", i, s)
				}
				o.say(t, "Q")
				if _, err := d.read(make([]byte, 100)); err != io.EOF {
					t.Fatal(err)
				}
				waitForFile(t, file)
			}
		})
	}
}

func waitForFile(t *testing.T, file string) {
	t.Helper()
	for range 200 {
		if info, err := os.Stat(file); err == nil && info.Size() > 0 {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatalf("openssl never wrote %s", file)
}

// A client that does not trust us says so, and we say that it did.
func TestOpenSSLRefusesUs(t *testing.T) {
	needOpenSSL(t)
	w, stranger := newWorld(t), newWorld(t)
	set := w.set(t, func(s, _ *tlsstate.DomainConfig) {
		s.Certificates = []tlsstate.KeyPair{keyPair(stranger.server)}
	})
	_, d := sClient(t, w, set)
	wantError(t, d.handshake(), tlsstate.BlamePeer, "alert received: unknown_ca")
}

// A public authority's certificate, good for servers only, is a client's too.
func TestOpenSSLClientWithServerCertificate(t *testing.T) {
	needOpenSSL(t)
	w := newWorld(t)
	w.client = w.ca.Leaf(t, tlstest.Leaf{CN: "carrier", DNS: []string{"carrier.example.com"}, Usages: serverAuth})
	_, d := sClient(t, w, w.set(t, nil))
	if err := d.handshake(); err != nil {
		t.Fatal(err)
	}
	strict := w.set(t, func(s, _ *tlsstate.DomainConfig) { s.AcceptEKU = []string{"clientAuth"} })
	_, d = sClient(t, w, strict)
	var e *tlsstate.Error
	if err := d.handshake(); !errors.As(err, &e) || e.Reason != tlsstate.ReasonUsage {
		t.Fatal(err)
	}
}
