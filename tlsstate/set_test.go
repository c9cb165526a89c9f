package tlsstate_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"net/netip"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

// Every setting of the domain that SNI chooses holds, require_cert first.
func TestServerDomainBySNI(t *testing.T) {
	w := newWorld(t)
	open, trunk := w.serverDomain(), w.serverDomain()
	open.Name, open.RequireCert, open.MatchSIPDomains = "open", no(), []string{"*"}
	trunk.Name, trunk.MatchSIPDomains = "trunk", []string{"trunk.example.com"}
	trunk.Certificates = []tlsstate.KeyPair{keyPair(w.ca.Leaf(t, tlstest.Leaf{CN: "trunk", DNS: []string{"trunk.example.com"}}))}
	bare := w.clientDomain()
	bare.Certificates, bare.VerifyDomain = nil, no()
	set := build(t, open, trunk, bare)

	server, client := connected(t, set, "open.example.com", whole)
	if server.State().Domain != "open" || client.State().Peer[0].Subject.CommonName != "server" {
		t.Errorf("%+v", server.State())
	}
	server, _ = pair(t, set, "Trunk.Example.com", whole)
	wantError(t, server.err, tlsstate.BlamePeer, tlsstate.ReasonNoCert)
	if server.State().Domain != "trunk" {
		t.Errorf("%+v", server.State())
	}
	// No name at all: an address has no SNI.
	server, _ = connected(t, set, "192.0.2.1", whole)
	if s := server.State(); s.Domain != "open" || s.ServerName != "" {
		t.Errorf("%+v", s)
	}
}

func TestUnrecognizedName(t *testing.T) {
	w := newWorld(t)
	set := w.set(t, func(s, _ *tlsstate.DomainConfig) { s.MatchSIPDomains = []string{"other.example.com"} })
	server, client := pair(t, set, "sip.example.com", whole)
	e := wantError(t, server.err, tlsstate.BlamePeer, tlsstate.ReasonRejected)
	if !e.Rejected() || !strings.Contains(e.Detail, "sip.example.com") {
		t.Error(e)
	}
	wantError(t, client.err, tlsstate.BlamePeer, "alert received: unrecognized_name")
}

func TestNoDomain(t *testing.T) {
	w := newWorld(t)
	set := w.set(t, func(s, c *tlsstate.DomainConfig) {
		s.MatchAddresses = []string{"198.51.100.1"}
		c.MatchAddresses = []string{"198.51.100.1"}
	})
	_, err := set.NewServer(listener, caller)
	wantError(t, err, tlsstate.BlameConfig, tlsstate.ReasonRejected)
	_, err = set.NewClient(query("sip.example.com"))
	wantError(t, err, tlsstate.BlameConfig, tlsstate.ReasonNoDomain)
	_, _, err = set.ClientIdentity(query("sip.example.com"))
	wantError(t, err, tlsstate.BlameConfig, tlsstate.ReasonNoDomain)
	_, err = set.NewClient(tlsstate.ClientQuery{Domain: "nobody", Addr: listener})
	if e := wantError(t, err, tlsstate.BlameConfig, tlsstate.ReasonNoDomain); !strings.Contains(e.Detail, `"nobody"`) {
		t.Error(e)
	}
}

func TestClientIdentity(t *testing.T) {
	w := newWorld(t)
	a, b, bare := w.clientDomain(), w.clientDomain(), w.clientDomain()
	other := w.ca.Leaf(t, tlstest.Leaf{CN: "b"})
	a.Name, a.MatchSIPDomains = "a", []string{"a.example.com"}
	b.Name, b.MatchSIPDomains, b.Certificates = "b", []string{"*.example.com"}, []tlsstate.KeyPair{keyPair(other)}
	bare.Name, bare.Certificates = "bare", nil
	set := build(t, a, b, bare)
	for _, c := range []struct {
		q    tlsstate.ClientQuery
		name string
		leaf [32]byte
	}{
		{query("A.example.com"), "a", sha256.Sum256(w.client.Cert.Raw)},
		{query("x.example.com"), "b", sha256.Sum256(other.Cert.Raw)},
		{query("x.example.org"), "bare", [32]byte{}},
		{query(""), "bare", [32]byte{}},
		{tlsstate.ClientQuery{Domain: "b", SIPDomain: "a.example.com"}, "b", sha256.Sum256(other.Cert.Raw)},
	} {
		name, leaf, err := set.ClientIdentity(c.q)
		if name != c.name || leaf != c.leaf || err != nil {
			t.Errorf("%+v: %s %x %v", c.q, name, leaf, err)
		}
	}
}

