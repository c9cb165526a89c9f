//go:build openssl

package openssl_test

import (
	"crypto/x509"
	"encoding/asn1"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

var serverAuth = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}

func eku(names ...string) func(*tlsstate.DomainConfig) {
	return func(d *tlsstate.DomainConfig) { d.AcceptEKU = names }
}

func TestClientCertificates(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	day := 24 * time.Hour
	inter := w.ca.Intermediate(t, "intermediate")
	sipDomain := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 20}
	leaf := func(l tlstest.Leaf) *tlstest.Pair { return w.ca.Leaf(t, l) }
	cases := []struct {
		name   string
		pair   *tlstest.Pair
		change func(*tlsstate.DomainConfig)
		reason string // "" = accepted
	}{
		{"good", w.client, nil, ""},
		{"below an intermediate", inter.Leaf(t, tlstest.Leaf{CN: "x"}), nil, ""},
		{"serverAuth only", leaf(tlstest.Leaf{CN: "x", Usages: serverAuth}), nil, ""},
		{"serverAuth only, strict", leaf(tlstest.Leaf{CN: "x", Usages: serverAuth}), eku("clientAuth"), tlsstate.ReasonUsage},
		{"no usage, strict", leaf(tlstest.Leaf{CN: "x", Usages: []x509.ExtKeyUsage{}}), eku("clientAuth"), ""},
		{"any usage", leaf(tlstest.Leaf{CN: "x", Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}), nil, ""},
		{"any usage, strict", leaf(tlstest.Leaf{CN: "x", Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}), eku("clientAuth"), tlsstate.ReasonUsage},
		{"another usage", leaf(tlstest.Leaf{CN: "x", Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}}), nil, tlsstate.ReasonUsage},
		{"sipDomain", leaf(tlstest.Leaf{CN: "x", OtherUsages: []asn1.ObjectIdentifier{sipDomain}}), nil, tlsstate.ReasonUsage},
		{"sipDomain, asked for", leaf(tlstest.Leaf{CN: "x", OtherUsages: []asn1.ObjectIdentifier{sipDomain}}), eku("sipDomain"), ""},
		{"expired", leaf(tlstest.Leaf{CN: "x", NotBefore: time.Now().Add(-2 * day), NotAfter: time.Now().Add(-day)}), nil, tlsstate.ReasonExpired},
		{"not yet valid", leaf(tlstest.Leaf{CN: "x", NotBefore: time.Now().Add(day), NotAfter: time.Now().Add(2 * day)}), nil, tlsstate.ReasonNotYetValid},
		{"self-signed", tlstest.SelfSigned(t, tlstest.Leaf{CN: "x"}), nil, tlsstate.ReasonSelfSigned},
		{"unknown authority", other.client, nil, tlsstate.ReasonAuthority},
		{"unknown authority, not verified", other.client, func(d *tlsstate.DomainConfig) { d.VerifyCert, d.RequireCert = no(), yes() }, ""},
		{"none", nil, nil, tlsstate.ReasonNoCert},
		{"none, not required", nil, func(d *tlsstate.DomainConfig) { d.RequireCert = no() }, ""},
		{"self-signed, not required", tlstest.SelfSigned(t, tlstest.Leaf{CN: "x"}), func(d *tlsstate.DomainConfig) { d.RequireCert = no() }, tlsstate.ReasonSelfSigned},
		{"speaks for nobody", leaf(tlstest.Leaf{Emails: []string{"a@example.com"}}), func(d *tlsstate.DomainConfig) { d.VerifyDomain = yes() }, tlsstate.ReasonName},
		{"speaks for a person", leaf(tlstest.Leaf{URIs: []string{"sip:alice@example.com"}}), func(d *tlsstate.DomainConfig) { d.VerifyDomain = yes() }, tlsstate.ReasonName},
		{"speaks for a domain", leaf(tlstest.Leaf{URIs: []string{"sip:example.com"}}), func(d *tlsstate.DomainConfig) { d.VerifyDomain = yes() }, ""},
		{"speaks by its CN", leaf(tlstest.Leaf{CN: "example.com"}), func(d *tlsstate.DomainConfig) { d.VerifyDomain = yes() }, ""},
		{"RSA", leaf(tlstest.Leaf{CN: "x", RSA: true}), nil, ""},
	}
	eachLibrary(t, func(t *testing.T, lib library) {
		for _, version := range []string{"TLSv1_2", "TLSv1_3"} {
			for _, c := range cases {
				t.Run(version+" "+c.name, func(t *testing.T) {
					l := w.link(t, pairing{lib, goLibrary}, func(s, cl *tlsstate.DomainConfig) {
						s.Method, cl.Certificates = version, nil
						if c.pair != nil {
							cl.Certificates = []tlsstate.KeyPair{keyPair(c.pair)}
						}
						if c.change != nil {
							c.change(s)
						}
					})
					server, client := l.meet(t, "sip.example.com", whole)
					if c.reason == "" {
						if server.err != nil || server.Phase() != tlsstate.Established {
							t.Fatalf("%v, %v", server.Phase(), server.err)
						}
						return
					}
					wantError(t, server.err, tlsstate.BlamePeer, c.reason)
					if server.State().Verified {
						t.Error("verified")
					}
					if client.err == nil || !strings.Contains(client.err.Error(), "alert received: ") {
						t.Errorf("the client heard %v", client.err)
					}
				})
			}
		}
	})
}

