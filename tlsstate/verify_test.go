package tlsstate_test

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

var serverAuth = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}

// meet connects a client with a certificate to a server domain and gives the
// server's error; the client's chain is what is tested.
func meet(t *testing.T, w *world, client *tlstest.Pair, change func(server *tlsstate.DomainConfig)) (*end, error) {
	t.Helper()
	set := w.set(t, func(s, c *tlsstate.DomainConfig) {
		c.Certificates = nil
		if client != nil {
			c.Certificates = []tlsstate.KeyPair{keyPair(client)}
		}
		if change != nil {
			change(s)
		}
	})
	server, _ := pair(t, set, "sip.example.com", whole)
	return server, server.err
}

func TestClientCertificates(t *testing.T) {
	w := newWorld(t)
	day := 24 * time.Hour
	inter := w.ca.Intermediate(t, "intermediate")
	sipDomain := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 20}
	for _, c := range []struct {
		name   string
		pair   *tlstest.Pair
		change func(*tlsstate.DomainConfig)
		reason string // "" = accepted
	}{
		{"good", w.client, nil, ""},
		{"below an intermediate", inter.Leaf(t, tlstest.Leaf{CN: "x"}), nil, ""},
		{"serverAuth only", w.ca.Leaf(t, tlstest.Leaf{CN: "x", Usages: serverAuth}), nil, ""},
		{"serverAuth only, strict", w.ca.Leaf(t, tlstest.Leaf{CN: "x", Usages: serverAuth}), eku("clientAuth"), tlsstate.ReasonUsage},
		{"no usage, strict", w.ca.Leaf(t, tlstest.Leaf{CN: "x", Usages: []x509.ExtKeyUsage{}}), eku("clientAuth"), ""},
		{"any usage", w.ca.Leaf(t, tlstest.Leaf{CN: "x", Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}), nil, ""},
		{"any usage, strict", w.ca.Leaf(t, tlstest.Leaf{CN: "x", Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}), eku("clientAuth"), tlsstate.ReasonUsage},
		{"another usage", w.ca.Leaf(t, tlstest.Leaf{CN: "x", Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}}), nil, tlsstate.ReasonUsage},
		{"sipDomain", w.ca.Leaf(t, tlstest.Leaf{CN: "x", OtherUsages: []asn1.ObjectIdentifier{sipDomain}}), nil, tlsstate.ReasonUsage},
		{"sipDomain, asked for", w.ca.Leaf(t, tlstest.Leaf{CN: "x", OtherUsages: []asn1.ObjectIdentifier{sipDomain}}), eku("sipDomain"), ""},
		{"expired", w.ca.Leaf(t, tlstest.Leaf{CN: "x", NotBefore: time.Now().Add(-2 * day), NotAfter: time.Now().Add(-day)}), nil, tlsstate.ReasonExpired},
		{"not yet valid", w.ca.Leaf(t, tlstest.Leaf{CN: "x", NotBefore: time.Now().Add(day), NotAfter: time.Now().Add(2 * day)}), nil, tlsstate.ReasonNotYetValid},
		{"self-signed", tlstest.SelfSigned(t, tlstest.Leaf{CN: "x"}), nil, tlsstate.ReasonSelfSigned},
		{"unknown authority", newWorld(t).client, nil, tlsstate.ReasonAuthority},
		{"unknown authority, not verified", newWorld(t).client, func(d *tlsstate.DomainConfig) { d.VerifyCert, d.RequireCert = no(), yes() }, ""},
		{"none", nil, nil, tlsstate.ReasonNoCert},
		{"none, not required", nil, func(d *tlsstate.DomainConfig) { d.RequireCert = no() }, ""},
		{"self-signed, not required", tlstest.SelfSigned(t, tlstest.Leaf{CN: "x"}), func(d *tlsstate.DomainConfig) { d.RequireCert = no() }, tlsstate.ReasonSelfSigned},
		{"speaks for nobody", w.ca.Leaf(t, tlstest.Leaf{Emails: []string{"a@example.com"}}), func(d *tlsstate.DomainConfig) { d.VerifyDomain = yes() }, tlsstate.ReasonName},
		{"speaks for somebody", w.client, func(d *tlsstate.DomainConfig) { d.VerifyDomain = yes() }, ""},
		{"RSA", w.ca.Leaf(t, tlstest.Leaf{CN: "x", RSA: true}), nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			server, err := meet(t, w, c.pair, c.change)
			if c.reason == "" {
				if err != nil || server.Phase() != tlsstate.Established {
					t.Fatalf("%v, %v", server.Phase(), err)
				}
				return
			}
			wantError(t, err, tlsstate.BlamePeer, c.reason)
			if server.State().Verified {
				t.Error("verified")
			}
		})
	}
}

