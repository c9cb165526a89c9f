package auth_db_test

import (
	"fmt"
	"strings"
	"testing"

	"sipreactor/reactor/digest"
	"sipreactor/reactor/modules/auth"
	"sipreactor/reactor/modules/auth_db"
	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

// TestUsersWithHosts: a table from before OpenSIPS 3.2 has another hash for users that come as user@host.
func TestUsersWithHosts(t *testing.T) {
	url := storetest.SQLite(t)
	hash := func(user string) string {
		return string(digest.AppendHA1(nil, digest.MD5, []byte(user), []byte("example.org"), []byte("secret")))
	}
	if err := store.Create(t.Context(), url, "version"); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, text := range []string{
		"CREATE TABLE subscriber (username TEXT, domain TEXT, ha1 TEXT, ha1b TEXT)",
		fmt.Sprintf("INSERT INTO subscriber VALUES ('alice', 'example.org', '%s', '%s')", hash("alice"), hash("alice@example.org")),
	} {
		if _, err := db.Exec(t.Context(), new(store.Statement).SQL(text)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ params, user, want string }{
		{"", "alice", "200"},
		{"", "alice@example.org", "401"},
		{"modparam(\"auth_db\", \"password_column_2\", \"ha1b\")\n", "alice", "200"},
		{"modparam(\"auth_db\", \"password_column_2\", \"ha1b\")\n", "alice@example.org", "200"},
	} {
		b := moduletest.New(t, moduletest.Head("signaling", "auth", "auth_db", "db_sqlite")+
			fmt.Sprintf("modparam(\"auth_db\", \"db_url\", %q)\nmodparam(\"auth_db\", \"skip_version_check\", 1)\n", url)+c.params+`
route {
	if (!www_authorize("example.org", "subscriber")) { www_challenge("example.org", "auth"); exit; }
	send_reply(200, "OK");
}
`, auth.New, auth_db.New, signaling.New, db_sqlite.New)
		send := func(headers string) {
			b.Receive(moduletest.CRLF("REGISTER sip:example.org SIP/2.0\nVia: SIP/2.0/TLS 10.0.0.9:5061;branch=z9hG4bK1\nMax-Forwards: 70\n" +
				"From: <sip:alice@example.org>;tag=f\nTo: <sip:alice@example.org>\nCall-ID: one\nCSeq: 1 REGISTER\n" + headers + "Content-Length: 0\n\n"))
		}
		send("")
		var ch digest.Challenge
		if err := digest.ParseChallenge([]byte(b.Sent[0].Header("WWW-Authenticate")), &ch); err != nil {
			t.Fatal(err)
		}
		answer := ch.Answer(nil, []byte(c.user), []byte(hash(c.user)), &digest.Request{Method: []byte("REGISTER"), URI: []byte("sip:example.org"), Count: 1})
		send("Authorization: " + string(answer) + "\n")
		if got := b.Status(); got != c.want {
			t.Errorf("%s as %s: %s, want %s\n%s", strings.TrimSpace(c.params), c.user, got, c.want, strings.Join(b.Log, "\n"))
		}
	}
}
