package tlsstate_test

import (
	"bytes"
	"crypto/ecdsa"
	"errors"
	"net/netip"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

func TestBuildMistakes(t *testing.T) {
	w := tlstest.NewWorld(t)
	other := w.CA.Leaf(t, tlstest.Leaf{CN: "other"})
	cert, key := w.Server.Files(t)
	rubbish := filepath.Join(t.TempDir(), "rubbish")
	tlstest.Write(t, rubbish, []byte("rubbish"), 0o600)
	encrypted := filepath.Join(t.TempDir(), "encrypted")
	tlstest.Write(t, encrypted, []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"), 0o600)
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		change func(*tlsstate.DomainConfig)
		says   string
	}{
		{func(d *tlsstate.DomainConfig) { d.CAFile = fifo }, fifo + ": not a regular file"},
		{func(d *tlsstate.DomainConfig) { d.Certificates = files(fifo, key) }, fifo + ": not a regular file"},
		{func(d *tlsstate.DomainConfig) { d.Certificates = files(cert, fifo) }, fifo + ": not a regular file"},
		{func(d *tlsstate.DomainConfig) { d.Certificates = nil }, "needs a certificate"},
		{func(d *tlsstate.DomainConfig) { d.Role = 0 }, "neither"},
		{func(d *tlsstate.DomainConfig) { d.Name = "" }, "no name"},
		{func(d *tlsstate.DomainConfig) { d.Method = "SSLv2" }, "tls_method"},
		{func(d *tlsstate.DomainConfig) { d.Ciphers = "RC4-SHA" }, "ciphers_list"},
		{func(d *tlsstate.DomainConfig) { d.Curves = "P-521" }, "ec_curve"},
		{func(d *tlsstate.DomainConfig) { d.AcceptEKU = []string{"codeSigning"} }, "accept_eku"},
		{func(d *tlsstate.DomainConfig) { d.MatchAddresses = []string{"here"} }, "match_ip_address"},
		{func(d *tlsstate.DomainConfig) { d.CAPEM = nil; d.CAFile = "/nowhere/ca.pem" }, "/nowhere/ca.pem"},
		{func(d *tlsstate.DomainConfig) { d.CAFile = rubbish }, rubbish},
		{func(d *tlsstate.DomainConfig) { d.CADir = filepath.Dir(rubbish) }, "ca_dir"},
		{func(d *tlsstate.DomainConfig) { d.CADir = "/nowhere" }, "/nowhere"},
		{func(d *tlsstate.DomainConfig) { d.CAPEM = []byte("rubbish") }, "ca_list"},
		{func(d *tlsstate.DomainConfig) { d.Certificates = files("/nowhere/c.pem", key) }, "/nowhere/c.pem"},
		{func(d *tlsstate.DomainConfig) { d.Certificates = files(cert, "/nowhere/k.pem") }, "/nowhere/k.pem"},
		{func(d *tlsstate.DomainConfig) { d.Certificates = files(rubbish, key) }, rubbish},
		{func(d *tlsstate.DomainConfig) { d.Certificates = files(cert, rubbish) }, rubbish},
		{func(d *tlsstate.DomainConfig) { d.Certificates = files(cert, encrypted) }, "passphrase"},
		{func(d *tlsstate.DomainConfig) {
			d.Certificates = []tlsstate.KeyPair{{CertificatePEM: w.Server.CertPEM(), PrivateKeyPEM: other.KeyPEM()}}
		}, "does not match"},
		{func(d *tlsstate.DomainConfig) {
			d.Certificates = []tlsstate.KeyPair{{CertificatePEM: w.Server.CertPEM(), Signer: other.Key}}
		}, "not the certificate's"},
	} {
		d := w.ServerDomain()
		c.change(&d)
		built := make(chan error, 1)
		go func() {
			_, err := tlsstate.Build(tlsstate.Config{Domains: []tlsstate.DomainConfig{d}})
			built <- err
		}()
		var err error
		select {
		case err = <-built:
		case <-time.After(20 * time.Second): // a FIFO has it wait for ever
			t.Fatalf("Build hangs; want an error that says %q", c.says)
		}
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "domain "+d.Name) {
			t.Errorf("%v; want it to say %q and the domain", err, c.says)
		}
	}
	if _, err := tlsstate.Build(tlsstate.Config{Domains: []tlsstate.DomainConfig{w.ServerDomain(), w.ServerDomain()}}); err == nil {
		t.Error("one name, two domains")
	}
	both := w.ClientDomain()
	both.Name = "in"
	build(t, w.ServerDomain(), both) // one name, two roles
}

