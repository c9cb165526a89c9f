package acc_test

import (
	"path/filepath"
	"strings"
	"testing"

	"sipreactor/reactor/internal/waittest"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/store"
)

// Flags and values of before OpenSIPS 2.2 account a transaction as do_accounting() does.
func TestOlderParameters(t *testing.T) {
	text := head + `loadmodule "sipmsgops.so"
modparam("acc", "log_flag", "ACC")
modparam("acc", "log_missed_flag", "MISSED")
modparam("acc", "failed_transaction_flag", 3)
modparam("acc", "log_extra", "src=$fU; dst=$rU;ip=$si")
route { if (is_method("INVITE")) { setflag("ACC"); setflag("MISSED"); } if (is_method("BYE")) { setflag("ACC"); setflag(3); } t_relay(); }
`
	b := moduletest.New(t, text, modules...)
	b.Receive(request("INVITE "+bob, ""))
	answer(t, b, last(b), "200 OK")
	if got := logged(b); !strings.Contains(got, "ACC: transaction answered") || !strings.Contains(got, "src=alice;dst=bob;ip=10.0.0.9") {
		t.Errorf("answered: %s", got)
	}
	b.Receive(request("BYE "+bob, ";tag=b"))
	answer(t, b, last(b), "404 No")
	if got := logged(b); !strings.Contains(got, "code=404") {
		t.Errorf("failed: %s", got)
	}
	b.Receive(request("OPTIONS "+bob, ""))
	answer(t, b, last(b), "200 OK")
	if got := logged(b); strings.Contains(got, "ACC") {
		t.Errorf("without a flag: %s", got)
	}
	for line, want := range map[string]string{
		`modparam("acc", "db_flag", "X")`:          "db_url of acc is not set",
		`modparam("acc", "cdr_flag", "X")`:         `needs the module dialog`,
		`modparam("acc", "log_extra", "a=b")`:      "is name=$variable",
		`modparam("acc", "db_extra", "a=$nosuch")`: "$nosuch",
	} {
		if got := moduletest.Wrong(t, head+line+"\nroute { exit; }\n", modules...); !strings.Contains(got, want) {
			t.Errorf("%s: %s", line, got)
		}
	}
}

// TestOlderWithoutTransaction: a request that its flags account has its record also where it gets no transaction: as it came
// by another way before, as there is no room, or as it is a CANCEL and those are reported.
func TestOlderWithoutTransaction(t *testing.T) {
	b := moduletest.New(t, head+`loadmodule "sipmsgops.so"
modparam("tm", "max_transactions", 2)
modparam("acc", "report_cancels", 1)
modparam("acc", "log_flag", "ACC")
modparam("acc", "failed_transaction_flag", "FAILED")
modparam("acc", "log_extra", "src=$fU")
route { if ($rU == "bob") { setflag("ACC"); setflag("FAILED"); } t_relay(); }
`, modules...)
	b.Receive(request("INVITE "+bob, ""))
	for _, c := range []struct{ name, text, want string }{
		{"by another way", strings.Replace(string(request("INVITE "+bob, "")), "branch=z9hG4bK", "branch=z9hG4bKother", 1), "method=INVITE;from_tag=a;to_tag=;call_id=c1;code=482;reason=Loop Detected;src=alice"},
		{"no flag", strings.NewReplacer("Call-ID: c1", "Call-ID: c3", "sip:bob@192", "sip:no@192").Replace(string(request("OPTIONS "+bob, ""))), ""},
		{"no room", strings.Replace(string(request("OPTIONS "+bob, "")), "Call-ID: c1", "Call-ID: c2", 1), "method=OPTIONS;from_tag=a;to_tag=;call_id=c2;code=503;reason=Service Unavailable;src=alice"},
		{"a CANCEL", strings.Replace(string(request("CANCEL "+bob, "")), "z9hG4bKCANCEL", "z9hG4bKINVITE", 1), "method=CANCEL;from_tag=a;to_tag=;call_id=c1;code=200;reason=canceling;src=alice"},
	} {
		b.Log, b.Sent = nil, nil
		b.Receive([]byte(c.text))
		want := c.want
		if want != "" {
			want = "ACC: transaction answered: timestamp=T;" + want
		}
		if got := logged(b); got != want || len(b.Sent) == 0 {
			t.Errorf("%s: %q, want %q; sent %+v", c.name, got, want, b.Sent)
		}
	}
}

// TestOlderParametersInDatabase: db_flag, db_missed_flag and db_extra write what do_accounting("db") does: into acc for
// calls that are answered, into missed_calls for those that nobody takes, nothing without a flag.
func TestOlderParametersInDatabase(t *testing.T) {
	url := "sqlite://" + filepath.Join(t.TempDir(), "acc.db")
	if err := store.Create(t.Context(), url, "version", "acc", "missed_calls"); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, table := range []string{"acc", "missed_calls"} {
		if _, err := db.Exec(t.Context(), new(store.Statement).SQL("ALTER TABLE "+table+" ADD COLUMN caller TEXT")); err != nil {
			t.Fatal(err)
		}
	}
	b := moduletest.New(t, moduletest.Head("tm", "sl", "signaling", "rr", "acc", "db_sqlite", "sipmsgops")+`
modparam("acc", "db_url", "`+url+`")
modparam("acc", "db_flag", "ACC")
modparam("acc", "db_missed_flag", "MISSED")
modparam("acc", "db_extra", "caller=$fU")
route { if (is_method("INVITE")) { setflag("ACC"); setflag("MISSED"); } t_relay(); }
`, modules...)
	call := func(method, branch, status string) {
		b.Receive([]byte(strings.NewReplacer("branch=z9hG4bK", "branch=z9hG4bK"+branch, "Call-ID: c1", "Call-ID: c"+branch).Replace(string(request(method+" "+bob, "")))))
		answer(t, b, last(b), status)
	}
	rows := func(table string) (all string) {
		r, err := db.Select(t.Context(), store.Select{Table: table, Columns: []string{"method", "sip_code", "sip_reason", "caller"}})
		if err != nil {
			t.Fatal(err)
		}
		for i := range r.Len() {
			for _, v := range r.Row(i) {
				all += v.Text() + " "
			}
		}
		return all
	}
	eventually := func(table, want string) {
		t.Helper()
		waittest.For(t, table+" has "+want, func() bool { return rows(table) == want })
	}
	call("OPTIONS", "1", "200 OK")
	call("INVITE", "2", "486 Busy Here")
	eventually("missed_calls", "INVITE 486 Busy Here alice ")
	call("INVITE", "3", "200 OK")
	eventually("acc", "INVITE 200 OK alice ")
	if got := rows("missed_calls"); got != "INVITE 486 Busy Here alice " {
		t.Errorf("missed_calls has %q", got)
	}
}
