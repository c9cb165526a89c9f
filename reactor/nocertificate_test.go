package reactor

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

// demanding are TLS 1.3 servers that want a certificate of whoever calls, which
// they look at when the caller's handshake is over.
var demanding = map[string]func(*testing.T, *tlstest.World) netip.AddrPort{"crypto/tls": demandingGo, "libssl": demandingLibssl}

func demandingGo(t *testing.T, w *tlstest.World) netip.AddrPort {
	cfg := &tls.Config{Certificates: []tls.Certificate{w.Server.TLS(t)}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: w.CA.Pool()}
	return accepting(t, func(c net.Conn) {
		s := tls.Server(c, cfg)
		_, _ = io.Copy(io.Discard, s)
		s.Close()
	})
}

func demandingLibssl(t *testing.T, w *tlstest.World) netip.AddrPort {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("the openssl program is not installed (apt-get install openssl)")
	}
	cert, key := w.Server.Files(t)
	cmd := exec.Command("openssl", "s_server", "-accept", "127.0.0.1:0", "-CAfile", w.CA.File(t), "-cert", cert, "-key", key,
		"-Verify", "3", "-verify_return_error")
	in, out := pipes(t, cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	read := make(chan struct{})
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Process.Kill()
		<-read
		_ = cmd.Wait()
	})
	defer func() {
		go func() {
			defer close(read)
			for lines.Scan() {
			}
		}()
	}()
	for lines.Scan() {
		if addr, ok := strings.CutPrefix(lines.Text(), "ACCEPT "); ok {
			return netip.MustParseAddrPort(addr)
		}
	}
	t.Fatal("s_server tells no address")
	return netip.AddrPort{}
}

func pipes(t *testing.T, cmd *exec.Cmd) (in io.WriteCloser, out io.Reader) {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if out, err = cmd.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	return in, out
}

// What was sent to a server that does not take us comes back, each message once,
// whether we have a certificate that it refuses or none at all: in TLS 1.3 the
// connection was established for us when it said so.
func TestServerThatDemandsACertificate(t *testing.T) {
	const messages = 30
	w, stranger := tlstest.NewWorld(t), tlstest.NewCA(t, "stranger").Leaf(t, tlstest.Leaf{CN: "stranger"})
	for name, peer := range demanding {
		for shown, pairs := range map[string][]tlsstate.KeyPair{"none": nil, "a stranger's": {stranger.KeyPair()}} {
			t.Run(name+" "+shown, func(t *testing.T) {
				addr, s := peer(t, w), &script{}
				r := start(t, s, func(c *Config) {
					d := w.ClientDomain()
					d.Certificates = pairs
					c.Domains = buildDomains(t, w.ServerDomain(), d)
				})
				back := func() int {
					lost, _ := s.lost()
					return len(lost)
				}
				refused := 0
				for i := range messages {
					to := &Target{Proto: TLS, Addr: addr, Name: "sip.example.com"}
					if _, err := r.Send(to, Bytes(request("MESSAGE", fmt.Sprint("m", i), 1, ""))); err != nil {
						refused++ // it is the sender's
					}
					r.eventually("the message comes back", func() bool { return refused+back() > i })
				}
				r.eventually("the connections are gone", func() bool { return r.Connections() == 0 })
				lost, causes := s.lost()
				if refused+len(lost) != messages {
					t.Errorf("%d refused, %d came back of %d", refused, len(lost), messages)
				}
				seen := make(map[string]bool)
				for i, m := range lost {
					if seen[m] {
						t.Errorf("came back twice:\n%s", m)
					}
					seen[m] = true
					if !strings.Contains(causes[i].Error(), "alert received") {
						t.Errorf("came back with %v", causes[i])
					}
				}
			})
		}
	}
}

// A server that asks for a certificate and can do without gets every message
// once, and none comes back.
func TestServerThatAsksForACertificate(t *testing.T) {
	w, s, inbox := tlstest.NewWorld(t), &script{}, &script{}
	no := false
	to := start(t, inbox, func(c *Config) {
		d := w.ServerDomain()
		d.RequireCert = &no
		c.Domains = buildDomains(t, d)
	})
	from := start(t, s, func(c *Config) {
		d := w.ClientDomain()
		d.Certificates = nil
		c.Domains = buildDomains(t, w.ServerDomain(), d)
	})
	const messages = 5
	for i := range messages {
		target := &Target{Proto: TLS, Addr: to.addr(TLS), Name: "sip.example.com"}
		if _, err := from.Send(target, Bytes(request("MESSAGE", fmt.Sprint("m", i), 1, ""))); err != nil {
			t.Fatal(err)
		}
	}
	from.eventually("all arrive", func() bool { return len(inbox.got()) == messages })
	if lost, _ := s.lost(); len(lost) != 0 {
		t.Errorf("came back: %q", lost)
	}
}
