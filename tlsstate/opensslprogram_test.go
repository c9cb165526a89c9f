package tlsstate_test

import (
	"bufio"
	"io"
	"net"
	"os/exec"
	"slices"
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
func sClient(t *testing.T, w *tlstest.World, set *tlsstate.Set, args ...string) (*openssl, *driver) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	cert, key := w.Client.Files(t)
	args = append([]string{"s_client", "-connect", l.Addr().String(), "-CAfile", w.CA.File(t), "-cert", cert, "-key", key,
		"-verify_return_error"}, args...)
	if !slices.Contains(args, "-noservername") {
		args = append(args, "-servername", "sip.example.com")
	}
	o := runOpenSSL(t, args...)
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return o, drive(t, tlstest.NewServer(t, set), conn)
}

// sServer runs openssl s_server, without -quiet: it tells its port. The machine comes to it.
func sServer(t *testing.T, w *tlstest.World, set *tlsstate.Set, args ...string) (o *openssl, dial func() *driver) {
	t.Helper()
	cert, key := w.Server.Files(t)
	args = append([]string{"s_server", "-accept", "127.0.0.1:0", "-CAfile", w.CA.File(t), "-cert", cert, "-key", key,
		"-Verify", "3", "-verify_return_error"}, args...)
	o = runOpenSSL(t, args...)
	const accepts = "ACCEPT "
	o.waitFor(t, accepts)
	_, addr, _ := strings.Cut(o.text(), accepts)
	addr, _, _ = strings.Cut(addr, "\n")
	return o, func() *driver {
		t.Helper()
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		return drive(t, tlstest.NewClient(t, set, "sip.example.com"), conn)
	}
}

// waitFor waits until openssl has printed a text.
func (o *openssl) waitFor(t *testing.T, mark string) {
	t.Helper()
	o.waitForCount(t, mark, 1)
}

func (o *openssl) waitForCount(t *testing.T, mark string, times int) {
	t.Helper()
	for range 1200 {
		if strings.Count(o.text(), mark) >= times {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatalf("openssl never printed %q", mark)
}
