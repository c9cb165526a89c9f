package conformance

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net"
	"strings"
	"testing"
	"time"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

// chain is a peer's chain under some lists, with what every library has to say
// of it; "" for good.
type chain struct {
	name   string
	ca     *tlstest.CA
	peer   *tlstest.Pair
	lists  [][]byte
	all    bool
	host   string // whom a client means to reach
	client string // the reason of a client that meets it in a server
	server string // the reason of a server with verify_domain that meets it in a client
}

// chains has every library judge the same chains, as a client and as a server.
func chains(t *testing.T, libs Libraries) {
	table := append(listedChains(t), namedChains(t)...)
	if len(table) < 100 {
		t.Errorf("%d chains", len(table))
	}
	w := tlstest.NewWorld(t)
	libs.each(t, func(t *testing.T, lib tlsstate.Library) {
		for i := range table {
			c := &table[i]
			dir := ""
			if c.lists != nil {
				dir = crlDir(t, c.lists...)
			}
			pair := []tlsstate.KeyPair{c.peer.KeyPair()}
			judge := func(d *tlsstate.DomainConfig) {
				d.CAPEM, d.CRLDir, d.CRLCheckAll, d.VerifyDomain = c.ca.CertPEM(), dir, c.all, tlstest.Yes()
			}
			_, client := tlstest.Pairing{Server: tlstest.GoLibrary, Client: lib}.Link(t, w, func(s, cl *tlsstate.DomainConfig) {
				s.Certificates, s.VerifyCert = pair, tlstest.No()
				judge(cl)
			}).Meet(t, c.host, tlstest.Whole)
			c.want(t, "a client", client.Err, c.client)
			server, _ := tlstest.Pairing{Server: lib, Client: tlstest.GoLibrary}.Link(t, w, func(s, cl *tlsstate.DomainConfig) {
				cl.Certificates = pair
				judge(s)
			}).Meet(t, "sip.example.com", tlstest.Whole)
			c.want(t, "a server", server.Err, c.server)
			if c.client == "" && (!client.State().Verified || !client.State().SpeaksFor(c.host)) {
				t.Errorf("%s: the client's state does not tell", c.name)
			}
			if c.server == "" && server.State().SpeaksFor(c.host) != (c.client == "") {
				t.Errorf("%s: the server's state tells otherwise", c.name)
			}
		}
	})
}

func (c *chain) want(t *testing.T, who string, err error, reason string) {
	t.Helper()
	switch {
	case reason != "":
		e, ok := err.(*tlsstate.Error)
		if !ok || e.Reason != reason || e.Detail == "" {
			t.Errorf("%s: %s says %v, want %s", c.name, who, err, reason)
		} else if reason == tlsstate.ReasonNoRevocation && !strings.Contains(e.Detail, ".crl ") && !strings.Contains(e.Detail, "crl_dir") {
			t.Errorf("%s: %s does not tell which list: %v", c.name, who, err)
		}
	case err != nil:
		t.Errorf("%s: %s says %v", c.name, who, err)
	}
}

// point is an issuingDistributionPoint (RFC 5280 5.2.5).
type point struct {
	Name     pointName      `asn1:"optional,tag:0"`
	Users    bool           `asn1:"optional,tag:1"`
	CAs      bool           `asn1:"optional,tag:2"`
	Reasons  asn1.BitString `asn1:"optional,tag:3"`
	Indirect bool           `asn1:"optional,tag:4"`
	Attrs    bool           `asn1:"optional,tag:5"`
}

type pointName struct {
	Full []asn1.RawValue `asn1:"optional,tag:0"`
}

func uriName(s string) pointName {
	return pointName{Full: []asn1.RawValue{{Class: asn1.ClassContextSpecific, Tag: 6, Bytes: []byte(s)}}}
}

func extension(critical bool, value []byte, id ...int) pkix.Extension {
	return pkix.Extension{Id: id, Critical: critical, Value: value}
}

func scoped(t *testing.T, p point) func(*x509.RevocationList) {
	t.Helper()
	der, err := asn1.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return func(l *x509.RevocationList) {
		l.ExtraExtensions = append(l.ExtraExtensions, extension(true, der, 2, 5, 29, 28))
	}
}

var (
	derNull = []byte{5, 0}
	derOne  = []byte{2, 1, 1}
)

