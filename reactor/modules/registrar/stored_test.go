package registrar_test

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/store"
)

// TestStored finds contacts again in another life of the program, and those that went do not come back.
func TestStored(t *testing.T) {
	url := "sqlite://" + t.TempDir() + "/sip.db"
	if err := store.Create(t.Context(), url, "location"); err != nil {
		t.Fatal(err)
	}
	text := moduletest.Head("signaling", "usrloc", "registrar", "db_sqlite") + `
modparam("usrloc", "working_mode_preset", "single-instance-sql-write-back")
modparam("usrloc", "db_url", "` + url + `")
route {
	if (is_method("REGISTER")) { save("location"); exit; }
	lookup("location"); $var(rc) = $rc; xlog("$var(rc) $ru");
}
loadmodule "sipmsgops.so"
`
	life := func(f func(b *moduletest.Bench)) {
		t.Run("a life", func(t *testing.T) { f(moduletest.New(t, text, append(all, db_sqlite.New)...)) })
	}
	look := func(b *moduletest.Bench) string {
		b.Receive(moduletest.CRLF("MESSAGE sip:alice@example.org SIP/2.0\nVia: SIP/2.0/TLS 10.0.0.9:5061;branch=z9hG4bKm\nMax-Forwards: 70\n" +
			"From: <sip:bob@example.org>;tag=f\nTo: <sip:alice@example.org>\nCall-ID: m\nCSeq: 1 MESSAGE\nContent-Length: 0\n\n"))
		return strings.Join(b.Lines(), "|")
	}
	life(func(b *moduletest.Bench) {
		b.Receive(register(1, "Contact: <sip:a@192.0.2.9;x=1>;q=0.5, <sip:b@192.0.2.9>"))
	})
	life(func(b *moduletest.Bench) {
		if got := look(b); got != "1 sip:a@192.0.2.9;x=1" {
			t.Errorf("in the second life: %s", got)
		}
		b.Receive(register(2, "Contact: <sip:a@192.0.2.9;x=1>;expires=0"))
		if got := answer(b); got != "200|Contact: <sip:b@192.0.2.9>;expires=3600" && !strings.HasPrefix(got, "200|Contact: <sip:b@192.0.2.9>;expires=35") {
			t.Errorf("one goes: %s", got)
		}
	})
	life(func(b *moduletest.Bench) {
		if got := look(b); got != "1 sip:b@192.0.2.9" {
			t.Errorf("in the third life: %s", got)
		}
	})
}