// The client's offer decides between an RSA and an ECDSA certificate.
func TestSeveralCertificates(t *testing.T) {
	w := newWorld(t)
	rsa := w.ca.Leaf(t, tlstest.Leaf{CN: "rsa", DNS: []string{"sip.example.com"}, RSA: true})
	set := w.set(t, func(s, _ *tlsstate.DomainConfig) {
		s.Certificates = []tlsstate.KeyPair{keyPair(rsa), keyPair(w.server)}
		s.Method, s.RequireCert = "TLSv1_2", no()
	})
	for suite, want := range map[uint16]string{
		tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:   "rsa",
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: "server",
		0: "server",
	} {
		cfg := &tls.Config{RootCAs: w.ca.Pool(), ServerName: "sip.example.com"}
		if suite != 0 {
			cfg.CipherSuites = []uint16{suite}
		}
		d, done, err := goClient(t, set, cfg, func(c *tls.Conn) error { return nil })
		if err := errors.Join(err, <-done); err != nil {
			t.Fatal(err)
		}
		if got := d.State().Own.Subject.CommonName; got != want {
			t.Errorf("%s was shown, want %s", got, want)
		}
	}
}

func TestBuildMistakes(t *testing.T) {
	w := newWorld(t)
	other := w.ca.Leaf(t, tlstest.Leaf{CN: "other"})
	cert, key := w.server.Files(t)
	rubbish := filepath.Join(t.TempDir(), "rubbish")
	tlstest.Write(t, rubbish, []byte("rubbish"), 0o600)
	encrypted := filepath.Join(t.TempDir(), "encrypted")
	tlstest.Write(t, encrypted, []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"), 0o600)
	for _, c := range []struct {
		change func(*tlsstate.DomainConfig)
		says   string
	}{
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
			d.Certificates = []tlsstate.KeyPair{{CertificatePEM: w.server.CertPEM(), PrivateKeyPEM: other.KeyPEM()}}
		}, "does not match"},
		{func(d *tlsstate.DomainConfig) {
			d.Certificates = []tlsstate.KeyPair{{CertificatePEM: w.server.CertPEM(), Signer: other.Key}}
		}, "not the certificate's"},
	} {
		d := w.serverDomain()
		c.change(&d)
		_, err := tlsstate.Build(tlsstate.Config{Domains: []tlsstate.DomainConfig{d}})
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "domain "+d.Name) {
			t.Errorf("%v; want it to say %q and the domain", err, c.says)
		}
	}
	if _, err := tlsstate.Build(tlsstate.Config{Domains: []tlsstate.DomainConfig{w.serverDomain(), w.serverDomain()}}); err == nil {
		t.Error("one name, two domains")
	}
	both := w.clientDomain()
	both.Name = "in"
	build(t, w.serverDomain(), both) // one name, two roles
}

func files(cert, key string) []tlsstate.KeyPair {
	return []tlsstate.KeyPair{{CertificateFile: cert, PrivateKeyFile: key}}
}

func TestFromFiles(t *testing.T) {
	w := newWorld(t)
	cert, key := w.server.Files(t)
	dir := t.TempDir()
	tlstest.Write(t, filepath.Join(dir, "ca.pem"), w.ca.CertPEM(), 0o644)
	tlstest.Write(t, filepath.Join(dir, "README"), []byte("no certificate"), 0o644)
	set := w.set(t, func(s, c *tlsstate.DomainConfig) {
		s.Certificates, s.CAPEM, s.CAFile = files(cert, key), nil, w.ca.File(t)
		c.CAPEM, c.CADir = nil, dir
	})
	if lines := set.Warnings(); len(lines) > 0 {
		t.Error(lines)
	}
	connected(t, set, "sip.example.com", whole)
}

