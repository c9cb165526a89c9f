package conformance

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

func clientCertificates(t *testing.T, libs Libraries) {
	w, other := tlstest.NewWorld(t), tlstest.NewWorld(t)
	day := 24 * time.Hour
	inter := w.CA.Intermediate(t, "intermediate")
	sipDomain := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 20}
	leaf := func(l tlstest.Leaf) *tlstest.Pair { return w.CA.Leaf(t, l) }
	cases := []struct {
		name   string
		pair   *tlstest.Pair
		change func(*tlsstate.DomainConfig)
		reason string // "" = accepted
	}{
		{"good", w.Client, nil, ""},
		{"below an intermediate", inter.Leaf(t, tlstest.Leaf{CN: "x"}), nil, ""},
		{"serverAuth only", leaf(tlstest.Leaf{CN: "x", Usages: serverAuth}), nil, ""},
		{"serverAuth only, strict", leaf(tlstest.Leaf{CN: "x", Usages: serverAuth}), tlstest.EKU("clientAuth"), tlsstate.ReasonUsage},
		{"no usage, strict", leaf(tlstest.Leaf{CN: "x", Usages: []x509.ExtKeyUsage{}}), tlstest.EKU("clientAuth"), ""},
		{"any usage", leaf(tlstest.Leaf{CN: "x", Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}), nil, ""},
		{"any usage, strict", leaf(tlstest.Leaf{CN: "x", Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}), tlstest.EKU("clientAuth"), tlsstate.ReasonUsage},
		{"another usage", leaf(tlstest.Leaf{CN: "x", Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}}), nil, tlsstate.ReasonUsage},
		{"sipDomain", leaf(tlstest.Leaf{CN: "x", OtherUsages: []asn1.ObjectIdentifier{sipDomain}}), nil, tlsstate.ReasonUsage},
		{"sipDomain, asked for", leaf(tlstest.Leaf{CN: "x", OtherUsages: []asn1.ObjectIdentifier{sipDomain}}), tlstest.EKU("sipDomain"), ""},
		{"expired", leaf(tlstest.Leaf{CN: "x", NotBefore: time.Now().Add(-2 * day), NotAfter: time.Now().Add(-day)}), nil, tlsstate.ReasonExpired},
		{"not yet valid", leaf(tlstest.Leaf{CN: "x", NotBefore: time.Now().Add(day), NotAfter: time.Now().Add(2 * day)}), nil, tlsstate.ReasonNotYetValid},
		{"self-signed", tlstest.SelfSigned(t, tlstest.Leaf{CN: "x"}), nil, tlsstate.ReasonSelfSigned},
		{"unknown authority", other.Client, nil, tlsstate.ReasonAuthority},
		{"unknown authority, not verified", other.Client, func(d *tlsstate.DomainConfig) { d.VerifyCert, d.RequireCert = tlstest.No(), tlstest.Yes() }, ""},
		{"none", nil, nil, tlsstate.ReasonNoCert},
		{"none, not required", nil, func(d *tlsstate.DomainConfig) { d.RequireCert = tlstest.No() }, ""},
		{"self-signed, not required", tlstest.SelfSigned(t, tlstest.Leaf{CN: "x"}), func(d *tlsstate.DomainConfig) { d.RequireCert = tlstest.No() }, tlsstate.ReasonSelfSigned},
		{"speaks for nobody", leaf(tlstest.Leaf{Emails: []string{"a@example.com"}}), func(d *tlsstate.DomainConfig) { d.VerifyDomain = tlstest.Yes() }, tlsstate.ReasonName},
		{"speaks for a person", leaf(tlstest.Leaf{URIs: []string{"sip:alice@example.com"}}), func(d *tlsstate.DomainConfig) { d.VerifyDomain = tlstest.Yes() }, tlsstate.ReasonName},
		{"speaks for a domain", leaf(tlstest.Leaf{URIs: []string{"sip:example.com"}}), func(d *tlsstate.DomainConfig) { d.VerifyDomain = tlstest.Yes() }, ""},
		{"speaks by its CN", leaf(tlstest.Leaf{CN: "example.com"}), func(d *tlsstate.DomainConfig) { d.VerifyDomain = tlstest.Yes() }, ""},
		{"RSA", leaf(tlstest.Leaf{CN: "x", RSA: true}), nil, ""},
	}
	libs.each(t, func(t *testing.T, lib tlsstate.Library) {
		for _, version := range []string{"TLSv1_2", "TLSv1_3"} {
			for _, c := range cases {
				t.Run(version+" "+c.name, func(t *testing.T) {
					l := tlstest.Pairing{Server: lib, Client: tlstest.GoLibrary}.Link(t, w, func(s, cl *tlsstate.DomainConfig) {
						s.Method, cl.Certificates = version, nil
						if c.pair != nil {
							cl.Certificates = []tlsstate.KeyPair{c.pair.KeyPair()}
						}
						if c.change != nil {
							c.change(s)
						}
					})
					server, client := l.Meet(t, "sip.example.com", tlstest.Whole)
					if c.reason == "" {
						if server.Err != nil || server.Phase() != tlsstate.Established {
							t.Fatalf("%v, %v", server.Phase(), server.Err)
						}
						return
					}
					tlstest.WantError(t, server.Err, tlsstate.BlamePeer, c.reason)
					if server.State().Verified {
						t.Error("verified")
					}
					if client.Err == nil || !strings.Contains(client.Err.Error(), "alert received: ") {
						t.Errorf("the client heard %v", client.Err)
					}
				})
			}
		}
	})
}

