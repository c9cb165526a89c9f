package stir_shaken_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/proto_tls"
	"sipreactor/reactor/modules/sipmsgops"
	"sipreactor/reactor/modules/stir_shaken"
	"sipreactor/reactor/script"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, stir_shaken.New) }

// authority issues certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // of its certificate
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, key: newKey(t), file: filepath.Join(t.TempDir(), "ca.pem")}
	a.cert = &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "STI-CA"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, SubjectKeyId: []byte{1}}
	der, err := x509.CreateCertificate(rand.Reader, a.cert, a.cert, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.write(a.file, "CERTIFICATE", der)
	return a
}

func (a *authority) write(file, kind string, der []byte) {
	a.t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
}

// issue makes a certificate for some time from now, and its key, PEM.
func (a *authority) issue(from, to time.Duration) (cert, key string) {
	a.t.Helper()
	k := newKey(a.t)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "SHAKEN"},
		NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(to),
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 26}, Critical: true, Value: []byte{0x30, 0}}}}, a.cert, &k.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	raw, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		a.t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: raw}))
}

// request is an INVITE with more header lines.
func request(from, to, more string) []byte {
	return moduletest.CRLF("INVITE sip:bob@192.0.2.9;transport=tls SIP/2.0\nVia: SIP/2.0/TLS 10.0.0.9;branch=z9hG4bKa\nMax-Forwards: 70\nFrom: <" + from + ">;tag=f\nTo: <" + to + ">\nCall-ID: n\nCSeq: 1 INVITE\n" + more + "Content-Length: 0\n\n")
}

// head are variables with certificate and key.
func route(cert, key, statements string) string {
	return fmt.Sprintf("route { $var(cert) = %q; $var(key) = %q; %s }\n", cert, key, statements)
}

func date(ago time.Duration) string {
	return "Date: " + time.Now().Add(-ago).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT") + "\n"
}

const signs = `stir_shaken_auth("A", "4437c7eb", $var(cert), $var(key), "https://c.example/p.pem"); xlog("$rc"); forward();`

// signed gives the Identity and Date lines that a request gets.
func signed(t *testing.T, cert, key string, in []byte) string {
	t.Helper()
	b := moduletest.New(t, moduletest.Head("stir_shaken")+route(cert, key, signs), stir_shaken.New)
	b.Receive(in)
	if len(b.Sent) != 1 || len(b.Log) == 0 || b.Log[0] != "1" {
		t.Fatalf("it is not signed: %q %+v", b.Log, b.Sent)
	}
	lines := "Identity: " + b.Sent[0].Header("Identity") + "\n"
	if d := b.Sent[0].Header("Date"); d != "" {
		lines += "Date: " + d + "\n"
	}
	return lines
}

// TestToken looks at what is signed.
func TestToken(t *testing.T) {
	cert, key := newAuthority(t).issue(-time.Hour, time.Hour)
	lines := signed(t, cert, key, request("sip:+1(202)555-0101@example.org;user=phone", "tel:+12025550102;x=y", "P-Asserted-Identity: <sip:+12025550199@example.org>\n"+date(time.Second)))
	value, params, _ := strings.Cut(strings.TrimPrefix(lines, "Identity: "), ";")
	if !strings.HasPrefix(params, "info=<https://c.example/p.pem>;alg=ES256;ppt=shaken\n") {
		t.Errorf("the parameters are %s", params)
	}
	part := strings.Split(value, ".")
	h, _ := base64.RawURLEncoding.DecodeString(part[0])
	p, _ := base64.RawURLEncoding.DecodeString(part[1])
	if string(h) != `{"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"https://c.example/p.pem"}` {
		t.Errorf("the header is %s", h)
	}
	iat := time.Now().Unix()
	want := func(n int64) string {
		return fmt.Sprintf(`{"attest":"A","dest":{"tn":["12025550102"]},"iat":%d,"orig":{"tn":"12025550199"},"origid":"4437c7eb"}`, n)
	}
	ago := int64(1)
	for string(p) != want(iat-ago) && ago < 60 { // a busy machine takes its time
		ago++
	}
	if ago == 60 {
		t.Errorf("the payload is %s, want %s", p, want(iat-1))
	}
}

