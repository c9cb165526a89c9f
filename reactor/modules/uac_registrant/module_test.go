package uac_registrant

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/modules/uac_auth"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

var all = []script.Constructor{tm.New, sl.New, signaling.New, uac_auth.New, db_sqlite.New, New}

func TestDocumented(t *testing.T) { moduletest.Documented(t, New) }

// trunk is the module with a registrar that the test is.
type trunk struct {
	*testing.T
	*moduletest.Bench
	sent chan *transaction.Request
}

// patience is how long anything may take.
const patience = 20 * time.Second

func newTrunk(t *testing.T, text string) *trunk {
	k := &trunk{T: t, sent: make(chan *transaction.Request, 100)}
	k.Bench = moduletest.New(t, moduletest.Head("tm", "sl", "signaling", "uac_auth", "db_sqlite", "uac_registrant")+text+"\nroute { exit; }\n", all...)
	m := k.Config.Instance("uac_registrant").(*module)
	m.table.mu.Lock()
	m.table.send = func(r *transaction.Request, _ string) error { k.sent <- r; return nil }
	m.table.mu.Unlock()
	return k
}

// next is the next REGISTER.
func (k *trunk) next() *transaction.Request {
	k.Helper()
	select {
	case r := <-k.sent:
		return r
	case <-time.After(patience):
		k.Fatal("no REGISTER came")
		return nil
	}
}

// answers ends a REGISTER.
func (k *trunk) answers(r *transaction.Request, code int, headers string) {
	var m sipframe.Message
	text := moduletest.CRLF(fmt.Sprintf("SIP/2.0 %d X\nFrom: %s\nTo: %s\nCall-ID: %s\nCSeq: %d REGISTER\n%sContent-Length: 0\n\n", code, r.From, r.To, r.CallID, r.CSeq, headers))
	if err := m.Parse(text); err != nil {
		k.Fatal(err)
	}
	r.Done(&transaction.Outcome{Code: 100, Message: &m})
	r.Done(&transaction.Outcome{Code: code, Message: &m})
}

// state is what reg_list tells of the first account.
func (k *trunk) state() string {
	list := k.Command(k.T, "reg_list", nil)
	_, rest, _ := strings.Cut(list, `"state":"`)
	name, _, _ := strings.Cut(rest, `"`)
	return name
}

// soon waits until something is so.
func (k *trunk) soon(what string, is func() bool) {
	k.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			k.Fatalf("not so: %s; %s", what, k.Command(k.T, "reg_list", nil))
		}
	}
}

// table makes a database with one account and returns it and the lines of a configuration for it.
func accounts(t *testing.T) (*store.DB, string) {
	t.Helper()
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "registrant"); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	insert(t, db, "sip:alice@carrier.example", "sip:carrier.example")
	return db, fmt.Sprintf("modparam(\"uac_registrant\", \"db_url\", %q)\n", url)
}

func insert(t *testing.T, db *store.DB, aor, registrar string) {
	t.Helper()
	text := func(column, v string) store.Set { return store.Set{Column: column, Value: store.String(v)} }
	if err := db.Insert(t.Context(), "registrant", text("registrar", registrar), text("aor", aor), text("username", "alice"),
		text("password", "secret"), text("binding_URI", "sip:alice@192.0.2.1"), text("binding_params", ";x=1"), text("proxy", "sip:proxy.example;transport=tls"),
		store.Set{Column: "expiry", Value: store.Int(600)}); err != nil {
		t.Fatal(err)
	}
}

var one = map[string]string{"aor": "sip:alice@carrier.example", "contact": "sip:alice@192.0.2.1", "registrar": "sip:carrier.example"}