// The certificate has to name the SIP domain that is meant (RFC 5922 7).
func TestServerIdentity(t *testing.T) {
	w := newWorld(t)
	cases := []struct {
		name string
		leaf tlstest.Leaf
		host string
		good bool
	}{
		{"DNS", tlstest.Leaf{DNS: []string{"a.example.com", "b.example.com"}}, "B.Example.com", true},
		{"DNS of another", tlstest.Leaf{DNS: []string{"a.example.com"}}, "example.com", false},
		{"URI hides DNS", tlstest.Leaf{URIs: []string{"sip:example.com"}, DNS: []string{"example.net"}}, "example.net", false},
		{"wildcard", tlstest.Leaf{DNS: []string{"*.example.com"}}, "sip.example.com", true},
		{"CN", tlstest.Leaf{CN: "example.com"}, "example.com", true},
		{"address", tlstest.Leaf{IPs: []string{"192.0.2.1"}}, "192.0.2.1", true},
		{"address of another", tlstest.Leaf{IPs: []string{"192.0.2.9"}}, "192.0.2.1", false},
		{"no name asked, the address", tlstest.Leaf{IPs: []string{"192.0.2.1"}}, "", true},
	}
	eachLibrary(t, func(t *testing.T, lib library) {
		for _, c := range cases {
			for _, version := range []string{"TLSv1_2", "TLSv1_3"} {
				pair := w.ca.Leaf(t, c.leaf)
				l := w.link(t, pairing{goLibrary, lib}, func(s, _ *tlsstate.DomainConfig) {
					s.Method, s.Certificates = version, []tlsstate.KeyPair{keyPair(pair)}
				})
				server, client := l.meet(t, c.host, whole)
				switch {
				case !c.good:
					e := wantError(t, client.err, tlsstate.BlamePeer, tlsstate.ReasonName)
					if !strings.Contains(e.Detail, c.host) {
						t.Error(e)
					}
					if server.err == nil {
						t.Errorf("%s: the server heard nothing", c.name)
					}
				case client.err != nil:
					t.Errorf("%s: %v", c.name, client.err)
				case !client.State().Verified:
					t.Errorf("%s: not verified", c.name)
				}
			}
		}
	})
}

func crlDir(t testing.TB, lists ...[]byte) string {
	dir := t.TempDir()
	for i, l := range lists {
		tlstest.Write(t, filepath.Join(dir, string(rune('a'+i))+".crl"), l, 0o644)
	}
	return dir
}

func TestRevocation(t *testing.T) {
	w := newWorld(t)
	later := time.Now().Add(time.Hour)
	inter := w.ca.Intermediate(t, "intermediate")
	below := inter.Leaf(t, tlstest.Leaf{CN: "x"})
	root, rootOfInter := w.ca.CRL(t, later), w.ca.CRL(t, later, &inter.Pair)
	cases := []struct {
		name   string
		pair   *tlstest.Pair
		dir    string
		all    bool
		blame  tlsstate.Blame
		reason string
	}{
		{"good", w.client, crlDir(t, root), false, 0, ""},
		{"revoked", w.client, crlDir(t, w.ca.CRL(t, later, w.client)), false, tlsstate.BlamePeer, tlsstate.ReasonRevoked},
		{"no list of its issuer", below, crlDir(t, root), false, tlsstate.BlameConfig, tlsstate.ReasonNoRevocation},
		{"leaf only", below, crlDir(t, rootOfInter, inter.CRL(t, later)), false, 0, ""},
		{"whole chain", below, crlDir(t, rootOfInter, inter.CRL(t, later)), true, tlsstate.BlamePeer, tlsstate.ReasonRevoked},
		{"whole chain, good", below, crlDir(t, root, inter.CRL(t, later)), true, 0, ""},
	}
	eachLibrary(t, func(t *testing.T, lib library) {
		for _, c := range cases {
			l := w.link(t, pairing{lib, goLibrary}, func(s, cl *tlsstate.DomainConfig) {
				s.CRLDir, s.CRLCheckAll = c.dir, c.all
				cl.Certificates = []tlsstate.KeyPair{keyPair(c.pair)}
			})
			server, _ := l.meet(t, "sip.example.com", whole)
			if c.reason == "" {
				if server.err != nil {
					t.Errorf("%s: %v", c.name, server.err)
				}
				continue
			}
			wantError(t, server.err, c.blame, c.reason)
		}
	})
}