func eku(names ...string) func(*tlsstate.DomainConfig) {
	return func(d *tlsstate.DomainConfig) { d.AcceptEKU = names }
}

// A verdict can be asked for where nothing is verified.
func TestVerdictWithoutVerification(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		pair *tlstest.Pair
		want tlsstate.Verdict
	}{
		{w.server, tlsstate.VerdictOK},
		{tlstest.SelfSigned(t, tlstest.Leaf{CN: "x"}), tlsstate.VerdictSelfSigned},
		{newWorld(t).server, tlsstate.VerdictAuthority},
	} {
		set := w.set(t, func(s, client *tlsstate.DomainConfig) {
			s.Certificates = []tlsstate.KeyPair{keyPair(c.pair)}
			client.VerifyCert = no()
		})
		_, client := connected(t, set, "sip.example.com", whole)
		s := client.State()
		if s.Verified || s.Verdict() != c.want || s.Verdict() != c.want {
			t.Errorf("verified %v, %v; want %v", s.Verified, s.Verdict(), c.want)
		}
	}
}

// The certificate has to name the SIP domain that is meant (RFC 5922 7).
func TestServerIdentity(t *testing.T) {
	w := newWorld(t)
	leaf := func(l tlstest.Leaf) *tlstest.Pair { return w.ca.Leaf(t, l) }
	for _, c := range []struct {
		name string
		pair *tlstest.Pair
		host string
		good bool
	}{
		{"DNS", leaf(tlstest.Leaf{DNS: []string{"a.example.com", "b.example.com"}}), "B.Example.com", true},
		{"DNS of another", leaf(tlstest.Leaf{DNS: []string{"a.example.com"}}), "example.com", false},
		{"URI", leaf(tlstest.Leaf{URIs: []string{"sip:example.com"}}), "example.com", true},
		{"URI with user", leaf(tlstest.Leaf{URIs: []string{"sip:alice@example.com"}}), "example.com", false},
		{"sips URI", leaf(tlstest.Leaf{URIs: []string{"sips:example.com"}}), "example.com", false},
		{"URI hides DNS", leaf(tlstest.Leaf{URIs: []string{"sip:example.com"}, DNS: []string{"example.net"}}), "example.net", false},
		{"other URI does not", leaf(tlstest.Leaf{URIs: []string{"https://example.com"}, DNS: []string{"example.net"}}), "example.net", true},
		{"wildcard", leaf(tlstest.Leaf{DNS: []string{"*.example.com"}}), "sip.example.com", true},
		{"wildcard is one label", leaf(tlstest.Leaf{DNS: []string{"*.example.com"}}), "a.b.example.com", false},
		{"wildcard is not the parent", leaf(tlstest.Leaf{DNS: []string{"*.example.com"}}), "example.com", false},
		{"wildcard in a URI", leaf(tlstest.Leaf{URIs: []string{"sip:*.example.com"}}), "sip.example.com", false},
		{"wildcard in the CN", leaf(tlstest.Leaf{CN: "*.example.com"}), "sip.example.com", false},
		{"CN", leaf(tlstest.Leaf{CN: "example.com"}), "example.com", true},
		{"CN beside a SAN", leaf(tlstest.Leaf{CN: "example.com", DNS: []string{"example.net"}}), "example.com", false},
		{"CN beside an address", leaf(tlstest.Leaf{CN: "example.com", IPs: []string{"192.0.2.1"}}), "example.com", false},
		{"address", leaf(tlstest.Leaf{IPs: []string{"192.0.2.1"}}), "192.0.2.1", true},
		{"IPv6", leaf(tlstest.Leaf{IPs: []string{"2001:db8::1"}}), "[2001:DB8::1]", true},
		{"address of another", leaf(tlstest.Leaf{IPs: []string{"192.0.2.9"}}), "192.0.2.1", false},
		{"no name asked, the address", leaf(tlstest.Leaf{IPs: []string{"192.0.2.1"}}), "", true},
		{"trailing dot", leaf(tlstest.Leaf{DNS: []string{"a.example.com"}}), "a.example.com.", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := w.set(t, func(s, _ *tlsstate.DomainConfig) { s.Certificates = []tlsstate.KeyPair{keyPair(c.pair)} })
			_, client := pair(t, set, c.host, whole)
			if !c.good {
				wantError(t, client.err, tlsstate.BlamePeer, tlsstate.ReasonName)
				return
			}
			if client.err != nil {
				t.Fatal(client.err)
			}
			if c.host != "" && !client.State().SpeaksFor(c.host) {
				t.Error("does not speak for", c.host)
			}
		})
	}
}

