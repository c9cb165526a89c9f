//go:build openssl

package openssl_test

import (
	"crypto/sha256"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

// Every setting of the domain that SNI chooses holds, require_cert first.
func TestServerDomainBySNI(t *testing.T) {
	w := newWorld(t)
	open, trunk, old := w.serverDomain(), w.serverDomain(), w.serverDomain()
	open.Name, open.RequireCert, open.MatchSIPDomains = "open", no(), []string{"*"}
	trunk.Name, trunk.MatchSIPDomains = "trunk", []string{"trunk.example.com"}
	trunk.Certificates = []tlsstate.KeyPair{keyPair(w.ca.Leaf(t, tlstest.Leaf{CN: "trunk", DNS: []string{"trunk.example.com"}}))}
	old.Name, old.MatchSIPDomains, old.Method, old.RequireCert = "old", []string{"*.old.example.com"}, "TLSv1_2", no()
	old.Curves, old.Ciphers = "P-384", "ECDHE-ECDSA-AES256-GCM-SHA384"
	bare := w.clientDomain()
	bare.Certificates, bare.VerifyDomain = nil, no()
	eachPairing(t, func(t *testing.T, p pairing) {
		l := link{build(t, p.server, open, trunk, old), build(t, p.client, bare)}
		server, client := l.connect(t, "open.example.com", whole)
		if server.State().Domain != "open" || client.State().Peer[0].Subject.CommonName != "server" {
			t.Errorf("%+v", server.State())
		}
		server, _ = l.meet(t, "Trunk.Example.com", whole)
		wantError(t, server.err, tlsstate.BlamePeer, tlsstate.ReasonNoCert)
		if server.State().Domain != "trunk" {
			t.Errorf("%+v", server.State())
		}
		server, _ = l.connect(t, "a.old.example.com", whole)
		if s := server.State(); s.Domain != "old" || s.VersionName() != "TLSv1.2" || s.CipherName() != "ECDHE-ECDSA-AES256-GCM-SHA384" {
			t.Errorf("%+v", s)
		}
		// No name at all: an address has no SNI.
		server, _ = l.connect(t, "192.0.2.1", whole)
		if s := server.State(); s.Domain != "open" || s.ServerName != "" {
			t.Errorf("%+v", s)
		}
	})
}

func TestUnrecognizedName(t *testing.T) {
	w := newWorld(t)
	eachPairing(t, func(t *testing.T, p pairing) {
		l := w.link(t, p, func(s, _ *tlsstate.DomainConfig) { s.MatchSIPDomains = []string{"other.example.com"} })
		server, client := l.meet(t, "sip.example.com", whole)
		e := wantError(t, server.err, tlsstate.BlamePeer, tlsstate.ReasonRejected)
		if !e.Rejected() || !strings.Contains(e.Detail, "sip.example.com") {
			t.Error(e)
		}
		wantError(t, client.err, tlsstate.BlamePeer, "alert received: unrecognized_name")
	})
}

func TestNoDomain(t *testing.T) {
	w := newWorld(t)
	eachLibrary(t, func(t *testing.T, lib library) {
		s, c := w.serverDomain(), w.clientDomain()
		s.MatchAddresses, c.MatchAddresses = []string{"198.51.100.1"}, []string{"198.51.100.1"}
		set := build(t, lib, s, c)
		_, err := set.NewServer(listener, caller)
		wantError(t, err, tlsstate.BlameConfig, tlsstate.ReasonRejected)
		_, err = set.NewClient(query("sip.example.com"))
		wantError(t, err, tlsstate.BlameConfig, tlsstate.ReasonNoDomain)
		_, err = set.NewClient(tlsstate.ClientQuery{Domain: "nobody", Addr: listener})
		wantError(t, err, tlsstate.BlameConfig, tlsstate.ReasonNoDomain)
	})
}

func TestClientIdentity(t *testing.T) {
	w := newWorld(t)
	a, bare := w.clientDomain(), w.clientDomain()
	a.Name, a.MatchSIPDomains = "a", []string{"a.example.com"}
	bare.Name, bare.Certificates = "bare", nil
	eachLibrary(t, func(t *testing.T, lib library) {
		set := build(t, lib, a, bare)
		for _, c := range []struct {
			q    tlsstate.ClientQuery
			name string
			leaf [32]byte
		}{
			{query("A.example.com"), "a", sha256.Sum256(w.client.Cert.Raw)},
			{query("x.example.org"), "bare", [32]byte{}},
			{tlsstate.ClientQuery{Domain: "a"}, "a", sha256.Sum256(w.client.Cert.Raw)},
		} {
			name, leaf, err := set.ClientIdentity(c.q)
			if name != c.name || leaf != c.leaf || err != nil {
				t.Errorf("%+v: %s %x %v", c.q, name, leaf, err)
			}
		}
	})
}

// The client's offer decides between an RSA and an ECDSA certificate, and of
// two with one kind of key the first counts.
func TestSeveralCertificates(t *testing.T) {
	w := newWorld(t)
	rsa := w.ca.Leaf(t, tlstest.Leaf{CN: "rsa", DNS: []string{"sip.example.com"}, RSA: true})
	second := w.ca.Leaf(t, tlstest.Leaf{CN: "second", DNS: []string{"sip.example.com"}})
	eachPairing(t, func(t *testing.T, p pairing) {
		for suite, want := range map[string]string{
			"ECDHE-RSA-AES128-GCM-SHA256":   "rsa",
			"ECDHE-ECDSA-AES128-GCM-SHA256": "server",
			"":                              "server",
		} {
			l := w.link(t, p, func(s, c *tlsstate.DomainConfig) {
				s.Certificates = []tlsstate.KeyPair{keyPair(rsa), keyPair(w.server), keyPair(second)}
				s.Method, c.Ciphers = "TLSv1_2", suite
			})
			server, client := l.connect(t, "sip.example.com", whole)
			if got := server.State().Own.Subject.CommonName; got != want || client.State().Peer[0].Subject.CommonName != want {
				t.Errorf("%q: %s was shown, want %s", suite, got, want)
			}
		}
	})
}

func TestBuildMistakes(t *testing.T) {
	w := newWorld(t)
	other := w.ca.Leaf(t, tlstest.Leaf{CN: "other"})
	for _, c := range []struct {
		change func(*tlsstate.DomainConfig)
		says   string
	}{
		{func(d *tlsstate.DomainConfig) { d.Certificates = nil }, "needs a certificate"},
		{func(d *tlsstate.DomainConfig) { d.Method = "SSLv2" }, "tls_method"},
		{func(d *tlsstate.DomainConfig) { d.Ciphers = "RC4-SHA" }, "ciphers_list"},
		{func(d *tlsstate.DomainConfig) { d.Curves = "P-521" }, "ec_curve"},
		{func(d *tlsstate.DomainConfig) { d.Curves = "X25519MLKEM768" }, "libssl has none"},
		{func(d *tlsstate.DomainConfig) { d.MatchAddresses = []string{"here"} }, "match_ip_address"},
		{func(d *tlsstate.DomainConfig) { d.CAFile = "/nowhere/ca.pem" }, "/nowhere/ca.pem"},
		{func(d *tlsstate.DomainConfig) {
			d.Certificates = []tlsstate.KeyPair{{CertificatePEM: w.server.CertPEM(), PrivateKeyPEM: other.KeyPEM()}}
		}, "does not match"},
		{func(d *tlsstate.DomainConfig) {
			d.Certificates = []tlsstate.KeyPair{{CertificatePEM: w.server.CertPEM(), Signer: w.server.Key}}
		}, "Signer"},
	} {
		d := w.serverDomain()
		c.change(&d)
		_, err := libssl.build(tlsstate.Config{Domains: []tlsstate.DomainConfig{d}})
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "domain "+d.Name) {
			t.Errorf("%v; want it to say %q and the domain", err, c.says)
		}
	}
}

