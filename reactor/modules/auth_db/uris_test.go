package auth_db_test

import (
	"fmt"
	"strings"
	"testing"

	"sipreactor/reactor/modules/auth"
	"sipreactor/reactor/modules/auth_db"
	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

// uris is a database where alice may be +4930123 as well, and where ghost is nobody's.
func uris(t *testing.T) (url string) {
	t.Helper()
	url = storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "uri", "subscriber"); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, who := range []string{"alice", "+4930123", "bob"} {
		if err := db.Insert(t.Context(), "uri", store.Set{Column: "username", Value: store.String("alice")},
			store.Set{Column: "domain", Value: store.String("atlanta.example")}, store.Set{Column: "uri_user", Value: store.String(who)}); err != nil {
			t.Fatal(err)
		}
	}
	return url
}

// TestMayBe lets users be who a table says.
func TestMayBe(t *testing.T) {
	head := moduletest.Head("signaling", "auth", "auth_db", "db_sqlite", "verified") + fmt.Sprintf("modparam(\"auth_db\", \"db_url\", %q)\n", uris(t))
	invite := func(from, to, user string) []byte {
		credentials := ""
		if user != "" {
			credentials = `Proxy-Authorization: Digest username="` + user + `", realm="atlanta.example", nonce="n", uri="sip:x", response="0123456789abcdef0123456789abcdef"` + "\n"
		}
		return moduletest.CRLF("INVITE sip:x@example.org SIP/2.0\nVia: SIP/2.0/TLS 10.0.0.9:5061;branch=z9hG4bK1\nMax-Forwards: 70\n" +
			"From: <" + from + ">;tag=f\nTo: <" + to + ">\nCall-ID: one\nCSeq: 1 INVITE\n" + credentials + "Content-Length: 0\n\n")
	}
	for _, c := range []struct{ params, from, to, user, want string }{
		{"", "sip:alice@atlanta.example", "sip:%2B4930123@atlanta.example", "alice", "1 1"},
		{"", "sip:carol@atlanta.example", "sip:bob@atlanta.example", "alice", "-1 1"},
		{"", "sip:alice@atlanta.example", "sip:bob@atlanta.example", "alice@atlanta.example", "1 1"},
		{"", "sip:alice@atlanta.example", "sip:bob@atlanta.example", "bob", "-1 -1"},
		{"", "sip:alice@atlanta.example", "sip:bob@atlanta.example", "", "-1 -1"},
		{"", "sip:atlanta.example", "tel:+4930123", "alice", "-1 -1"},
		{"", "sip:alice@biloxi.example", "sip:bob@ATLANTA.example", "alice", "-1 1"},
		{"modparam(\"auth_db\", \"use_domain\", 0)\n", "sip:alice@biloxi.example", "sip:bob@atlanta.example", "alice", "1 1"},
	} {
		b := moduletest.New(t, head+c.params+"route { verified(); db_is_from_authorized(\"uri\"); $var(f) = $rc; db_is_to_authorized(\"uri\"); xlog(\"$var(f) $rc\"); }\n",
			auth.New, auth_db.New, signaling.New, db_sqlite.New, moduletest.Verified)
		if b.Receive(invite(c.from, c.to, c.user)); len(b.Log) == 0 || b.Log[len(b.Log)-1] != c.want {
			t.Errorf("%s to %s by %s, %q: %v, want %s", c.from, c.to, c.user, c.params, b.Log, c.want)
		}
	}
	b := moduletest.New(t, head+"route { verified(); db_is_from_authorized(\"nowhere\"); xlog(\"$rc\"); }\n", auth.New, auth_db.New, signaling.New, db_sqlite.New, moduletest.Verified)
	if b.Receive(invite("sip:alice@atlanta.example", "sip:bob@x", "alice")); len(b.Log) < 2 || b.Log[len(b.Log)-1] != "-2" {
		t.Errorf("without a table: %v", b.Log)
	}
}

// TestAuthID finds who may use a URI.
func TestAuthID(t *testing.T) {
	head := moduletest.Head("signaling", "auth", "auth_db", "db_sqlite", "verified") + fmt.Sprintf("modparam(\"auth_db\", \"db_url\", %q)\n", uris(t))
	for uri, want := range map[string]string{
		"sip:+4930123@atlanta.example": "1 alice atlanta.example",
		"sip:bob@Atlanta.Example":      "1 alice atlanta.example",
		"sip:bob@biloxi.example":       "-1 - -",
		"sip:carol@atlanta.example":    "-1 - -",
		"sip:' OR 1=1@atlanta.example": "-1 - -",
		"nonsense":                     "-1 - -",
	} {
		got := moduletest.Logs(t, head, fmt.Sprintf(`$var(u) = "-"; $var(r) = "-"; db_get_auth_id("uri", %q, $var(u), $var(r)); xlog("$rc $var(u) $var(r)");`, uri),
			auth.New, auth_db.New, signaling.New, db_sqlite.New, moduletest.Verified)
		if strings.Join(got, "|") != want {
			t.Errorf("%s: %v, want %s", uri, got, want)
		}
	}
}
