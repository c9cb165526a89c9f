package tlsstate

import (
	"crypto/tls"
	"slices"
	"strings"
	"testing"
)

func TestParseMethod(t *testing.T) {
	const v10, v11, v12, v13 = tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13
	for _, c := range []struct {
		text      string
		low, high uint16 // 0 = an error
	}{
		{"", v12, v13}, {"TLSany", v12, v13}, {"SSLv23", v12, v13}, {"sslv23", v12, v13},
		{"TLSv1", v10, v10}, {"TLSv1_1", v11, v11}, {"TLSv1_2", v12, v12}, {"tlsv1_3", v13, v13},
		{"TLSv1_2-TLSv1_3", v12, v13}, {"TLSv1-TLSv1_2", v10, v12}, {" TLSv1_2 - TLSv1_3 ", v12, v13},
		{"TLSv1_3-", v13, v13}, {"TLSv1-", v10, v13}, {"-TLSv1_2", v12, v12}, {"-TLSv1_1", v11, v11}, {"-", v12, v13},
		{"TLSv1_3-TLSv1_2", 0, 0}, {"TLSv1.2", 0, 0}, {"TLSv1_2-x", 0, 0}, {"x", 0, 0}, {"SSLv3", 0, 0}, {"TLSv1_2-TLSv1_3-", 0, 0},
	} {
		low, high, err := ParseMethod(c.text)
		if low != c.low || high != c.high || (err != nil) != (c.low == 0) {
			t.Errorf("%q: %x-%x, %v", c.text, low, high, err)
		}
		if err != nil && !strings.Contains(err.Error(), "TLSv1_3") {
			t.Errorf("%q: %v does not say what there is", c.text, err)
		}
	}
}

func TestParseCiphers(t *testing.T) {
	count := func(weak bool) (n int) {
		for i := range suites {
			if !suites[i].weak || weak {
				n++
			}
		}
		return n
	}
	for _, c := range []struct {
		text string
		want []string // OpenSSL names; nil = an error
		n    int      // or how many
	}{
		{"ECDHE-RSA-AES128-GCM-SHA256", []string{"ECDHE-RSA-AES128-GCM-SHA256"}, 0},
		{"ecdhe-rsa-aes128-gcm-sha256", []string{"ECDHE-RSA-AES128-GCM-SHA256"}, 0},
		{"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", []string{"ECDHE-RSA-AES128-GCM-SHA256"}, 0},
		{"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305", []string{"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"}, 0},
		{"AES128-SHA", []string{"AES128-SHA"}, 0},
		{"ECDHE+AESGCM+ECDSA", []string{"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"}, 0},
		{"EECDH+CHACHA20", []string{"ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"}, 0},
		{"CHACHA20:!aRSA", []string{"ECDHE-ECDSA-CHACHA20-POLY1305"}, 0},
		{"!ECDSA:HIGH:!SHA:!AES256:!CHACHA20", []string{"ECDHE-RSA-AES128-GCM-SHA256"}, 0},
		{"HIGH:!aNULL:!MD5:!RC4:@STRENGTH", nil, count(false)},
		{"DEFAULT", nil, count(false)},
		{"ALL:-SHA", nil, 6},
		{"", nil, 0},
		{"RC4-SHA", nil, -1},
		{"DHE-RSA-AES128-GCM-SHA256", nil, -1},
		{"ECDHE:!ECDHE", nil, -1},
		{"ECDHE+RC4", nil, -1},
		{"TLS_AES_128_GCM_SHA256", nil, 0},
		{"TLS_AES_256_GCM_SHA384:tls_chacha20_poly1305_sha256:AES128-SHA", []string{"AES128-SHA"}, 0},
	} {
		ids, err := ParseCiphers(c.text)
		var names []string
		for _, id := range ids {
			names = append(names, suiteByID(id).name)
		}
		switch {
		case c.n < 0:
			if err == nil {
				t.Errorf("%q: %v, want an error", c.text, names)
			}
		case err != nil:
			t.Errorf("%q: %v", c.text, err)
		case c.want == nil && len(names) != c.n, c.want != nil && !slices.Equal(names, c.want):
			t.Errorf("%q: %v", c.text, names)
		}
	}
	_, err := ParseCiphers("RC4-SHA")
	if !strings.Contains(err.Error(), "ECDHE-ECDSA-AES128-GCM-SHA256") {
		t.Errorf("%v does not say what there is", err)
	}
}

// A list that names suites of TLS 1.3 alone leaves no version before it, and is
// an error where tls_method has none but those.
func TestCiphersOfTLS13Alone(t *testing.T) {
	const list = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"
	if got := AlwaysOffered(list + ":AES128-SHA"); !slices.Equal(got, strings.Split(list, ":")) {
		t.Errorf("always offered: %v", got)
	}
	for _, c := range []struct {
		method, ciphers string
		low             uint16 // 0: an error
	}{
		{"TLSv1_2-TLSv1_3", list, tls.VersionTLS13},
		{"TLSv1_2-TLSv1_3", list + ":AES128-SHA", tls.VersionTLS12},
		{"TLSv1_2-TLSv1_3", "", tls.VersionTLS12},
		{"TLSv1_3", list, tls.VersionTLS13},
		{"TLSv1_2", list, 0},
	} {
		low, _, err := Versions(c.method, c.ciphers)
		if (err != nil) != (c.low == 0) || err == nil && low != c.low {
			t.Errorf("%s with %q: from %x, %v", c.method, c.ciphers, low, err)
		}
	}
}

// Every suite that a tls.Config can have is in the table, and means what
// crypto/tls means.
func TestSuitesAreComplete(t *testing.T) {
	for _, c := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if slices.Contains(c.SupportedVersions, tls.VersionTLS12) && !strings.Contains(c.Name, "RC4") && !strings.Contains(c.Name, "3DES") && suiteByID(c.ID) == nil {
			t.Errorf("%s is missing", c.Name)
		}
	}
	for i := range suites {
		iana := tls.CipherSuiteName(suites[i].id)
		for _, part := range []string{"CHACHA20", "GCM", "AES128", "AES256", "ECDSA"} {
			if strings.Contains(suites[i].name, part) != strings.Contains(strings.ReplaceAll(iana, "AES_", "AES"), part) {
				t.Errorf("%s is not %s", suites[i].name, iana)
			}
		}
	}
}

func TestParseCurves(t *testing.T) {
	for text, want := range map[string][]tls.CurveID{
		"":                      defaultGroups,
		"auto":                  defaultGroups,
		"prime256v1":            {tls.CurveP256},
		"P-256:secp256r1:P-384": {tls.CurveP256, tls.CurveP384},
		"x25519 : secp384r1":    {tls.X25519, tls.CurveP384},
		"X25519MLKEM768":        {tls.X25519MLKEM768},
		"secp521r1":             nil,
		"P-521":                 nil,
		"X25519:":               nil,
	} {
		got, err := ParseCurves(text)
		if !slices.Equal(got, want) || (err != nil) != (want == nil) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	if slices.Contains(defaultGroups, tls.CurveP521) {
		t.Error("P-521 is offered")
	}
}

func TestBlameNames(t *testing.T) {
	for blame, want := range map[Blame]string{BlamePeer: "peer", BlameConfig: "configuration", BlameUs: "us", BlameOverload: "overload", 9: "blame(9)"} {
		if blame.String() != want {
			t.Errorf("%v, want %s", blame, want)
		}
	}
	if Server.String() != "server" || Client.String() != "client" || Role(7).String() != "role(7)" {
		t.Error(Server, Client, Role(7))
	}
}