// listedChains are chains of a leaf, an intermediate and a root under all kinds
// of revocation lists.
func listedChains(t *testing.T) (table []chain) {
	const here = "http://lists.example/here"
	const good, revoked, none = "", tlsstate.ReasonRevoked, tlsstate.ReasonNoRevocation
	root := tlstest.NewCA(t, "root")
	inter := root.Intermediate(t, "intermediate")
	leaf := inter.Leaf(t, tlstest.Leaf{DNS: []string{"sip.example.com"}})
	pointing := inter.Leaf(t, tlstest.Leaf{DNS: []string{"sip.example.com"},
		Change: func(c *x509.Certificate) { c.CRLDistributionPoints = []string{here} }})
	other := inter.Leaf(t, tlstest.Leaf{DNS: []string{"x.example.com"}})
	ext := func(e ...pkix.Extension) func(*x509.RevocationList) {
		return func(l *x509.RevocationList) { l.ExtraExtensions = append(l.ExtraExtensions, e...) }
	}
	entry := func(e pkix.Extension) func(*x509.RevocationList) {
		return func(l *x509.RevocationList) {
			l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{
				SerialNumber: other.Cert.SerialNumber, RevocationTime: l.ThisUpdate, ExtraExtensions: []pkix.Extension{e}})
		}
	}
	kinds := []struct {
		name        string
		change      func(*x509.RevocationList)
		leaf, inter string // what such a list alone says of a leaf, of an authority
	}{
		{"nothing special", nil, good, good},
		{"an extension that is not critical", ext(extension(false, derNull, 1, 2, 3, 4)), good, good},
		{"an unknown critical extension", ext(extension(true, derNull, 1, 2, 3, 4)), none, none},
		{"an entry's extension that is not critical", entry(extension(false, derNull, 1, 2, 3, 4)), good, good},
		{"an entry's critical extension", entry(extension(true, derNull, 1, 2, 3, 4)), none, none},
		{"an entry with removeFromCRL", func(l *x509.RevocationList) {
			l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{
				SerialNumber: leaf.Cert.SerialNumber, RevocationTime: l.ThisUpdate, ReasonCode: 8})
		}, none, none},
		{"onlyContainsUserCerts", scoped(t, point{Users: true}), good, none},
		{"onlyContainsCACerts", scoped(t, point{CAs: true}), none, good},
		{"onlyContainsAttributeCerts", scoped(t, point{Attrs: true}), none, none},
		{"users' and authorities'", scoped(t, point{Users: true, CAs: true}), none, none},
		{"onlySomeReasons", scoped(t, point{Reasons: asn1.BitString{Bytes: []byte{0x40}, BitLength: 2}}), none, none},
		{"indirectCRL", scoped(t, point{Indirect: true}), none, none},
		{"a distribution point", scoped(t, point{Name: uriName(here)}), none, none},
		{"a scope that cannot be read", ext(extension(true, []byte{4, 1, 0}, 2, 5, 29, 28)), none, none},
		{"a delta list", ext(extension(true, derOne, 2, 5, 29, 27)), none, none},
		{"the future", func(l *x509.RevocationList) { l.ThisUpdate = time.Now().Add(30 * time.Minute) }, none, none},
	}
	add := func(c chain) {
		c.ca, c.host, c.server = root, "sip.example.com", c.client
		if c.peer == nil {
			c.peer = leaf
		}
		table = append(table, c)
	}
	older := func(change func(*x509.RevocationList)) func(*x509.RevocationList) {
		return func(l *x509.RevocationList) {
			l.ThisUpdate = l.ThisUpdate.Add(-time.Hour)
			if change != nil {
				change(l)
			}
		}
	}
	rootGood, interGood, interRevokes := root.List(t, nil), inter.List(t, nil), inter.List(t, nil, leaf)
	for _, k := range kinds {
		alone := inter.List(t, k.change)
		add(chain{name: k.name + ", leaf", lists: [][]byte{alone}, client: k.leaf})
		add(chain{name: k.name + ", leaf, all", lists: [][]byte{rootGood, alone}, all: true, client: k.leaf})
		add(chain{name: k.name + ", intermediate, all", lists: [][]byte{root.List(t, k.change), interGood}, all: true, client: k.inter})
		add(chain{name: k.name + ", beside a good one", lists: [][]byte{inter.List(t, older(k.change)), interGood}, client: good})
		add(chain{name: k.name + ", beside one that revokes", lists: [][]byte{inter.List(t, older(k.change)), interRevokes}, client: revoked})
	}
	for _, p := range []struct{ name, client string }{{here, good}, {"http://lists.example/there", none}} {
		add(chain{name: "the certificate's own point, " + p.name, peer: pointing, client: p.client,
			lists: [][]byte{inter.List(t, scoped(t, point{Name: uriName(p.name)}))}})
	}
	add(chain{name: "a point and no list of one", peer: pointing, lists: [][]byte{interGood}, client: good})
	add(chain{name: "no list of the issuer", lists: [][]byte{rootGood}, client: none})
	add(chain{name: "no list of the root, all", lists: [][]byte{interGood}, all: true, client: none})
	add(chain{name: "another key's list", lists: [][]byte{tlstest.NewCA(t, "intermediate").List(t, nil)}, client: none})
	add(chain{name: "another key's list beside a good one", lists: [][]byte{tlstest.NewCA(t, "intermediate").List(t, nil), interGood}, client: good})
	add(chain{name: "revoked once, no more", lists: [][]byte{inter.List(t, older(nil), leaf), interGood}, client: good})
	add(chain{name: "the intermediate is revoked, leaf only", lists: [][]byte{root.List(t, nil, &inter.Pair), interGood}, client: good})
	add(chain{name: "the intermediate is revoked, all", lists: [][]byte{root.List(t, nil, &inter.Pair), interGood}, all: true, client: revoked})
	direct := root.Leaf(t, tlstest.Leaf{DNS: []string{"sip.example.com"}})
	add(chain{name: "a root's list of users, all", peer: direct, lists: [][]byte{root.List(t, scoped(t, point{Users: true}))}, all: true, client: good})
	mute := root.ChangedIntermediate(t, "signs no lists", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign })
	add(chain{name: "an authority that may sign no lists", peer: mute.Leaf(t, tlstest.Leaf{DNS: []string{"sip.example.com"}}),
		lists: [][]byte{mute.List(t, nil)}, client: none})
	// An intermediate that is itself an authority of ours is not asked about.
	add(chain{name: "an intermediate that is trusted, all", lists: [][]byte{interGood}, all: true, client: good})
	table[len(table)-1].ca = inter
	return table
}