func files(cert, key string) []tlsstate.KeyPair {
	return []tlsstate.KeyPair{{CertificateFile: cert, PrivateKeyFile: key}}
}

func TestFromFiles(t *testing.T) {
	w := tlstest.NewWorld(t)
	cert, key := w.Server.Files(t)
	dir := t.TempDir()
	tlstest.Write(t, filepath.Join(dir, "ca.pem"), w.CA.CertPEM(), 0o644)
	tlstest.Write(t, filepath.Join(dir, "README"), []byte("no certificate"), 0o644)
	set := setOf(t, w, func(s, c *tlsstate.DomainConfig) {
		s.Certificates, s.CAPEM, s.CAFile = files(cert, key), nil, w.CA.File(t)
		c.CAPEM, c.CADir = nil, dir
	})
	if lines := set.Warnings(); len(lines) > 0 {
		t.Error(lines)
	}
	connected(t, set, "sip.example.com", tlstest.Whole)
}

func TestWarnings(t *testing.T) {
	w := tlstest.NewWorld(t)
	day := 24 * time.Hour
	d := w.ServerDomain()
	expired := w.CA.Leaf(t, tlstest.Leaf{CN: "x", NotBefore: time.Now().Add(-2 * day), NotAfter: time.Now().Add(-day)})
	early := w.CA.Leaf(t, tlstest.Leaf{CN: "x", NotBefore: time.Now().Add(day), NotAfter: time.Now().Add(2 * day)})
	cert, key := w.Server.Files(t)
	open := filepath.Join(t.TempDir(), "open.pem")
	tlstest.Write(t, open, w.Server.KeyPEM(), 0o644)
	d.Certificates = []tlsstate.KeyPair{expired.KeyPair(), early.KeyPair(), {CertificateFile: cert, PrivateKeyFile: open}, {CertificateFile: cert, PrivateKeyFile: key}}
	d.DHParams, d.Method, d.Ciphers = "dh.pem", "TLSv1_3", "HIGH"
	d.VerifyCert, d.RequireCert = tlstest.No(), tlstest.Yes()
	set := buildConfig(t, tlsstate.Config{Domains: []tlsstate.DomainConfig{d}, KeyLog: &bytes.Buffer{}})
	lines := set.Warnings()
	for _, want := range []string{"expired at", "not valid before", "open.pem can be read", "dh_params", "ciphers_list", "any certificate will do", "secrets"} {
		if !slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, want) }) {
			t.Errorf("no warning about %q in %q", want, lines)
		}
	}
	if len(lines) != 7 {
		t.Errorf("%q", lines)
	}
}

func TestDomains(t *testing.T) {
	w := tlstest.NewWorld(t)
	list := setOf(t, w, nil).Domains()
	if len(list) != 2 || list[0].Config.Name != "out" || list[1].Config.Name != "in" {
		t.Fatalf("%+v", list)
	}
	in := list[1]
	if !in.NotAfter.Equal(w.Server.Cert.NotAfter) || !in.NotBefore.Equal(w.Server.Cert.NotBefore) || !in.Verify || !in.Require || in.VerifyDomain {
		t.Errorf("%+v", in)
	}
	if out := list[0]; !out.Verify || out.Require || !out.VerifyDomain {
		t.Errorf("%+v", out)
	}
	if len(in.Config.Certificates) != 1 || in.Config.Certificates[0].PrivateKeyPEM != nil {
		t.Error("the key is listed")
	}
}

// A key that lives elsewhere.
func TestSigner(t *testing.T) {
	w := tlstest.NewWorld(t)
	signer := &countingSigner{PrivateKey: w.Server.Key.(*ecdsa.PrivateKey)}
	set := setOf(t, w, func(s, _ *tlsstate.DomainConfig) {
		s.Certificates = []tlsstate.KeyPair{{CertificatePEM: w.Server.CertPEM(), Signer: signer}}
	})
	connected(t, set, "sip.example.com", tlstest.Whole)
	if signer.calls != 1 {
		t.Errorf("signed %d times", signer.calls)
	}
	signer.err = errors.New("the token was pulled out")
	set = setOf(t, w, func(s, c *tlsstate.DomainConfig) {
		s.Certificates = []tlsstate.KeyPair{{CertificatePEM: w.Server.CertPEM(), Signer: signer}}
	})
	server, client := pair(t, set, "sip.example.com", tlstest.Whole)
	if e := tlstest.WantError(t, server.Err, tlsstate.BlameConfig, tlsstate.ReasonSign); !strings.Contains(e.Detail, "pulled out") {
		t.Error(e)
	}
	tlstest.WantError(t, client.Err, tlsstate.BlamePeer, "alert received: internal_error")
	signer.err, signer.panics = nil, true
	server, _ = pair(t, set, "sip.example.com", tlstest.Whole)
	tlstest.WantError(t, server.Err, tlsstate.BlameUs, tlsstate.ReasonInternal)
}