func TestIdentityIsNotAsked(t *testing.T) {
	w := newWorld(t)
	set := w.set(t, func(_, c *tlsstate.DomainConfig) { c.VerifyDomain = no() })
	_, client := connected(t, set, "elsewhere.example.org", whole)
	if client.State().SpeaksFor("elsewhere.example.org") {
		t.Error("speaks for anybody")
	}
}

func TestRevocation(t *testing.T) {
	w := newWorld(t)
	inter := w.ca.Intermediate(t, "intermediate")
	leaf := inter.Leaf(t, tlstest.Leaf{CN: "x"})
	future := time.Now().Add(time.Hour)
	other := newWorld(t)
	for _, c := range []struct {
		name   string
		lists  [][]byte
		all    bool
		blame  tlsstate.Blame
		reason string
	}{
		{"clean", [][]byte{inter.CRL(t, future)}, false, 0, ""},
		{"revoked", [][]byte{inter.CRL(t, future, leaf)}, false, tlsstate.BlamePeer, tlsstate.ReasonRevoked},
		{"intermediate revoked, leaf only", [][]byte{inter.CRL(t, future), w.ca.CRL(t, future, &inter.Pair)}, false, 0, ""},
		{"intermediate revoked, whole chain", [][]byte{inter.CRL(t, future), w.ca.CRL(t, future, &inter.Pair)}, true, tlsstate.BlamePeer, tlsstate.ReasonRevoked},
		{"list of the root missing, whole chain", [][]byte{inter.CRL(t, future)}, true, tlsstate.BlameConfig, tlsstate.ReasonNoRevocation},
		{"list missing", [][]byte{w.ca.CRL(t, future)}, false, tlsstate.BlameConfig, tlsstate.ReasonNoRevocation},
		{"list of a namesake", [][]byte{namesake(t, other, inter).CRL(t, future)}, false, tlsstate.BlameConfig, tlsstate.ReasonNoRevocation},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := crlDir(t, c.lists...)
			_, err := meet(t, w, leaf, func(d *tlsstate.DomainConfig) { d.CRLDir, d.CRLCheckAll = dir, c.all })
			if c.reason == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantError(t, err, c.blame, c.reason)
		})
	}
}

// namesake is an authority with the name of another and a key of its own.
func namesake(t *testing.T, w *world, ca *tlstest.CA) *tlstest.CA {
	t.Helper()
	return tlstest.NewCA(t, ca.Cert.Subject.CommonName)
}

func crlDir(t *testing.T, lists ...[]byte) string {
	t.Helper()
	dir := t.TempDir()
	for i, der := range lists {
		tlstest.Write(t, filepath.Join(dir, string(rune('a'+i))+".crl"), der, 0o644)
	}
	return dir
}

// A list that expires while it serves is not "no list".
func TestRevocationExpires(t *testing.T) {
	w := newWorld(t)
	now := time.Now()
	dir := crlDir(t, w.ca.CRL(t, now.Add(time.Hour)))
	s, c := w.serverDomain(), w.clientDomain()
	s.CRLDir = dir
	set := buildConfig(t, tlsstate.Config{Domains: []tlsstate.DomainConfig{s, c}, Time: func() time.Time { return now }})
	connected(t, set, "sip.example.com", whole)
	now = now.Add(2 * time.Hour)
	server, _ := pair(t, set, "sip.example.com", whole)
	wantError(t, server.err, tlsstate.BlameConfig, tlsstate.ReasonNoRevocation)
}

func TestRevocationFilesAreChecked(t *testing.T) {
	w := newWorld(t)
	pemOf := func(p *tlstest.Pair) []byte { return p.CertPEM() }
	for name, files := range map[string][][]byte{
		"empty folder":  nil,
		"rubbish":       {[]byte("rubbish")},
		"a certificate": {pemOf(w.server)},
		"expired":       {w.ca.CRL(t, time.Now().Add(-time.Hour))},
		"one of two":    {w.ca.CRL(t, time.Now().Add(time.Hour)), bytes.Repeat([]byte{0x30}, 50)},
	} {
		d := w.serverDomain()
		d.CRLDir = crlDir(t, files...)
		if _, err := tlsstate.Build(tlsstate.Config{Domains: []tlsstate.DomainConfig{d}}); err == nil {
			t.Errorf("%s: no error", name)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}
	d := w.serverDomain()
	d.CRLDir = filepath.Join(t.TempDir(), "missing")
	if _, err := tlsstate.Build(tlsstate.Config{Domains: []tlsstate.DomainConfig{d}}); err == nil || !os.IsNotExist(unwrapAll(err)) {
		t.Error(err)
	}
}

func unwrapAll(err error) error {
	for {
		u, ok := err.(interface{ Unwrap() error })
		if !ok {
			return err
		}
		if _, ok := err.(*os.PathError); ok {
			return err
		}
		err = u.Unwrap()
	}
}