// namedChains are chains whose authorities may vouch for some names only.
func namedChains(t *testing.T) (table []chain) {
	_, inside, _ := net.ParseCIDR("192.0.2.0/24")
	const good, name, bad = "", tlsstate.ReasonName, tlsstate.ReasonCertificate
	limits := []struct {
		name   string
		change func(*x509.Certificate)
		// What a client says that means to reach the name: by the kind of name that
		// the leaf has.
		cn, cnEvil, dns, dnsEvil, uri, ip, cnIP string
	}{
		{"nothing", func(*x509.Certificate) {}, good, good, good, good, good, good, good},
		{"permitted DNS", func(c *x509.Certificate) { c.PermittedDNSDomains = []string{"good.example"} }, name, name, good, bad, good, good, name},
		{"excluded DNS", func(c *x509.Certificate) { c.ExcludedDNSDomains = []string{"evil.example"} }, name, name, good, bad, good, good, name},
		{"permitted URI", func(c *x509.Certificate) { c.PermittedURIDomains = []string{"good.example"} }, name, name, good, good, bad, good, name},
		{"excluded URI", func(c *x509.Certificate) { c.ExcludedURIDomains = []string{"evil.example"} }, name, name, good, good, bad, good, name},
		{"permitted email", func(c *x509.Certificate) { c.PermittedEmailAddresses = []string{"good.example"} }, good, good, good, good, good, good, good},
		{"permitted address", func(c *x509.Certificate) { c.PermittedIPRanges = []*net.IPNet{inside} }, good, good, good, good, good, good, name},
		{"excluded address", func(c *x509.Certificate) { c.ExcludedIPRanges = []*net.IPNet{inside} }, good, good, good, good, good, bad, name},
	}
	for _, l := range limits {
		free := tlstest.NewCA(t, "root")
		below := free.ChangedIntermediate(t, "intermediate", l.change)
		bound := tlstest.NewChangedCA(t, "root", l.change)
		for where, ca := range map[string][2]*tlstest.CA{"intermediate": {free, below}, "root": {bound, bound}} {
			for _, c := range []struct {
				kind         string
				leaf         tlstest.Leaf
				host, client string
				mute         bool // it speaks for no SIP domain at all
			}{
				{"CN", tlstest.Leaf{CN: "sip.good.example"}, "sip.good.example", l.cn, l.cn != good},
				{"evil CN", tlstest.Leaf{CN: "sip.evil.example"}, "sip.evil.example", l.cnEvil, l.cnEvil != good},
				{"DNS", tlstest.Leaf{DNS: []string{"sip.good.example"}}, "sip.good.example", l.dns, false},
				{"evil DNS", tlstest.Leaf{DNS: []string{"sip.evil.example"}}, "sip.evil.example", l.dnsEvil, false},
				{"URI", tlstest.Leaf{URIs: []string{"sip:sip.good.example"}}, "sip.good.example", l.uri, false},
				{"address", tlstest.Leaf{IPs: []string{"192.0.2.9"}}, "192.0.2.9", l.ip, true},
				{"CN that is an address", tlstest.Leaf{CN: "192.0.2.9"}, "192.0.2.9", l.cnIP, l.cnIP != good},
				{"CN beside a SAN", tlstest.Leaf{CN: "sip.good.example", Emails: []string{"a@good.example"}}, "sip.good.example", name, true},
			} {
				server := c.client
				if c.client == good && c.mute || c.client == name {
					server = name
				}
				table = append(table, chain{name: l.name + " in the " + where + ", " + c.kind, ca: ca[0], peer: ca[1].Leaf(t, c.leaf),
					host: c.host, client: c.client, server: server})
			}
		}
	}
	// A SAN of a kind that is no name of a host ends the common name, too.
	odd := tlstest.NewCA(t, "root")
	registered, err := asn1.Marshal([]asn1.RawValue{{Class: asn1.ClassContextSpecific, Tag: 8, Bytes: []byte{42, 3, 4}}})
	if err != nil {
		t.Fatal(err)
	}
	table = append(table, chain{name: "CN beside a registeredID", ca: odd, host: "sip.good.example", client: name, server: name,
		peer: odd.Leaf(t, tlstest.Leaf{CN: "sip.good.example", Change: func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, extension(false, registered, 2, 5, 29, 17))
		}})})
	return table
}