// A thousand sets, each used, leave nothing behind.
func TestReloadsGrowNothing(t *testing.T) {
	w := tlstest.NewWorld(t)
	keys := tlsstate.NewTicketKeys()
	reload := func() {
		set := buildConfig(t, tlsstate.Config{Domains: []tlsstate.DomainConfig{w.ServerDomain(), w.ClientDomain()}, TicketKeys: keys})
		s, serr := set.NewServer(tlstest.Listener, tlstest.Caller)
		c, cerr := set.NewClient(tlstest.Query("sip.example.com"))
		if err := errors.Join(serr, cerr); err != nil {
			t.Fatal(err)
		}
		tlstest.Wire(&tlstest.End{Machine: c}, &tlstest.End{Machine: s}, tlstest.Whole)
		s.Stop()
		c.Stop()
	}
	heap := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	const limit = 256 << 10
	times := 1000
	if testing.Short() || tlstest.RaceDetector {
		times = 50
	}
	for range 20 {
		reload()
	}
	before, goroutines := heap(), runtime.NumGoroutine()
	for range times {
		reload()
	}
	grown := heap() - before
	for end := time.Now().Add(30 * time.Second); (grown > limit || runtime.NumGoroutine() > goroutines) && time.Now().Before(end); grown = heap() - before {
		time.Sleep(10 * time.Millisecond) // clean-ups have a goroutine of their own
	}
	t.Logf("%d reloads: heap of %d kB, %+d kB", times, before>>10, grown>>10)
	if grown > limit || runtime.NumGoroutine() > goroutines {
		t.Errorf("%d bytes and %d goroutines more", grown, runtime.NumGoroutine()-goroutines)
	}
}

func TestEphemeral(t *testing.T) {
	for _, useRSA := range []bool{false, true} {
		cert, key, err := tlsstate.Ephemeral([]string{"localhost", "127.0.0.1"}, useRSA)
		if err != nil {
			t.Fatal(err)
		}
		set := build(t,
			tlsstate.DomainConfig{Name: "in", Role: tlsstate.Server, VerifyCert: tlstest.No(), Certificates: []tlsstate.KeyPair{{CertificatePEM: cert, PrivateKeyPEM: key}}},
			tlsstate.DomainConfig{Name: "out", Role: tlsstate.Client, CAPEM: cert})
		for _, host := range []string{"localhost", "127.0.0.1"} {
			connected(t, set, host, tlstest.Whole)
		}
	}
}

// Sets may be used by many at once.
func TestConcurrentHandshakes(t *testing.T) {
	w := tlstest.NewWorld(t)
	set := setOf(t, w, nil)
	done := make(chan error)
	const n = 8
	for range n {
		go func() {
			var err error
			for range 5 {
				s, serr := set.NewServer(tlstest.Listener, tlstest.Caller)
				c, cerr := set.NewClient(tlstest.Query("sip.example.com"))
				if err = errors.Join(serr, cerr); err != nil {
					break
				}
				server, client := &tlstest.End{Machine: s}, &tlstest.End{Machine: c}
				tlstest.Wire(client, server, tlstest.Whole)
				err = errors.Join(err, server.Err, client.Err)
				s.Stop()
				c.Stop()
			}
			done <- err
		}()
	}
	for range n {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestAddressesOfTransport(t *testing.T) {
	// A client without a name is told apart by its peer's address.
	w := tlstest.NewWorld(t)
	set := setOf(t, w, nil)
	for _, addr := range []string{"192.0.2.1:5061", "[2001:db8::1]:5061"} {
		m, err := set.NewClient(tlsstate.ClientQuery{Addr: netip.MustParseAddrPort(addr)})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Handshake(); !errors.Is(err, tlsstate.ErrWantRead) || len(m.Output()) == 0 {
			t.Error(err)
		}
		m.Stop()
	}
}