func TestAuthRefusals(t *testing.T) {
	ca := newAuthority(t)
	cert, key := ca.issue(-time.Hour, time.Hour)
	old, oldKey := ca.issue(-2*time.Hour, -time.Hour)
	const alice, bob = "sip:+12025550101@example.org", "sip:+12025550102@example.org"
	for _, c := range []struct{ name, params, cert, key, from, more, call, want string }{
		{"signed already", "", cert, key, alice, "Identity: x\n", signs, "-2"},
		{"no number", "", cert, key, "sip:alice@example.org", "", signs, "-3"},
		{"too long", "", cert, key, "sip:1234567890123456@example.org", "", signs, "-3"},
		{"long", `modparam("stir_shaken", "e164_max_length", 16)` + "\n", cert, key, "sip:1234567890123456@example.org", "", signs, "1"},
		{"without user=phone", `modparam("stir_shaken", "e164_strict_mode", 1)` + "\n", cert, key, alice, "", signs, "-3"},
		{"given", "", cert, key, "sip:alice@example.org", "", `stir_shaken_auth("partial", "o", $var(cert), $var(key), "x", "+1202", "1203"); xlog("$rc");`, "1"},
		{"given wrongly", "", cert, key, alice, "", `stir_shaken_auth("B", "o", $var(cert), $var(key), "x", "++4"); xlog("$rc");`, "-3"},
		{"an old Date", "", cert, key, alice, date(2 * time.Minute), signs, "-4"},
		{"an old Date that is taken", `modparam("stir_shaken", "auth_date_freshness", 300)` + "\n", cert, key, alice, date(2 * time.Minute), signs, "1"},
		{"no Date", "", cert, key, alice, "Date: yesterday\n", signs, "-4"},
		{"an old certificate", "", old, oldKey, alice, "", signs, "-5"},
		{"another key", "", cert, oldKey, alice, "", signs, "-1"},
		{"no certificate", "", "x", key, alice, "", signs, "-1"},
	} {
		b := moduletest.New(t, moduletest.Head("stir_shaken")+c.params+route(c.cert, c.key, c.call), stir_shaken.New)
		b.Receive(request(c.from, bob, c.more))
		if len(b.Log) == 0 || b.Log[len(b.Log)-1] != c.want {
			t.Errorf("%s: %q, want %s", c.name, b.Log, c.want)
		}
	}
}

// TestOut has a variable get the header.
func TestOut(t *testing.T) {
	cert, key := newAuthority(t).issue(-time.Hour, time.Hour)
	b := moduletest.New(t, moduletest.Head("stir_shaken")+route(cert, key, `stir_shaken_auth("C", "o", $var(cert), $var(key), "x", , , $var(line)); xlog("$rc $var(line)"); forward();`), stir_shaken.New)
	b.Receive(request("sip:1202@h", "sip:1203@h", ""))
	if len(b.Log) != 1 || !strings.HasPrefix(b.Log[0], "1 Identity: ey") || b.Sent[0].Header("Identity") != "" {
		t.Errorf("%q %+v", b.Log, b.Sent)
	}
}

