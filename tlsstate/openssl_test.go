package tlsstate_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

func TestOpenSSLClient(t *testing.T) {
	needOpenSSL(t)
	w := tlstest.NewWorld(t)
	set := setOf(t, w, nil)
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

// K makes s_client and s_server send a KeyUpdate that asks for ours.
func TestOpenSSLKeyUpdate(t *testing.T) {
	needOpenSSL(t)
	w := tlstest.NewWorld(t)
	o, d := sClient(t, w, setOf(t, w, nil), "-tls1_3")
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
	w := tlstest.NewWorld(t)
	for _, c := range []struct{ args, version string }{
		{"-tls1_2", "TLSv1.2"},
		{"-tls1_3", "TLSv1.3"},
		{"-tls1_3 -groups P-384", "TLSv1.3"},
	} {
		t.Run(c.args, func(t *testing.T) {
			o, dial := sServer(t, w, setOf(t, w, nil), strings.Fields(c.args)...)
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
	w := tlstest.NewWorld(t)
	for _, version := range []string{"-tls1_2", "-tls1_3"} {
		t.Run(version, func(t *testing.T) {
			o, dial := sServer(t, w, setOf(t, w, nil), version)
			for i, resumed := range []bool{false, true} {
				d := dial()
				if err := d.handshake(); err != nil {
					t.Fatal(err)
				}
				mark := fmt.Sprintf("line %d", i)
				o.waitForCount(t, "CIPHER is", i+1)
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
	w := tlstest.NewWorld(t)
	for _, version := range []string{"-tls1_2", "-tls1_3"} {
		t.Run(version, func(t *testing.T) {
			set := setOf(t, w, nil)
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
	for range 1200 {
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
	w, stranger := tlstest.NewWorld(t), tlstest.NewWorld(t)
	set := setOf(t, w, func(s, _ *tlsstate.DomainConfig) {
		s.Certificates = []tlsstate.KeyPair{stranger.Server.KeyPair()}
	})
	_, d := sClient(t, w, set)
	tlstest.WantError(t, d.handshake(), tlsstate.BlamePeer, "alert received: unknown_ca")
}

// A public authority's certificate, good for servers only, is a client's too.
func TestOpenSSLClientWithServerCertificate(t *testing.T) {
	needOpenSSL(t)
	w := tlstest.NewWorld(t)
	w.Client = w.CA.Leaf(t, tlstest.Leaf{CN: "carrier", DNS: []string{"carrier.example.com"}, Usages: serverAuth})
	_, d := sClient(t, w, setOf(t, w, nil))
	if err := d.handshake(); err != nil {
		t.Fatal(err)
	}
	strict := setOf(t, w, func(s, _ *tlsstate.DomainConfig) { s.AcceptEKU = []string{"clientAuth"} })
	_, d = sClient(t, w, strict)
	var e *tlsstate.Error
	if err := d.handshake(); !errors.As(err, &e) || e.Reason != tlsstate.ReasonUsage {
		t.Fatal(err)
	}
}

// RSA on both sides, both ways, in both versions.
func TestOpenSSLWithRSA(t *testing.T) {
	needOpenSSL(t)
	w := tlstest.NewWorld(t)
	w.Server = w.CA.Leaf(t, tlstest.Leaf{CN: "server", DNS: []string{"sip.example.com"}, RSA: true})
	w.Client = w.CA.Leaf(t, tlstest.Leaf{CN: "client", DNS: []string{"client.example.com"}, RSA: true})
	set := setOf(t, w, nil)
	for _, version := range []string{"-tls1_2", "-tls1_3"} {
		_, d := sClient(t, w, set, version)
		if err := d.handshake(); err != nil || !d.State().Verified {
			t.Errorf("s_client %s: %v", version, err)
		}
		_, dial := sServer(t, w, set, version)
		d = dial()
		if err := d.handshake(); err != nil || !d.State().Verified {
			t.Errorf("s_server %s: %v", version, err)
		}
	}
}

// A client that can check RSA only is told that our ECDSA certificate is the
// trouble.
func TestOpenSSLWithoutCommonSignature(t *testing.T) {
	needOpenSSL(t)
	w := tlstest.NewWorld(t)
	_, d := sClient(t, w, setOf(t, w, nil), "-tls1_3", "-sigalgs", "rsa_pss_rsae_sha256")
	tlstest.WantError(t, d.handshake(), tlsstate.BlamePeer, tlsstate.ReasonSignature)
}

// Without SNI it is the domain for "none" that answers.
func TestOpenSSLWithoutSNI(t *testing.T) {
	needOpenSSL(t)
	w := tlstest.NewWorld(t)
	named, nameless := w.ServerDomain(), w.ServerDomain()
	named.Name, named.MatchSIPDomains = "named", []string{"sip.example.com"}
	nameless.Name, nameless.MatchSIPDomains = "nameless", []string{"none"}
	set := build(t, named, nameless)
	for domain, args := range map[string][]string{"named": nil, "nameless": {"-noservername"}} {
		_, d := sClient(t, w, set, args...)
		if err := d.handshake(); err != nil || d.State().Domain != domain {
			t.Errorf("%v: %v, domain %s", args, err, d.State().Domain)
		}
	}
}
