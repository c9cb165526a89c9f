package conformance

import (
	"crypto/sha256"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

// Every setting of the domain that SNI chooses holds, require_cert first.
func serverDomainBySNI(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	open, trunk, old := w.ServerDomain(), w.ServerDomain(), w.ServerDomain()
	open.Name, open.RequireCert, open.MatchSIPDomains = "open", tlstest.No(), []string{"*"}
	trunk.Name, trunk.MatchSIPDomains = "trunk", []string{"trunk.example.com"}
	trunk.Certificates = []tlsstate.KeyPair{w.CA.Leaf(t, tlstest.Leaf{CN: "trunk", DNS: []string{"trunk.example.com"}}).KeyPair()}
	old.Name, old.MatchSIPDomains, old.Method, old.RequireCert = "old", []string{"*.old.example.com"}, "TLSv1_2", tlstest.No()
	old.Curves, old.Ciphers = "P-384", "ECDHE-ECDSA-AES256-GCM-SHA384"
	bare := w.ClientDomain()
	bare.Certificates, bare.VerifyDomain = nil, tlstest.No()
	libs.eachPairing(t, func(t *testing.T, p tlstest.Pairing) {
		l := tlstest.Join(tlstest.Build(t, p.Server, open, trunk, old), tlstest.Build(t, p.Client, bare))
		server, client := l.Connect(t, "open.example.com", tlstest.Whole)
		if server.State().Domain != "open" || client.State().Peer[0].Subject.CommonName != "server" {
			t.Errorf("%+v", server.State())
		}
		server, _ = l.Meet(t, "Trunk.Example.com", tlstest.Whole)
		tlstest.WantError(t, server.Err, tlsstate.BlamePeer, tlsstate.ReasonNoCert)
		if server.State().Domain != "trunk" {
			t.Errorf("%+v", server.State())
		}
		server, _ = l.Connect(t, "a.old.example.com", tlstest.Whole)
		if s := server.State(); s.Domain != "old" || s.VersionName() != "TLSv1.2" || s.CipherName() != "ECDHE-ECDSA-AES256-GCM-SHA384" {
			t.Errorf("%+v", s)
		}
		// No name at all: an address has no SNI.
		server, _ = l.Connect(t, "192.0.2.1", tlstest.Whole)
		if s := server.State(); s.Domain != "open" || s.ServerName != "" {
			t.Errorf("%+v", s)
		}
	})
}

func unrecognizedName(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	libs.eachPairing(t, func(t *testing.T, p tlstest.Pairing) {
		l := p.Link(t, w, func(s, _ *tlsstate.DomainConfig) { s.MatchSIPDomains = []string{"other.example.com"} })
		server, client := l.Meet(t, "sip.example.com", tlstest.Whole)
		e := tlstest.WantError(t, server.Err, tlsstate.BlamePeer, tlsstate.ReasonRejected)
		if !e.Rejected() || !strings.Contains(e.Detail, "sip.example.com") {
			t.Error(e)
		}
		tlstest.WantError(t, client.Err, tlsstate.BlamePeer, "alert received: unrecognized_name")
	})
}

func noDomain(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	libs.each(t, func(t *testing.T, lib tlsstate.Library) {
		s, c := w.ServerDomain(), w.ClientDomain()
		s.MatchAddresses, c.MatchAddresses = []string{"198.51.100.1"}, []string{"198.51.100.1"}
		set := tlstest.Build(t, lib, s, c)
		_, err := set.NewServer(tlstest.Listener, tlstest.Caller)
		tlstest.WantError(t, err, tlsstate.BlameConfig, tlsstate.ReasonRejected)
		_, err = set.NewClient(tlstest.Query("sip.example.com"))
		tlstest.WantError(t, err, tlsstate.BlameConfig, tlsstate.ReasonNoDomain)
		_, err = set.NewClient(tlsstate.ClientQuery{Domain: "nobody", Addr: tlstest.Listener})
		tlstest.WantError(t, err, tlsstate.BlameConfig, tlsstate.ReasonNoDomain)
	})
}

func clientIdentity(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	a, bare := w.ClientDomain(), w.ClientDomain()
	a.Name, a.MatchSIPDomains = "a", []string{"a.example.com"}
	bare.Name, bare.Certificates = "bare", nil
	libs.each(t, func(t *testing.T, lib tlsstate.Library) {
		set := tlstest.Build(t, lib, a, bare)
		for _, c := range []struct {
			q    tlsstate.ClientQuery
			name string
			leaf [32]byte
		}{
			{tlstest.Query("A.example.com"), "a", sha256.Sum256(w.Client.Cert.Raw)},
			{tlstest.Query("x.example.org"), "bare", [32]byte{}},
			{tlsstate.ClientQuery{Domain: "a"}, "a", sha256.Sum256(w.Client.Cert.Raw)},
		} {
			id, err := set.ClientIdentity(c.q)
			if id.Domain != c.name || id.Leaf != c.leaf || err != nil {
				t.Errorf("%+v: %+v %v", c.q, id, err)
			}
			if !id.Verify || !id.VerifyName || id.Trust == [32]byte{} {
				t.Errorf("%+v verifies nothing: %+v", c.q, id)
			}
		}
	})
}

// The client's offer decides between an RSA and an ECDSA certificate, and of
// two with one kind of key the first counts.
func severalCertificates(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	rsa := w.CA.Leaf(t, tlstest.Leaf{CN: "rsa", DNS: []string{"sip.example.com"}, RSA: true})
	second := w.CA.Leaf(t, tlstest.Leaf{CN: "second", DNS: []string{"sip.example.com"}})
	libs.eachPairing(t, func(t *testing.T, p tlstest.Pairing) {
		for suite, want := range map[string]string{
			"ECDHE-RSA-AES128-GCM-SHA256":   "rsa",
			"ECDHE-ECDSA-AES128-GCM-SHA256": "server",
			"":                              "server",
		} {
			l := p.Link(t, w, func(s, c *tlsstate.DomainConfig) {
				s.Certificates = []tlsstate.KeyPair{rsa.KeyPair(), w.Server.KeyPair(), second.KeyPair()}
				s.Method, c.Ciphers = "TLSv1_2", suite
			})
			server, client := l.Connect(t, "sip.example.com", tlstest.Whole)
			if got := server.State().Own.Subject.CommonName; got != want || client.State().Peer[0].Subject.CommonName != want {
				t.Errorf("%q: %s was shown, want %s", suite, got, want)
			}
		}
	})
}

func buildMistakes(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	other := w.CA.Leaf(t, tlstest.Leaf{CN: "other"})
	for _, c := range []struct {
		change func(*tlsstate.DomainConfig)
		says   string
	}{
		{func(d *tlsstate.DomainConfig) { d.Certificates = nil }, "needs a certificate"},
		{func(d *tlsstate.DomainConfig) { d.Method = "SSLv2" }, "tls_method"},
		{func(d *tlsstate.DomainConfig) { d.Ciphers = "RC4-SHA" }, "ciphers_list"},
		{func(d *tlsstate.DomainConfig) { d.Curves = "P-521" }, "ec_curve"},
		{func(d *tlsstate.DomainConfig) { d.MatchAddresses = []string{"here"} }, "match_ip_address"},
		{func(d *tlsstate.DomainConfig) { d.CAFile = "/nowhere/ca.pem" }, "/nowhere/ca.pem"},
		{func(d *tlsstate.DomainConfig) {
			d.Certificates = []tlsstate.KeyPair{{CertificatePEM: w.Server.CertPEM(), PrivateKeyPEM: other.KeyPEM()}}
		}, "does not match"},
	} {
		d := w.ServerDomain()
		c.change(&d)
		for _, lib := range libs {
			built, err := lib.Build(tlsstate.Config{Domains: []tlsstate.DomainConfig{d}})
			if err == nil || built != nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "domain "+d.Name) {
				t.Errorf("%s: %v; want it to say %q and the domain", lib.Name, err, c.says)
			}
		}
	}
}