// The certificate has to name the SIP domain that is meant (RFC 5922 7).
func serverIdentity(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	leaf := func(l tlstest.Leaf) *tlstest.Pair { return w.CA.Leaf(t, l) }
	cases := []struct {
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
	}
	libs.each(t, func(t *testing.T, lib tlsstate.Library) {
		for _, c := range cases {
			for _, version := range []string{"TLSv1_2", "TLSv1_3"} {
				l := tlstest.Pairing{Server: tlstest.GoLibrary, Client: lib}.Link(t, w, func(s, _ *tlsstate.DomainConfig) {
					s.Method, s.Certificates = version, []tlsstate.KeyPair{c.pair.KeyPair()}
				})
				server, client := l.Meet(t, c.host, tlstest.Whole)
				switch {
				case !c.good:
					e := tlstest.WantError(t, client.Err, tlsstate.BlamePeer, tlsstate.ReasonName)
					if !strings.Contains(e.Detail, c.host) {
						t.Error(e)
					}
					if server.Err == nil {
						t.Errorf("%s: the server heard nothing", c.name)
					}
				case client.Err != nil:
					t.Errorf("%s: %v", c.name, client.Err)
				case !client.State().Verified || c.host != "" && !client.State().SpeaksFor(c.host):
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

func revocation(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	later := time.Now().Add(time.Hour)
	inter := w.CA.Intermediate(t, "intermediate")
	below := inter.Leaf(t, tlstest.Leaf{CN: "x"})
	root, rootOfInter := w.CA.CRL(t, later), w.CA.CRL(t, later, &inter.Pair)
	cases := []struct {
		name   string
		pair   *tlstest.Pair
		dir    string
		all    bool
		blame  tlsstate.Blame
		reason string
	}{
		{"good", w.Client, crlDir(t, root), false, 0, ""},
		{"revoked", w.Client, crlDir(t, w.CA.CRL(t, later, w.Client)), false, tlsstate.BlamePeer, tlsstate.ReasonRevoked},
		{"no list of its issuer", below, crlDir(t, root), false, tlsstate.BlameConfig, tlsstate.ReasonNoRevocation},
		{"leaf only", below, crlDir(t, rootOfInter, inter.CRL(t, later)), false, 0, ""},
		{"whole chain", below, crlDir(t, rootOfInter, inter.CRL(t, later)), true, tlsstate.BlamePeer, tlsstate.ReasonRevoked},
		{"whole chain, list of the root missing", below, crlDir(t, inter.CRL(t, later)), true, tlsstate.BlameConfig, tlsstate.ReasonNoRevocation},
		{"list of a namesake", below, crlDir(t, tlstest.NewCA(t, "intermediate").CRL(t, later)), false, tlsstate.BlameConfig, tlsstate.ReasonNoRevocation},
		{"whole chain, good", below, crlDir(t, root, inter.CRL(t, later)), true, 0, ""},
	}
	libs.each(t, func(t *testing.T, lib tlsstate.Library) {
		for _, c := range cases {
			l := tlstest.Pairing{Server: lib, Client: tlstest.GoLibrary}.Link(t, w, func(s, cl *tlsstate.DomainConfig) {
				s.CRLDir, s.CRLCheckAll = c.dir, c.all
				cl.Certificates = []tlsstate.KeyPair{c.pair.KeyPair()}
			})
			server, _ := l.Meet(t, "sip.example.com", tlstest.Whole)
			if c.reason == "" {
				if server.Err != nil {
					t.Errorf("%s: %v", c.name, server.Err)
				}
				continue
			}
			tlstest.WantError(t, server.Err, c.blame, c.reason)
		}
	})
}

// A list that expires while it serves is not "no list".
func revocationExpires(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	libs.each(t, func(t *testing.T, lib tlsstate.Library) {
		now := time.Now()
		s := w.ServerDomain()
		s.CRLDir = crlDir(t, w.CA.CRL(t, now.Add(time.Hour)))
		server := tlstest.BuildConfig(t, lib, tlsstate.Config{Domains: []tlsstate.DomainConfig{s}, Time: func() time.Time { return now }})
		l := tlstest.Join(server, tlstest.Build(t, tlstest.GoLibrary, w.ClientDomain()))
		l.Connect(t, "sip.example.com", tlstest.Whole)
		now = now.Add(2 * time.Hour)
		end, _ := l.Meet(t, "sip.example.com", tlstest.Whole)
		tlstest.WantError(t, end.Err, tlsstate.BlameConfig, tlsstate.ReasonNoRevocation)
	})
}

// Without verify_domain the name does not matter.
func identityIsNotAsked(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	libs.eachPairing(t, func(t *testing.T, p tlstest.Pairing) {
		l := p.Link(t, w, func(_, c *tlsstate.DomainConfig) { c.VerifyDomain = tlstest.No() })
		_, client := l.Connect(t, "elsewhere.example.org", tlstest.Whole)
		if s := client.State(); !s.Verified || s.SpeaksFor("elsewhere.example.org") {
			t.Errorf("%+v", s)
		}
	})
}

// A server's certificate that does not pass, seen by the client.
func serverCertificates(t *testing.T, libs Libraries) {
	w, other := tlstest.NewWorld(t), tlstest.NewWorld(t)
	libs.eachPairing(t, func(t *testing.T, p tlstest.Pairing) {
		for _, c := range []struct {
			pair   *tlstest.Pair
			reason string
		}{
			{other.Server, tlsstate.ReasonAuthority},
			{tlstest.SelfSigned(t, tlstest.Leaf{DNS: []string{"sip.example.com"}}), tlsstate.ReasonSelfSigned},
		} {
			l := p.Link(t, w, func(s, _ *tlsstate.DomainConfig) { s.Certificates = []tlsstate.KeyPair{c.pair.KeyPair()} })
			server, client := l.Meet(t, "sip.example.com", tlstest.Whole)
			tlstest.WantError(t, client.Err, tlsstate.BlamePeer, c.reason)
			if server.Err == nil || !strings.Contains(server.Err.Error(), "alert received: ") {
				t.Errorf("the server heard %v", server.Err)
			}
			l = p.Link(t, w, func(s, cl *tlsstate.DomainConfig) {
				s.Certificates, cl.VerifyCert = []tlsstate.KeyPair{c.pair.KeyPair()}, tlstest.No()
			})
			if _, client := l.Connect(t, "sip.example.com", tlstest.Whole); client.State().Verified {
				t.Error("verified without verify_cert")
			}
		}
	})
}

// A verdict can be asked for where nothing is verified, the same of both
// libraries.
func verdictWithoutVerification(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	expired := tlstest.Leaf{DNS: []string{"sip.example.com"}, NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(-time.Hour)}
	revoked := w.CA.Leaf(t, tlstest.Leaf{DNS: []string{"sip.example.com"}})
	lists := crlDir(t, w.CA.CRL(t, time.Now().Add(time.Hour), revoked))
	libs.eachPairing(t, func(t *testing.T, p tlstest.Pairing) {
		for _, c := range []struct {
			pair *tlstest.Pair
			want tlsstate.Verdict
		}{
			{w.Server, tlsstate.VerdictOK},
			{tlstest.SelfSigned(t, tlstest.Leaf{CN: "x"}), tlsstate.VerdictSelfSigned},
			{tlstest.NewWorld(t).Server, tlsstate.VerdictAuthority},
			{w.CA.Leaf(t, expired), tlsstate.VerdictExpired},
			{revoked, tlsstate.VerdictRevoked},
		} {
			l := p.Link(t, w, func(s, client *tlsstate.DomainConfig) {
				s.Certificates = []tlsstate.KeyPair{c.pair.KeyPair()}
				client.VerifyCert, client.CRLDir = tlstest.No(), lists
			})
			_, client := l.Connect(t, "sip.example.com", tlstest.Whole)
			s := client.State()
			client.Stop()
			if s.Verified || s.Verdict() != c.want || s.Verdict() != c.want {
				t.Errorf("verified %v, %v; want %v", s.Verified, s.Verdict(), c.want)
			}
		}
	})
}

// Whose doing it is when a server wants another certificate, or any.
func serverRefusesOurs(t *testing.T, libs Libraries) {
	w, other := tlstest.NewWorld(t), tlstest.NewWorld(t)
	libs.eachPairing(t, func(t *testing.T, p tlstest.Pairing) {
		for _, version := range []string{"TLSv1_2", "TLSv1_3"} {
			for _, certs := range [][]tlsstate.KeyPair{nil, {other.Client.KeyPair()}} {
				l := p.Link(t, w, func(s, c *tlsstate.DomainConfig) { s.Method, c.Certificates = version, certs })
				_, client := l.Meet(t, "sip.example.com", tlstest.Whole)
				e, ok := client.Err.(*tlsstate.Error)
				if !ok || e.Blame != tlsstate.BlameConfig || !strings.HasPrefix(e.Reason, "alert received: ") {
					t.Errorf("%s: %v", version, client.Err)
				}
			}
		}
	})
}
