package tlsstate_test

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

func value(t *testing.T, s *tlsstate.State, name string) string {
	t.Helper()
	v, ok := tlsstate.LookupVariable(name)
	if !ok || v.Name() != name {
		t.Fatalf("there is no $%s", name)
	}
	text, ok := v.Read(s)
	if !ok {
		return "none"
	}
	return text
}

// talkative has everything in its certificate that there is a variable for.
func talkative(t *testing.T, w *tlstest.World) *tlstest.Pair {
	t.Helper()
	serial, _ := new(big.Int).SetString("7fabcdef0123456789abcdef0123456789abcdef", 16)
	return w.CA.Leaf(t, tlstest.Leaf{
		Subject: pkix.Name{
			Country: []string{"DE"}, Province: []string{"Bayern"}, Locality: []string{"München"},
			Organization: []string{"Example, Inc."}, OrganizationalUnit: []string{"Voice", "Trunks"},
			CommonName: "trunk/1", SerialNumber: "HRB 12345",
		},
		DNS: []string{"trunk.example.com", "other.example.com"}, IPs: []string{"2001:db8::1", "192.0.2.9"},
		URIs: []string{"sip:example.com", "sip:example.net"}, Emails: []string{"noc@example.com"},
		Serial:    serial,
		NotBefore: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), NotAfter: time.Date(2049, 11, 30, 23, 59, 59, 0, time.UTC),
	})
}

func TestVariables(t *testing.T) {
	w := tlstest.NewWorld(t)
	w.Client = talkative(t, w)
	server, client := connected(t, setOf(t, w, tlstest.Method("TLSv1_2")), "sip.example.com", tlstest.Whole)
	for name, want := range map[string]string{
		"tls_version":                  "TLSv1.2",
		"tls_cipher_info":              "ECDHE-ECDSA-AES128-GCM-SHA256",
		"tls_cipher_bits":              "128",
		"tls_description":              "ECDHE-ECDSA-AES128-GCM-SHA256  TLSv1.2 Kx=ECDH     Au=ECDSA Enc=AESGCM(128)            Mac=AEAD",
		"tls_peer_version":             "2",
		"tls_peer_serial":              "728873194671190427164871376879945176842704244207",
		"tls_peer_subject_cn":          "trunk/1",
		"tls_peer_subject_country":     "DE",
		"tls_peer_subject_state":       "Bayern",
		"tls_peer_subject_locality":    "München",
		"tls_peer_subject_unit":        "Voice",
		"tls_peer_subject_serial":      "HRB 12345",
		"tls_peer_issuer":              "/CN=test CA",
		"tls_peer_issuer_cn":           "test CA",
		"tls_peer_issuer_organization": "none",
		"tls_peer_san_email":           "noc@example.com",
		"tls_peer_san_hostname":        "trunk.example.com",
		"tls_peer_san_uri":             "sip:example.com",
		"tls_peer_san_ip":              "2001:db8::1",
		"tls_peer_verified":            "1",
		"tls_peer_revoked":             "0",
		"tls_peer_expired":             "0",
		"tls_peer_selfsigned":          "0",
		"tls_peer_notBefore":           "Jan  2 03:04:05 2026 GMT",
		"tls_peer_notAfter":            "Nov 30 23:59:59 2049 GMT",
		"tls_my_subject":               "/CN=server",
		"tls_my_san_ip":                "192.0.2.1",
		"tls_my_san_uri":               "none",
	} {
		if got := value(t, server.State(), name); got != want {
			t.Errorf("$%s is %q, want %q", name, got, want)
		}
	}
	subject := value(t, server.State(), "tls_peer_subject")
	for _, part := range []string{"/C=DE", "/ST=Bayern", `/L=M\xC3\xBCnchen`, "/O=Example, Inc.", "/OU=Voice+OU=Trunks", `/CN=trunk\/1`, "/serialNumber=HRB 12345"} {
		if !strings.Contains(subject, part) {
			t.Errorf("%q has no %q", subject, part)
		}
	}
	if got := value(t, client.State(), "tls_my_subject"); got != subject {
		t.Errorf("$tls_my_subject is %q, the peer's $tls_peer_subject %q", got, subject)
	}
}

