//go:build openssl

package openssl_test

import (
	"bufio"
	"errors"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

// A server whose certificate nobody could verify is reached with verify_cert 0, as
// far as the library knows its key; crypto/tls says which one does.
func TestOddServerCertificates(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("the openssl program is not installed (apt-get install openssl)")
	}
	t.Setenv("GODEBUG", "x509negativeserial=1") // as the program has it
	for _, c := range []struct {
		name  string
		key   []string
		more  []string
		plain bool // crypto/tls knows the key
	}{
		{"RSA-PSS", []string{"rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"}, nil, false},
		{"Ed448", []string{"ed448"}, nil, false},
		{"Ed25519", []string{"ed25519"}, nil, true},
		{"a negative serial number", []string{"ec", "-pkeyopt", "ec_paramgen_curve:P-256"}, []string{"-set_serial", "-5"}, true},
	} {
		dir := t.TempDir()
		cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
		args := append([]string{"req", "-x509", "-nodes", "-subj", "/CN=odd", "-out", cert, "-keyout", key, "-newkey"}, append(c.key, c.more...)...)
		if out, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		addr := serveOpenSSL(t, cert, key)
		for _, lib := range libraries {
			set := tlstest.Build(t, lib, tlsstate.DomainConfig{Name: "out", Role: tlsstate.Client, VerifyCert: tlstest.No()})
			err := shake(t, tlstest.NewClient(t, set, "sip.example.com"), addr)
			switch wanted := c.plain || lib.Name == libssl.Name; {
			case wanted && err != nil:
				t.Errorf("%s, %s: %v", c.name, lib.Name, err)
			case !wanted && (err == nil || !strings.Contains(err.Error(), "tls_library openssl")):
				t.Errorf("%s, %s: %v does not tell who can", c.name, lib.Name, err)
			}
		}
	}
}

// serveOpenSSL runs openssl s_server and gives its address.
func serveOpenSSL(t *testing.T, cert, key string) string {
	t.Helper()
	cmd := exec.Command("openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", cert, "-key", key)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for lines.Scan() {
		if addr, ok := strings.CutPrefix(lines.Text(), "ACCEPT "); ok {
			go func() {
				for lines.Scan() {
				}
			}()
			return addr
		}
	}
	t.Fatal("s_server tells no address")
	return ""
}

// shake makes a handshake over a socket.
func shake(t *testing.T, m *tlstest.End, addr string) error {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	m.Step(nil)
	for b := make([]byte, 16384); ; {
		if out := m.Output(); len(out) > 0 {
			if _, err := conn.Write(out); err != nil {
				t.Fatal(err)
			}
			m.Sent(len(out))
		}
		if m.Err != nil || m.Phase() == tlsstate.Established {
			return m.Err
		}
		n, err := conn.Read(b)
		if err != nil {
			return errors.Join(err, m.Err)
		}
		m.Step(b[:n])
	}
}
