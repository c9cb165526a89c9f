package speeddial_test

import (
	"fmt"
	"strings"
	"testing"

	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/speeddial"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

var modules = []script.Constructor{db_sqlite.New, speeddial.New}

func TestDocumented(t *testing.T) { moduletest.Documented(t, speeddial.New) }

func TestShortNumbers(t *testing.T) {
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "speed_dial"); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var rows [][]store.Value
	for _, r := range []string{"alice atlanta.example +4930123 example.net sip:one@x", "alice biloxi.example +4930123 other.net sip:two@x", "bob c.example +4930123 example.net sip:three@x", "broken c.example +4930123 example.net nonsense"} {
		var row []store.Value
		for _, f := range strings.Fields(r) {
			row = append(row, store.String(f))
		}
		rows = append(rows, row)
	}
	change := store.Change{Verb: store.VerbInsert, Table: "speed_dial", Columns: []string{"username", "domain", "sd_username", "sd_domain", "new_uri"}, Rows: rows}
	if _, err := db.Apply(t.Context(), change); err != nil {
		t.Fatal(err)
	}
	head := moduletest.Head("db_sqlite", "speeddial") + fmt.Sprintf("modparam(\"speeddial\", \"db_url\", %q)\n", url)
	domains := func(n int) string { return fmt.Sprintf("modparam(\"speeddial\", \"use_domain\", %d)\n", n) }
	prefix := "modparam(\"speeddial\", \"domain_prefix\", \"sip.\")\n"
	for _, c := range []struct{ more, run, want string }{
		{"", `sd_lookup("speed_dial"); xlog("$rc $ru");`, "1 sip:one@x"},
		{"", `$ru = "sip:99@example.net"; sd_lookup("speed_dial"); xlog("$rc $ru");`, "-1 sip:99@example.net"},
		{domains(1), `sd_lookup("speed_dial", "sip:alice@biloxi.example"); xlog("$rc $ru");`, "1 sip:two@x"},
		{domains(2), `$avp(o) = "sip:alice@biloxi.example"; sd_lookup("speed_dial", $avp(o)); xlog("$rc");`, "-1"},
		{domains(2), `$rd = "OTHER.net"; sd_lookup("speed_dial", "sip:alice@Biloxi.example"); xlog("$ru");`, "sip:two@x"},
		{domains(1) + prefix, `sd_lookup("speed_dial", "sip:bob@sip.c.example"); xlog("$ru");`, "sip:three@x"},
		{"", `$var(t) = "dial"; sd_lookup("speed_$var(t)", "sip:bob@c"); xlog("$ru");`, "sip:three@x"},
		{"", `sd_lookup("speed_dial", "sip:x' OR 1=1 -- @h"); xlog("$rc");`, "-1"},
		{"", `sd_lookup("speed_dial", "nonsense"); xlog("$rc");`, "-1"},
		{"", `sd_lookup("speed_dial", "sip:broken@c.example"); xlog("$rc $rd");`, "-1 example.net"},
		{"", `$var(t) = "nothing"; sd_lookup("$var(t)"); xlog("$rc");`, "-1"},
	} {
		log := moduletest.Logs(t, head+c.more, c.run, modules...)
		if got := log[len(log)-1]; got != c.want {
			t.Errorf("%s: %v, want %s", c.run, log, c.want)
		}
	}
	log := strings.Join(moduletest.Logs(t, head, `sd_lookup("speed_dial", "sip:broken@c.example");`, modules...), "\n")
	if want := `table speed_dial, sd_username=+4930123, column new_uri: "nonsense"`; !strings.Contains(log, want) {
		t.Errorf("%s\nlacks %s", log, want)
	}
	if got := moduletest.Wrong(t, head+domains(3)+"route { exit; }\n", modules...); !strings.Contains(got, "use_domain") {
		t.Error(got)
	}
}
