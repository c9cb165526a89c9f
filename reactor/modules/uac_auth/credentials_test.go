package uac_auth

import (
	"strings"
	"testing"

	"sipreactor/reactor/digest"
)

// TestCredentials are read by the documentation's examples.
func TestCredentials(t *testing.T) {
	for text, want := range map[string]Credential{
		"username:domain:password":                           {"username", "domain", "password", false},
		"username:domain:0xc17ba8157756f263d07e158504204629": {"username", "domain", "c17ba8157756f263d07e158504204629", true},
		"u:d:p:q":  {"u", "d", "p:q", false},
		"u:d:0x12": {"u", "d", "0x12", false},
		"u:d:":     {"u", "d", "", false},
	} {
		if c, err := ParseCredential(text); err != nil || c != want {
			t.Errorf("%s: %+v %v", text, c, err)
		}
	}
	for _, bad := range []string{"", "u", "u:d", ":d:p", "u::p", "u:d:0x" + strings.Repeat("z", 32)} {
		if c, err := ParseCredential(bad); err == nil {
			t.Errorf("%q: %+v", bad, c)
		}
	}
}

// TestAnswer answers challenges so that a server takes the answer.
func TestAnswer(t *testing.T) {
	plain := []Credential{{User: "other", Realm: "else"}, {User: "bob", Realm: "biloxi.example", Password: "zanzibar"}}
	hashed := []Credential{{User: "bob", Realm: "biloxi.example", Password: string(digest.AppendHA1(nil, digest.MD5, []byte("bob"), []byte("biloxi.example"), []byte("zanzibar"))), Hashed: true}}
	md5 := `Digest realm="biloxi.example", nonce="n1", algorithm=MD5, qop="auth"`
	sha := `Digest realm="biloxi.example", nonce="n2", algorithm=SHA-256, qop="auth,auth-int"`
	sess := `Digest realm="biloxi.example", nonce="n3", algorithm=SHA-512-256-sess, qop="auth-int"`
	old := `Digest realm="BILOXI.example", nonce="n4"`
	r := &digest.Request{Method: []byte("INVITE"), URI: []byte("sip:b@biloxi.example"), Body: []byte("v=0")}
	for _, tc := range []struct {
		challenges []string
		list       []Credential
		choice     string
		which      int
	}{
		{[]string{sha, md5}, plain, "", 0}, {[]string{sha, md5}, plain, "MD5,MD5-sess", 1}, {[]string{sha, md5}, hashed, "", 1}, {[]string{sess}, plain, "", 0},
		{[]string{sess}, plain, "SHA-512-256", -1}, {[]string{sess}, plain, "SHA-512-256-sess", 0}, {[]string{old}, plain, "", 0},
		{[]string{`Digest realm="unknown", nonce="n"`}, plain, "", -1}, {[]string{"Basic x", `Digest realm="biloxi.example", nonce="n", algorithm=AKAv1-MD5`}, plain, "", -1}, {nil, plain, "", -1},
	} {
		choice, err := ParseChoice(tc.choice)
		if err != nil {
			t.Fatal(err)
		}
		var list [][]byte
		for _, c := range tc.challenges {
			list = append(list, []byte(c))
		}
		value, which := Answer(list, tc.list, choice, r)
		if which != tc.which {
			t.Errorf("%v: answers %d, want %d", tc.challenges, which, tc.which)
		}
		if which < 0 {
			continue
		}
		var c digest.Credentials
		if err := digest.ParseCredentials(value, &c); err != nil {
			t.Fatalf("%s: %v", value, err)
		}
		ha1 := digest.AppendHA1(nil, c.Algorithm, []byte("bob"), c.Realm, []byte("zanzibar"))
		if !c.Matches(ha1, r.Method, r.Body) {
			t.Errorf("%v: %s does not match", tc.challenges, value)
		}
	}
	if _, err := ParseChoice("MD4"); err == nil {
		t.Error("MD4 is taken")
	}
}
