package registrar_test

import (
	"strings"
	"testing"

	"sipreactor/reactor/internal/waittest"
	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

// TestEscapedUsers: a user is the same however it is escaped, and one with an @ in it is nobody else, also where rows have
// users and hosts in two columns.
func TestEscapedUsers(t *testing.T) {
	modules := append(all, db_sqlite.New)
	for _, c := range []struct{ mode, domain string }{
		{"single-instance-no-db", "0"}, {"single-instance-no-db", "1"},
		{"single-instance-sql-write-through", "0"}, {"single-instance-sql-write-through", "1"}, {"sql-only", "0"}, {"sql-only", "1"},
	} {
		url := storetest.SQLite(t)
		if err := store.Create(t.Context(), url, "location"); err != nil {
			t.Fatal(err)
		}
		text := moduletest.Head("signaling", "usrloc", "registrar", "sipmsgops", "db_sqlite") + `
modparam("usrloc", "working_mode_preset", "` + c.mode + `")
modparam("usrloc", "db_url", "` + url + `")
modparam("usrloc", "use_domain", ` + c.domain + `)
route {
	if (is_method("REGISTER")) { save("location"); ul_add_key("location", "$tU@$td", "k", "of $tU"); exit; }
	$var(key) = "";
	ul_get_key("location", "$rU@$rd", "k", $var(key));
	if (lookup("location")) xlog("$ru $var(key)"); else xlog("nobody");
}
`
		b := moduletest.New(t, text, modules...)
		for user, contact := range map[string]string{"%61lice": "sip:a@192.0.2.9", "bob%40example.com": "sip:b@192.0.2.9"} {
			b.Receive([]byte(strings.ReplaceAll(string(register(1, "Contact: <"+contact+">|Call-ID: "+contact)), "sip:alice@", "sip:"+user+"@")))
			if got := b.Status(); got != "200" {
				t.Fatalf("%s: %s", user, got)
			}
		}
		check := func(life string, b *moduletest.Bench, key bool) {
			t.Helper()
			for user, want := range map[string]string{
				"alice": "sip:a@192.0.2.9 of %61lice", "al%69ce": "sip:a@192.0.2.9 of %61lice", "bob%40example.com": "sip:b@192.0.2.9 of bob%40example.com",
				"bob": "nobody", "Alice": "nobody",
			} {
				if !key {
					want, _, _ = strings.Cut(want, " ")
				}
				b.Receive(moduletest.CRLF("MESSAGE sip:" + user + "@EXAMPLE.org SIP/2.0\nVia: SIP/2.0/TLS 10.0.0.9:5061;branch=z9hG4bKm\nMax-Forwards: 70\n" +
					"From: <sip:bob@example.org>;tag=f\nTo: <sip:x@example.org>\nCall-ID: m\nCSeq: 1 MESSAGE\nContent-Length: 0\n\n"))
				if got := strings.TrimSpace(strings.Join(b.Log, " ")); got != want {
					t.Errorf("%s, use_domain %s, %s: %s is %q, want %q", c.mode, c.domain, life, user, got, want)
				}
			}
		}
		check("at once", b, true)
		if c.mode != "single-instance-no-db" {
			if c.mode != "sql-only" {
				waittest.For(t, "both are written", func() bool { return strings.Count(b.Command(t, "ul_dump", nil), `"CS_SYNC"`) == 2 })
			}
			check("in another life", moduletest.New(t, text, modules...), false)
		}
	}
}