// One who has shown nothing has no facts, but was not verified either.
func TestVariablesWithoutCertificate(t *testing.T) {
	w := tlstest.NewWorld(t)
	server, _ := connected(t, setOf(t, w, anonymous), "sip.example.com", tlstest.Whole)
	for _, name := range tlsstate.VariableNames() {
		got := value(t, server.State(), name)
		switch {
		case !strings.HasPrefix(name, "tls_peer_"):
		case slices.Contains([]string{"tls_peer_verified", "tls_peer_revoked", "tls_peer_expired", "tls_peer_selfsigned"}, name):
			if got != "0" {
				t.Errorf("$%s is %q", name, got)
			}
		case got != "none":
			t.Errorf("$%s is %q", name, got)
		}
	}
	if _, ok := tlsstate.LookupVariable("tls_peer_shoe_size"); ok {
		t.Error("there is a $tls_peer_shoe_size")
	}
	if _, ok := new(tlsstate.Variable).Read(server.State()); ok {
		t.Error("no variable has a value")
	}
	if v, _ := tlsstate.LookupVariable("tls_version"); true {
		if _, ok := v.Read(nil); ok {
			t.Error("no connection has a version")
		}
	}
}

// The verdicts of a peer whom nobody verifies.
func TestVerdictVariables(t *testing.T) {
	w := tlstest.NewWorld(t)
	day := 24 * time.Hour
	expired := tlstest.Leaf{DNS: []string{"sip.example.com"}, NotBefore: time.Now().Add(-2 * day), NotAfter: time.Now().Add(-day)}
	for name, p := range map[string]*tlstest.Pair{
		"tls_peer_expired":    w.CA.Leaf(t, expired),
		"tls_peer_selfsigned": tlstest.SelfSigned(t, tlstest.Leaf{DNS: []string{"sip.example.com"}}),
		"tls_peer_verified":   w.Server,
		"tls_peer_revoked":    w.CA.Leaf(t, tlstest.Leaf{DNS: []string{"sip.example.com"}}),
	} {
		set := setOf(t, w, func(s, c *tlsstate.DomainConfig) {
			s.Certificates = []tlsstate.KeyPair{p.KeyPair()}
			c.VerifyCert = tlstest.No()
			if name == "tls_peer_revoked" {
				c.CRLDir = crlDir(t, w.CA.CRL(t, time.Now().Add(day), p))
			}
		})
		_, client := connected(t, set, "sip.example.com", tlstest.Whole)
		for _, other := range []string{"tls_peer_expired", "tls_peer_selfsigned", "tls_peer_verified", "tls_peer_revoked"} {
			want := "0"
			if other == name {
				want = "1"
			}
			if got := value(t, client.State(), other); got != want {
				t.Errorf("%s: $%s is %q", name, other, got)
			}
		}
	}
}

// Names in all their oddity.
func TestNamesAsOpenSSLWritesThem(t *testing.T) {
	needOpenSSL(t)
	w := tlstest.NewWorld(t)
	oid := asn1.ObjectIdentifier{1, 2, 3, 4, 5}
	p := w.CA.Leaf(t, tlstest.Leaf{Subject: pkix.Name{ExtraNames: []pkix.AttributeTypeAndValue{
		{Type: asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 25}, Value: "example"},
		{Type: asn1.ObjectIdentifier{2, 5, 4, 10}, Value: "Straße & Söhne/Co \\ \"x\""},
		{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, Value: "a@example.com"},
		{Type: asn1.ObjectIdentifier{2, 5, 4, 17}, Value: "80331"},
		{Type: oid, Value: "who knows"},
		{Type: asn1.ObjectIdentifier{2, 5, 4, 97}, Value: "NTRDE-1"},
		{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: "first"},
		{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: "second"},
	}}})
	cert, _ := p.Files(t)
	// -nameopt compat is X509_NAME_oneline.
	out, err := exec.Command("openssl", "x509", "-in", cert, "-noout", "-subject", "-startdate", "-enddate", "-nameopt", "compat").Output()
	if err != nil {
		t.Fatal(err)
	}
	w.Client = p
	server, _ := connected(t, setOf(t, w, nil), "sip.example.com", tlstest.Whole)
	lines := strings.Split(string(out), "\n")
	for i, name := range []string{"tls_peer_subject", "tls_peer_notBefore", "tls_peer_notAfter"} {
		_, want, _ := strings.Cut(lines[i], "=")
		if got := value(t, server.State(), name); got != strings.TrimPrefix(want, " ") {
			t.Errorf("$%s is\n%q, openssl says\n%q", name, got, want)
		}
	}
	if got := value(t, server.State(), "tls_peer_subject_cn"); got != "first" {
		t.Errorf("the first name is %q", got)
	}
	if got := value(t, server.State(), "tls_peer_subject_organization"); got != "Straße & Söhne/Co \\ \"x\"" {
		t.Errorf("the organization is %q", got)
	}
}