// TestStoredAccount registers what the table has, and follows the commands.
func TestStoredAccount(t *testing.T) {
	db, text := accounts(t)
	insert(t, db, "sip:nobody@carrier.example", "nothing") // is left out
	k := newTrunk(t, text)
	r := k.next()
	want := "Contact: <sip:alice@192.0.2.1>;x=1\r\nExpires: 600\r\n"
	if r.Method != "REGISTER" || string(r.URI) != "sip:carrier.example" || !strings.HasPrefix(string(r.From), "<sip:alice@carrier.example>;tag=") ||
		string(r.NextHop) != "sip:proxy.example;transport=tls" || string(r.Headers) != want {
		t.Errorf("%s %s\n%s\n%s", r.Method, r.URI, r.Headers, r.NextHop)
	}
	k.answers(r, 401, "WWW-Authenticate: Digest realm=\"c\", nonce=\"n\"\n")
	second := k.next()
	if string(second.CallID) != string(r.CallID) || second.CSeq != r.CSeq+1 || !strings.Contains(string(second.Headers), "\r\nAuthorization: Digest username=\"alice\"") {
		t.Errorf("%s", second.Headers)
	}
	k.answers(second, 200, "Contact: <sip:other@192.0.2.9>;expires=7, <sip:alice@192.0.2.1>;expires=300\nExpires: 5\n")
	list := k.Command(t, "uac_registrant:list", one)
	for _, want := range []string{`"AOR":"sip:alice@carrier.example"`, `"expires":600`, `"state":"REGISTERED_STATE"`, `"enabled":"yes"`, `"binding_params":";x=1"`} {
		if !strings.Contains(list, want) {
			t.Errorf("%s lacks %s", list, want)
		}
	}
	if strings.Contains(list, "secret") {
		t.Errorf("the password is shown: %s", list)
	}
	m := k.Config.Instance("uac_registrant").(*module)
	m.table.mu.Lock()
	if got := m.table.list[0].until.Sub(m.table.list[0].sent).Round(time.Minute); got != 5*time.Minute {
		t.Errorf("registered for %v", got)
	}
	m.table.mu.Unlock()

	if got := k.Command(t, "reg_disable", one); got != `"OK"` {
		t.Error(got)
	}
	if r = k.next(); !strings.Contains(string(r.Headers), "Expires: 0\r\n") {
		t.Errorf("disabled: %s", r.Headers)
	}
	k.answers(r, 200, "")
	if got := k.state(); got != "NOT_REGISTERED_STATE" {
		t.Error(got)
	}
	if got := k.Command(t, "reg_force_register", one); !strings.Contains(got, "disabled") {
		t.Errorf("forced and disabled: %s", got)
	}
	result, err := db.Select(t.Context(), store.Select{Table: "registrant", Columns: []string{"state"}, Where: []store.Cond{store.Equal("aor", store.String(one["aor"]))}})
	if err != nil || result.Row(0)[0].Text() != "1" {
		t.Errorf("the table has not heard of it: %v %v", result, err)
	}
	if got := k.Command(t, "reg_enable", one); got != `"OK"` {
		t.Error(got)
	}
	k.answers(k.next(), 200, "")
	if got := k.Command(t, "reg_force_register", one); got != `"OK"` {
		t.Error(got)
	}
	k.answers(k.next(), 200, "")
	if got := k.state(); got != "REGISTERED_STATE" {
		t.Error(got)
	}
}

// TestReload leaves what has not changed, registers what is new and unregisters what went.
func TestReload(t *testing.T) {
	db, text := accounts(t)
	k := newTrunk(t, text)
	k.answers(k.next(), 200, "")
	insert(t, db, "sip:bob@carrier.example", "sip:carrier.example")
	if got := k.Command(t, "reg_reload", nil); got != `"OK"` {
		t.Fatal(got)
	}
	r := k.next()
	if string(r.To) != "<sip:bob@carrier.example>" {
		t.Errorf("registers %s", r.To)
	}
	k.answers(r, 200, "")
	if _, err := db.Delete(t.Context(), "registrant", store.Equal("aor", store.String(one["aor"]))); err != nil {
		t.Fatal(err)
	}
	if got := k.Command(t, "reg_reload", one); got != `"OK"` {
		t.Fatal(got)
	}
	r = k.next()
	if string(r.To) != "<sip:alice@carrier.example>" || !strings.Contains(string(r.Headers), "Expires: 0\r\n") {
		t.Errorf("%s %s", r.To, r.Headers)
	}
	k.answers(r, 200, "")
	k.soon("the account went", func() bool { return !strings.Contains(k.Command(t, "reg_list", nil), "alice@carrier") })
	if got := k.Command(t, "reg_list", one); !strings.Contains(got, "Record not found") {
		t.Error(got)
	}
	if got := k.Command(t, "reg_list", map[string]string{"aor": "x"}); !strings.Contains(got, "together") {
		t.Error(got)
	}
}