func TestVerify(t *testing.T) {
	ca, stranger := newAuthority(t), newAuthority(t)
	cert, key := ca.issue(-time.Hour, time.Hour)
	strange, strangeKey := stranger.issue(-time.Hour, time.Hour)
	young, youngKey := ca.issue(-10*time.Second, time.Hour)
	const alice, bob = "sip:+12025550101@example.org", "sip:+12025550102@example.org"
	good := signed(t, cert, key, request(alice, bob, ""))
	list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(7), RevocationTime: time.Now().Add(-time.Hour)}}}, ca.cert, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	crl := filepath.Join(t.TempDir(), "crl.pem")
	ca.write(crl, "X509 CRL", list)
	folder := t.TempDir()
	if err := errors.Join(os.Symlink(ca.file, filepath.Join(folder, "ca.pem")), os.WriteFile(filepath.Join(folder, "README"), []byte("a"), 0o600)); err != nil {
		t.Fatal(err)
	}
	trusted := fmt.Sprintf("modparam(\"stir_shaken\", \"ca_list\", %q)\n", ca.file)
	tampered := strings.Replace(good, ".ey", ".fy", 1)
	dateless, _, _ := strings.Cut(good, "Date:")
	param := func(name, value string) string {
		return fmt.Sprintf("modparam(\"stir_shaken\", %q, %s)\n", name, value)
	}
	for _, c := range []struct{ name, params, cert, from, more, want string }{
		{"good", trusted, cert, alice, good, "1 <null>"},
		{"good, its parameters quoted", trusted, cert, alice, strings.Replace(good, "ppt=shaken", `ppt="shaken"`, 1), "1 <null>"},
		{"trusted by a folder", fmt.Sprintf("modparam(\"stir_shaken\", \"ca_dir\", %q)\n", folder), cert, alice, good, "1 <null>"},
		{"behind another", trusted, cert, alice, "Identity: a.b.c;info=<x>;ppt=div\n" + good, "1 <null>"},
		{"by a folder", param("ca_dir", fmt.Sprintf("%q", filepath.Dir(ca.file))), cert, alice, good, "1 <null>"},
		{"none", trusted, cert, alice, date(0), "-2 428 Use Identity Header"},
		{"no Date", trusted, cert, alice, dateless, "-2 428 Use Identity Header"},
		{"no Date, which is taken", trusted + param("require_date_hdr", "0"), cert, alice, dateless, "1 <null>"},
		{"no number", trusted, cert, "sip:alice@example.org", good, "-3 500 Internal Server Error"},
		{"no token", trusted, cert, alice, "Identity: abc;info=<x>\n" + date(0), "-4 438 Invalid Identity Header"},
		{"no info", trusted, cert, alice, strings.Replace(good, ";info=", ";other=", 1), "-4 438 Invalid Identity Header"},
		{"broken JSON", trusted, cert, alice, tampered, "-4 438 Invalid Identity Header"},
		{"another alg", trusted, cert, alice, strings.Replace(good, "ES256", "RS256", 1), "-5 438 Invalid Identity Header"},
		{"another ppt", trusted, cert, alice, strings.Replace(good, "ppt=shaken", "ppt=div", 1), "-5 438 Invalid Identity Header"},
		{"an old Date", trusted, cert, alice, dateless + date(2*time.Minute), "-6 403 Stale Date"},
		{"a Date ahead", trusted, cert, alice, dateless + date(-2*time.Minute), "-6 403 Stale Date"},
		{"a young certificate", trusted, young, alice, strings.SplitAfter(signed(t, young, youngKey, request(alice, bob, "")), "\n")[0] + date(30*time.Second), "-7 403 Stale Date"},
		{"a stranger's", trusted, strange, alice, signed(t, strange, strangeKey, request(alice, bob, "")), "-8 437 Unsupported Credential"},
		{"nobody trusted", "", cert, alice, good, "-8 437 Unsupported Credential"},
		{"revoked", trusted + param("crl_list", fmt.Sprintf("%q", crl)), cert, alice, good, "-8 437 Unsupported Credential"},
		{"revoked by a folder", trusted + param("crl_dir", fmt.Sprintf("%q", filepath.Dir(crl))), cert, alice, good, "-8 437 Unsupported Credential"},
		{"no certificate", trusted, "x", alice, good, "-8 437 Unsupported Credential"},
		{"another's key", trusted, young, alice, good, "-9 438 Invalid Identity Header"},
		{"another caller", trusted, cert, "sip:+12025550100@example.org", good, "-9 438 Invalid Identity Header"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := moduletest.New(t, moduletest.Head("stir_shaken")+c.params+route(c.cert, "", `stir_shaken_verify($var(cert), $var(code), $var(reason)); $var(rc) = $rc; if ($var(rc) < 0) xlog("$var(rc) $var(code) $var(reason)"); else xlog("$var(rc) $var(code)");`), stir_shaken.New)
			b.Receive(request(c.from, bob, c.more))
			if len(b.Log) != 1 || b.Log[0] != c.want {
				t.Errorf("%q, want %s", b.Log, c.want)
			}
		})
	}
}