func TestWarnings(t *testing.T) {
	w := newWorld(t)
	day := 24 * time.Hour
	d := w.serverDomain()
	expired := w.ca.Leaf(t, tlstest.Leaf{CN: "x", NotBefore: time.Now().Add(-2 * day), NotAfter: time.Now().Add(-day)})
	early := w.ca.Leaf(t, tlstest.Leaf{CN: "x", NotBefore: time.Now().Add(day), NotAfter: time.Now().Add(2 * day)})
	cert, key := w.server.Files(t)
	open := filepath.Join(t.TempDir(), "open.pem")
	tlstest.Write(t, open, w.server.KeyPEM(), 0o644)
	d.Certificates = []tlsstate.KeyPair{keyPair(expired), keyPair(early), {CertificateFile: cert, PrivateKeyFile: open}, {CertificateFile: cert, PrivateKeyFile: key}}
	d.DHParams, d.Method, d.Ciphers = "dh.pem", "TLSv1_3", "HIGH"
	d.VerifyCert, d.RequireCert = no(), yes()
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
	w := newWorld(t)
	list := w.set(t, nil).Domains()
	if len(list) != 2 || list[0].Config.Name != "out" || list[1].Config.Name != "in" {
		t.Fatalf("%+v", list)
	}
	in := list[1]
	if !in.NotAfter.Equal(w.server.Cert.NotAfter) || !in.NotBefore.Equal(w.server.Cert.NotBefore) || !in.Verify || !in.Require || in.VerifyDomain {
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
	w := newWorld(t)
	signer := &countingSigner{PrivateKey: w.server.Key.(*ecdsa.PrivateKey)}
	set := w.set(t, func(s, _ *tlsstate.DomainConfig) {
		s.Certificates = []tlsstate.KeyPair{{CertificatePEM: w.server.CertPEM(), Signer: signer}}
	})
	connected(t, set, "sip.example.com", whole)
	if signer.calls != 1 {
		t.Errorf("signed %d times", signer.calls)
	}
	signer.err = errors.New("the token was pulled out")
	set = w.set(t, func(s, c *tlsstate.DomainConfig) {
		s.Certificates = []tlsstate.KeyPair{{CertificatePEM: w.server.CertPEM(), Signer: signer}}
	})
	server, client := pair(t, set, "sip.example.com", whole)
	if e := wantError(t, server.err, tlsstate.BlameConfig, tlsstate.ReasonSign); !strings.Contains(e.Detail, "pulled out") {
		t.Error(e)
	}
	wantError(t, client.err, tlsstate.BlamePeer, "alert received: internal_error")
	signer.err, signer.panics = nil, true
	server, _ = pair(t, set, "sip.example.com", whole)
	wantError(t, server.err, tlsstate.BlameUs, tlsstate.ReasonInternal)
}

// A set serves the machines that were made with it after it was replaced.
func TestReload(t *testing.T) {
	w := newWorld(t)
	old := w.set(t, nil)
	server, client := connected(t, old, "sip.example.com", whole)
	fresh := w.set(t, func(s, c *tlsstate.DomainConfig) { s.Method = "TLSv1_2" })
	exchange(t, server, client, whole, text(1000))
	if s, _ := connected(t, fresh, "sip.example.com", whole); s.State().Version != tls.VersionTLS12 {
		t.Error("the new set is not used")
	}
}

// A thousand sets, each used, leave nothing behind.
func TestReloadsGrowNothing(t *testing.T) {
	w := newWorld(t)
	keys := tlsstate.NewTicketKeys()
	reload := func() {
		set := buildConfig(t, tlsstate.Config{Domains: []tlsstate.DomainConfig{w.serverDomain(), w.clientDomain()}, TicketKeys: keys})
		s, serr := set.NewServer(listener, caller)
		c, cerr := set.NewClient(query("sip.example.com"))
		if err := errors.Join(serr, cerr); err != nil {
			t.Fatal(err)
		}
		wire(&end{Machine: c}, &end{Machine: s}, whole)
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
	times := 1000
	if testing.Short() || tlsstate.RaceDetector {
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
	t.Logf("%d reloads: heap of %d kB, %+d kB", times, before>>10, grown>>10)
	if grown > 256<<10 || runtime.NumGoroutine() > goroutines {
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
			tlsstate.DomainConfig{Name: "in", Role: tlsstate.Server, VerifyCert: no(), Certificates: []tlsstate.KeyPair{{CertificatePEM: cert, PrivateKeyPEM: key}}},
			tlsstate.DomainConfig{Name: "out", Role: tlsstate.Client, CAPEM: cert})
		for _, host := range []string{"localhost", "127.0.0.1"} {
			connected(t, set, host, whole)
		}
	}
}

// Sets may be used by many at once.
func TestConcurrentHandshakes(t *testing.T) {
	w := newWorld(t)
	set := w.set(t, nil)
	done := make(chan error)
	const n = 8
	for range n {
		go func() {
			var err error
			for range 5 {
				s, serr := set.NewServer(listener, caller)
				c, cerr := set.NewClient(query("sip.example.com"))
				if err = errors.Join(serr, cerr); err != nil {
					break
				}
				server, client := &end{Machine: s}, &end{Machine: c}
				wire(client, server, whole)
				err = errors.Join(err, server.err, client.err)
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
	w := newWorld(t)
	set := w.set(t, nil)
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