// TestFromTag: the From of a registration stays as it is, with its tag, as does its Call-ID (RFC 3261 8.1.3.5, 10.2).
func TestFromTag(t *testing.T) {
	_, text := accounts(t)
	k := newTrunk(t, text)
	first := k.next()
	k.answers(first, 401, "WWW-Authenticate: Digest realm=\"carrier.example\", nonce=\"n\", qop=\"auth\"\n")
	second := k.next()
	if string(first.From) != string(second.From) || string(first.CallID) != string(second.CallID) || !strings.Contains(string(first.From), ";tag=") {
		t.Errorf("%s of %s, then %s of %s", first.From, first.CallID, second.From, second.CallID)
	}
	for _, r := range k.Config.Instance("uac_registrant").(*module).table.list {
		if string(r.fromTag) == string(r.callID) || len(r.fromTag) < 8 {
			t.Errorf("the tag is %s", r.fromTag)
		}
	}
}

// TestUpsert has an account come and go by management, without a database.
func TestUpsert(t *testing.T) {
	k := newTrunk(t, "")
	with := map[string]any{"aor": one["aor"], "contact": one["contact"], "registrar": one["registrar"], "proxy": "", "third_party_registrant": "sip:t@c.example",
		"username": "u", "password": "p", "binding_params": "", "expiry": 60, "forced_socket": "", "cluster_shtag": "", "state": 0}
	if got := k.Command(t, "reg_upsert", with); got != `"OK"` {
		t.Fatal(got)
	}
	r := k.next()
	if !strings.HasPrefix(string(r.From), "<sip:t@c.example>;tag=") || string(r.NextHop) != "sip:carrier.example" || !strings.Contains(string(r.Headers), "Expires: 60\r\n") {
		t.Errorf("%s %s %s", r.From, r.NextHop, r.Headers)
	}
	k.answers(r, 200, "")
	with["expiry"] = 120
	k.Command(t, "reg_upsert", with)
	if r = k.next(); !strings.Contains(string(r.Headers), "Expires: 120\r\n") {
		t.Errorf("changed: %s", r.Headers)
	}
	k.answers(r, 200, "")
	with["contact"] = "nothing"
	if got := k.Command(t, "reg_upsert", with); !strings.Contains(got, "is no URI") {
		t.Error(got)
	}
	if got := k.Command(t, "reg_delete", one); got != `"OK"` {
		t.Error(got)
	}
	k.answers(k.next(), 200, "")
	k.soon("nothing is left", func() bool { return k.Command(t, "reg_list", nil) == `{"Records":[]}` })
	if got := k.Command(t, "reg_reload", nil); !strings.Contains(got, "no database") {
		t.Error(got)
	}
}

// TestUnsent is an error of ours: a socket that is not there.
func TestUnsent(t *testing.T) {
	k := newTrunk(t, `modparam("uac_registrant", "uac", "sip:c.example,,sip:a@c.example,,u,p,sip:a@192.0.2.1,,60,udp:127.0.0.1:5060")`)
	m := k.Config.Instance("uac_registrant").(*module)
	m.table.mu.Lock()
	m.table.send = func(*transaction.Request, string) error { return errNoSocket }
	m.table.byKey[key{"sip:a@c.example", "sip:a@192.0.2.1", "sip:c.example"}].due = time.Now()
	m.table.mu.Unlock()
	k.soon("it failed", func() bool { return k.state() == "INTERNAL_ERROR_STATE" })
}

// TestWrong says what is wrong with a configuration.
func TestWrong(t *testing.T) {
	head := moduletest.Head("tm", "sl", "signaling", "uac_auth", "uac_registrant")
	for text, want := range map[string]string{
		`modparam("uac_registrant", "uac", "sip:c.example")`:                      "uac is registrar,proxy,aor",
		`modparam("uac_registrant", "reregister_expiry_percentage", 0)`:           "reregister_expiry_percentage",
		`modparam("uac_registrant", "db_url", "mysql://u:secret@127.0.0.1/data")`: "db_mysql",
	} {
		if got := moduletest.Wrong(t, head+text+"\nroute { exit; }", all...); !strings.Contains(got, want) || strings.Contains(got, "secret") {
			t.Errorf("%s:\n%s", text, got)
		}
	}
	if got := moduletest.Wrong(t, moduletest.Head("tm", "sl", "signaling", "uac_registrant")+"route { exit; }", all...); !strings.Contains(got, "uac_registrant needs the module uac_auth") {
		t.Error(got)
	}
}