func TestVariable(t *testing.T) {
	ca := newAuthority(t)
	cert, key := ca.issue(-time.Hour, time.Hour)
	old, _ := ca.issue(-2*time.Hour, -time.Hour)
	good := signed(t, cert, key, request("sip:1202@h", "sip:1203@h", ""))
	b := moduletest.New(t, moduletest.Head("stir_shaken")+route(cert, old, `xlog("$identity(attest) $identity(orig) $identity(dest) $identity(origid) $identity(x5u)"); xlog("$identity(header)"); xlog("$identity(iat)"); xlog("$identity");
	stir_shaken_check(); $var(a) = $rc; stir_shaken_check_cert($var(cert)); $var(b) = $rc; stir_shaken_check_cert($var(key)); xlog("$var(a) $var(b) $rc");`), stir_shaken.New)
	b.Receive(request("sip:1202@h", "sip:1203@h", good))
	if len(b.Log) != 5 || b.Log[0] != "A 1202 1203 4437c7eb https://c.example/p.pem" || !strings.HasPrefix(b.Log[1], `{"alg":"ES256"`) || len(b.Log[2]) != 10 ||
		!strings.HasPrefix(b.Log[3], "ey") || b.Log[4] != "1 1 -2" {
		t.Errorf("%q", b.Log)
	}
	b.Receive(request("sip:1202@h", "sip:1203@h", "Identity: x.y.z\n"))
	if b.Log[0] != "<null> <null> <null> <null> <null>" || b.Log[4] != "-3 1 -2" {
		t.Errorf("a broken one: %q", b.Log)
	}
	b.Receive(request("sip:1202@h", "sip:1203@h", ""))
	if b.Log[3] != "<null>" || b.Log[4] != "-2 1 -2" {
		t.Errorf("without: %q", b.Log)
	}
}

// Files that are not there, or have nothing of what is wanted, are errors with the place of who names them.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/file", []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := moduletest.Head("stir_shaken")
	line := strings.Count(text, "\n")
	for _, c := range [][2]string{{"ca_list", "/none"}, {"ca_list", "/file"}, {"ca_list", ""}, {"ca_dir", "/none"}, {"crl_list", "/none"}, {"crl_list", "/file"}, {"crl_dir", "/none"}} {
		cfg, err := (&script.Loader{Modules: []script.Constructor{proto_tls.New, sipmsgops.New, stir_shaken.New}}).Compile("test.cfg", fmt.Appendf(nil, "%smodparam(\"stir_shaken\", %q, %q)\nroute { exit; }\n", text, c[0], dir+c[1]))
		if err != nil {
			t.Fatal(err)
		}
		err = cfg.Start(script.Surroundings{}, nil)
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("test.cfg:%d:", line+1)) || !strings.Contains(err.Error(), dir+c[1]) {
			t.Errorf("%s: %v", c, err)
		}
	}
}

func TestWrong(t *testing.T) {
	for text, want := range map[string]string{
		`route { stir_shaken_auth("D", "o", "c", "k", "x"); }` + "\n": `"D" is no level`,
		`route { xlog("$identity(name)"); }` + "\n":                   "has header, x5u",
	} {
		if got := moduletest.Wrong(t, moduletest.Head("stir_shaken")+text, stir_shaken.New); !strings.Contains(got, want) {
			t.Errorf("%s: %s", text, got)
		}
	}
}