func TestFromFiles(t *testing.T) {
	w := newWorld(t)
	inter := w.ca.Intermediate(t, "intermediate")
	w.server = inter.Leaf(t, tlstest.Leaf{CN: "server", DNS: []string{"sip.example.com"}})
	cert, key := w.server.Files(t)
	dir := t.TempDir()
	tlstest.Write(t, filepath.Join(dir, "ca.pem"), w.ca.CertPEM(), 0o644)
	tlstest.Write(t, filepath.Join(dir, "README"), []byte("no certificate"), 0o644)
	eachPairing(t, func(t *testing.T, p pairing) {
		l := w.link(t, p, func(s, c *tlsstate.DomainConfig) {
			s.Certificates = []tlsstate.KeyPair{{CertificateFile: cert, PrivateKeyFile: key}}
			s.CAPEM, s.CAFile = nil, w.ca.File(t)
			c.CAPEM, c.CADir = nil, dir
		})
		if lines := append(l.server.Warnings(), l.client.Warnings()...); len(lines) > 0 {
			t.Error(lines)
		}
		if _, client := l.connect(t, "sip.example.com", whole); len(client.State().Peer) != 2 {
			t.Errorf("the chain has %d certificates", len(client.State().Peer))
		}
	})
}

func TestDomains(t *testing.T) {
	w := newWorld(t)
	var names [2][]string
	for i, lib := range libraries {
		for _, d := range build(t, lib, w.serverDomain(), w.clientDomain()).Domains() {
			names[i] = append(names[i], d.Config.Name)
		}
	}
	if !slices.Equal(names[0], names[1]) || len(names[0]) != 2 {
		t.Error(names)
	}
}

// A set serves the machines that were made with it after it was replaced.
func TestReload(t *testing.T) {
	w := newWorld(t)
	p := pairing{libssl, libssl}
	server, client := w.link(t, p, nil).connect(t, "sip.example.com", whole)
	collect()
	exchange(t, server, client, whole, text(1000))
	if s, _ := w.link(t, p, method("TLSv1_2")).connect(t, "sip.example.com", whole); s.State().VersionName() != "TLSv1.2" {
		t.Error("the new set is not used")
	}
}

// The curve of a peer's ECDSA certificate has to be among ec_curve in TLS 1.2,
// where crypto/tls does not mind.
func TestECDSANeedsItsCurve(t *testing.T) {
	w := newWorld(t)
	p := pairing{libssl, goLibrary}
	only := func(version string) change {
		return func(s, c *tlsstate.DomainConfig) { s.Method, s.Curves = version, "X25519" }
	}
	w.link(t, p, only("TLSv1_3")).connect(t, "sip.example.com", whole)
	server, _ := w.link(t, p, only("TLSv1_2")).meet(t, "sip.example.com", whole)
	wantError(t, server.err, tlsstate.BlamePeer, tlsstate.ReasonGroup)
}
