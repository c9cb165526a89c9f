package uri_test

import (
	"fmt"
	"strings"
	"testing"

	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/uri"
	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

// authenticated is a request with credentials of a user.
func authenticated(user string) []byte {
	return []byte(strings.Replace(string(moduletest.Invite), "Contact:",
		`Proxy-Authorization: Digest username="`+user+`", realm="atlanta.example", nonce="n", uri="sip:x", response="0123456789abcdef0123456789abcdef"`+"\r\nContact:", 1))
}

func TestCheckFromAndTo(t *testing.T) {
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "uri"); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, who := range []string{"alice", "+4930123"} {
		err := db.Insert(t.Context(), "uri", store.Set{Column: "username", Value: store.String("alice")}, store.Set{Column: "domain", Value: store.String("atlanta.example")}, store.Set{Column: "uri_user", Value: store.String(who)})
		if err != nil {
			t.Fatal(err)
		}
	}
	head := moduletest.Head("db_sqlite", "uri", "verified")
	table := fmt.Sprintf("modparam(\"uri\", \"db_url\", %q)\nmodparam(\"uri\", \"use_uri_table\", 1)\nmodparam(\"uri\", \"db_table\", \"uri\")\n", url)
	for _, c := range []struct {
		more, user string
		want       string
	}{
		{"", "alice", "1 -1"}, {"", "bob", "-1 -1"}, {"", "+4930123", "-1 1"}, {"", "", "-1 -1"},
		{table, "alice", "1 1"}, {table, "bob", "-1 -1"}, {table, "' OR '1'='1", "-1 -1"},
	} {
		b := moduletest.New(t, head+c.more+"route { verified(); db_check_from(); $var(f) = $rc; db_check_to(); xlog(\"$var(f) $rc\"); }\n", db_sqlite.New, uri.New, moduletest.Verified)
		message := moduletest.Invite
		if c.user != "" {
			message = authenticated(c.user)
		}
		if b.Receive(message); len(b.Log) == 0 || b.Log[len(b.Log)-1] != c.want {
			t.Errorf("%q by %q: %v, want %s", c.more, c.user, b.Log, c.want)
		}
	}
	// Credentials that nobody has verified say nothing, alone or beside others.
	two := []byte(strings.Replace(string(authenticated("bob")), "Proxy-Authorization", "Authorization: Digest username=\"alice\", realm=\"x\"\r\nProxy-Authorization", 1))
	for route, want := range map[string]string{
		"db_check_from(); xlog(\"$rc\");":                     "-1",
		"verified(); db_check_from(); xlog(\"$rc $au\");":     "-1 bob",
		"verified(); db_check_from(); xlog(\"$rc $aU $ar\");": "-1 bob atlanta.example",
	} {
		b := moduletest.New(t, head+"route { "+route+" }\n", db_sqlite.New, uri.New, moduletest.Verified)
		if b.Receive(two); len(b.Log) == 0 || b.Log[len(b.Log)-1] != want {
			t.Errorf("%s: %v, want %s", route, b.Log, want)
		}
	}
	if got := moduletest.Wrong(t, head+"modparam(\"uri\", \"use_uri_table\", 1)\nroute { exit; }\n", db_sqlite.New, uri.New); !strings.Contains(got, "db_url is not set") {
		t.Error(got)
	}
}

func TestURIExists(t *testing.T) {
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "subscriber"); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Insert(t.Context(), "subscriber", store.Set{Column: "username", Value: store.String("+4930123")}, store.Set{Column: "domain", Value: store.String("example.org")}); err != nil {
		t.Fatal(err)
	}
	head := moduletest.Head("db_sqlite", "uri")
	param := fmt.Sprintf("modparam(\"uri\", \"db_url\", %q)\n", url)
	for more, want := range map[string]string{
		"": "1 -1", "modparam(\"uri\", \"use_domain\", 1)\n": "-1 -1",
	} {
		b := moduletest.New(t, head+param+more+"route { db_does_uri_exist(); $var(f) = $rc; $rU = \"nobody\"; db_does_uri_exist(); xlog(\"$var(f) $rc\"); }\n", db_sqlite.New, uri.New)
		if b.Receive(moduletest.Invite); len(b.Log) != 1 || b.Log[0] != want {
			t.Errorf("%q: %v, want %s", more, b.Log, want)
		}
	}
	if got := moduletest.Wrong(t, head+"route { db_does_uri_exist(); }\n", db_sqlite.New, uri.New); !strings.Contains(got, "db_url is not set") {
		t.Error(got)
	}
}