// A server's certificate that does not pass, seen by the client.
func TestServerCertificates(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	eachPairing(t, func(t *testing.T, p pairing) {
		for _, c := range []struct {
			pair   *tlstest.Pair
			reason string
		}{
			{other.server, tlsstate.ReasonAuthority},
			{tlstest.SelfSigned(t, tlstest.Leaf{DNS: []string{"sip.example.com"}}), tlsstate.ReasonSelfSigned},
		} {
			l := w.link(t, p, func(s, _ *tlsstate.DomainConfig) { s.Certificates = []tlsstate.KeyPair{keyPair(c.pair)} })
			server, client := l.meet(t, "sip.example.com", whole)
			wantError(t, client.err, tlsstate.BlamePeer, c.reason)
			if server.err == nil || !strings.Contains(server.err.Error(), "alert received: ") {
				t.Errorf("the server heard %v", server.err)
			}
			l = w.link(t, p, func(s, cl *tlsstate.DomainConfig) {
				s.Certificates, cl.VerifyCert = []tlsstate.KeyPair{keyPair(c.pair)}, no()
			})
			if _, client := l.connect(t, "sip.example.com", whole); client.State().Verified {
				t.Error("verified without verify_cert")
			}
		}
	})
}

// A verdict can be asked for where nothing is verified, the same of both
// libraries.
func TestVerdictWithoutVerification(t *testing.T) {
	w := newWorld(t)
	expired := tlstest.Leaf{DNS: []string{"sip.example.com"}, NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(-time.Hour)}
	revoked := w.ca.Leaf(t, tlstest.Leaf{DNS: []string{"sip.example.com"}})
	lists := crlDir(t, w.ca.CRL(t, time.Now().Add(time.Hour), revoked))
	eachPairing(t, func(t *testing.T, p pairing) {
		for _, c := range []struct {
			pair *tlstest.Pair
			want tlsstate.Verdict
		}{
			{w.server, tlsstate.VerdictOK},
			{tlstest.SelfSigned(t, tlstest.Leaf{CN: "x"}), tlsstate.VerdictSelfSigned},
			{newWorld(t).server, tlsstate.VerdictAuthority},
			{w.ca.Leaf(t, expired), tlsstate.VerdictExpired},
			{revoked, tlsstate.VerdictRevoked},
		} {
			l := w.link(t, p, func(s, client *tlsstate.DomainConfig) {
				s.Certificates = []tlsstate.KeyPair{keyPair(c.pair)}
				client.VerifyCert, client.CRLDir = no(), lists
			})
			_, client := l.connect(t, "sip.example.com", whole)
			s := client.State()
			client.Stop()
			if s.Verified || s.Verdict() != c.want || s.Verdict() != c.want {
				t.Errorf("verified %v, %v; want %v", s.Verified, s.Verdict(), c.want)
			}
		}
	})
}

// Whose doing it is when a server wants another certificate, or any.
func TestServerRefusesOurs(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	eachPairing(t, func(t *testing.T, p pairing) {
		for _, version := range []string{"TLSv1_2", "TLSv1_3"} {
			for _, certs := range [][]tlsstate.KeyPair{nil, {keyPair(other.client)}} {
				l := w.link(t, p, func(s, c *tlsstate.DomainConfig) { s.Method, c.Certificates = version, certs })
				_, client := l.meet(t, "sip.example.com", whole)
				e, ok := client.err.(*tlsstate.Error)
				if !ok || e.Blame != tlsstate.BlameConfig || !strings.HasPrefix(e.Reason, "alert received: ") {
					t.Errorf("%s: %v", version, client.err)
				}
			}
		}
	})
}