func fromFiles(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	inter := w.CA.Intermediate(t, "intermediate")
	w.Server = inter.Leaf(t, tlstest.Leaf{CN: "server", DNS: []string{"sip.example.com"}})
	cert, key := w.Server.Files(t)
	dir := t.TempDir()
	tlstest.Write(t, filepath.Join(dir, "ca.pem"), w.CA.CertPEM(), 0o644)
	tlstest.Write(t, filepath.Join(dir, "README"), []byte("no certificate"), 0o644)
	libs.eachPairing(t, func(t *testing.T, p tlstest.Pairing) {
		l := p.Link(t, w, func(s, c *tlsstate.DomainConfig) {
			s.Certificates = []tlsstate.KeyPair{{CertificateFile: cert, PrivateKeyFile: key}}
			s.CAPEM, s.CAFile = nil, w.CA.File(t)
			c.CAPEM, c.CADir = nil, dir
		})
		if lines := append(l.Server.Warnings(), l.Client.Warnings()...); len(lines) > 0 {
			t.Error(lines)
		}
		if _, client := l.Connect(t, "sip.example.com", tlstest.Whole); len(client.State().Peer) != 2 {
			t.Errorf("the chain has %d certificates", len(client.State().Peer))
		}
	})
}

func domains(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	libs.each(t, func(t *testing.T, lib tlsstate.Library) {
		var names []string
		for _, d := range tlstest.Build(t, lib, w.ServerDomain(), w.ClientDomain()).Domains() {
			names = append(names, d.Config.Name)
			if d.Library != lib.Name {
				t.Errorf("%s says that it is of %s", d.Config.Name, d.Library)
			}
		}
		if !slices.Equal(names, []string{"out", "in"}) {
			t.Error(names)
		}
	})
}

// A set serves the machines that were made with it after it was replaced.
func reload(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	libs.each(t, func(t *testing.T, lib tlsstate.Library) {
		p := tlstest.Pairing{Server: lib, Client: lib}
		server, client := p.Link(t, w, nil).Connect(t, "sip.example.com", tlstest.Whole)
		runtime.GC() // the old set is nobody's but theirs
		tlstest.Exchange(t, server, client, tlstest.Whole, tlstest.Text(1000))
		if s, _ := p.Link(t, w, tlstest.Method("TLSv1_2")).Connect(t, "sip.example.com", tlstest.Whole); s.State().VersionName() != "TLSv1.2" {
			t.Error("the new set is not used")
		}
	})
}
