package acc_test

import (
	"context"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/modules/acc"
	"sipreactor/reactor/modules/db_mysql"
	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/proto_tls"
	"sipreactor/reactor/modules/rr"
	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

var (
	modules = []script.Constructor{tm.New, sl.New, signaling.New, rr.New, acc.New, db_sqlite.New, db_mysql.New}
	head    = moduletest.Head("tm", "sl", "signaling", "rr", "acc")
)

// request is a request of a caller's.
func request(line, to string, more ...string) []byte {
	method, _, _ := strings.Cut(line, " ")
	lines := append([]string{line + " SIP/2.0", "Via: SIP/2.0/TLS 10.0.0.9:40000;branch=z9hG4bK" + method, "Max-Forwards: 70",
		"From: <sip:alice@example.net>;tag=a", "To: <sip:bob@example.net>" + to, "Call-ID: c1", "CSeq: 1 " + method, "Content-Length: 0"}, more...)
	return []byte(strings.Join(lines, "\r\n") + "\r\n\r\n")
}

// answer has a callee answer the request that was sent last.
func answer(t *testing.T, b *moduletest.Bench, to moduletest.Sent, status string) {
	t.Helper()
	b.Log, b.Sent = nil, nil
	b.Context.Receive(to.Answer(t, status), moduletest.Callee(netip.MustParseAddrPort("192.0.2.9:5061")))
}

var stamp = regexp.MustCompile(`timestamp=\d{10}`)

// logged gives what was logged, without times.
func logged(b *moduletest.Bench) string {
	return stamp.ReplaceAllString(strings.Join(b.Log, "|"), "timestamp=T")
}

func last(b *moduletest.Bench) moduletest.Sent { return b.Sent[len(b.Sent)-1] }

const bob = "sip:bob@192.0.2.9;transport=tls"

// A call and its record, with the values that the script gave; the callee's BYE the other way round.
func TestLog(t *testing.T) {
	b := moduletest.New(t, head+`
modparam("acc", "detect_direction", 1)
modparam("acc", "early_media", 0)
modparam("acc", "report_cancels", 0)
modparam("acc", "extra_fields", "log: caller->src; dst")
modparam("acc", "leg_fields", "log: leg")
route {
	if (loose_route()) { do_accounting("log"); t_relay(); exit; }
	$acc_extra(caller) = $fU;
	do_accounting("log", "missed");
	$acc_leg(leg) = "first";
	acc_new_leg();
	$(acc_leg(leg)[1]) = "second";
	xlog("$acc_current_leg $(acc_leg(leg)[0]) $(acc_leg(leg)[-1]) $acc_leg(leg)");
	record_route();
	t_on_reply("1");
	t_relay();
}
onreply_route[1] { $acc_extra(dst) = $rs; }
`, modules...)
	b.Receive(request("INVITE "+bob, ""))
	if got := logged(b); got != "1 first second second" {
		t.Error(got)
	}
	answer(t, b, last(b), "200 Fine")
	if got := logged(b); got != "ACC: transaction answered: timestamp=T;method=INVITE;from_tag=a;to_tag=b;call_id=c1;code=200;reason=Fine;src=alice;dst=200;leg=first;leg=second" {
		t.Error(got)
	}
	b.Receive(request("BYE "+bob, ";tag=x", "Route: <sip:edge.example.org:5061;transport=tls;lr;ftag=other>"))
	if len(b.Sent) == 0 {
		t.Fatalf("nothing was sent: %q", b.Log)
	}
	answer(t, b, last(b), "200 OK")
	if got := logged(b); !strings.HasPrefix(got, "ACC: transaction answered: timestamp=T;method=BYE;from_tag=x;to_tag=a;") && !strings.HasPrefix(got, "ACC: transaction answered: timestamp=T;method=BYE;from_tag=b;to_tag=a;") {
		t.Error(got)
	}
}

// A call that nobody takes: missed once for each do_accounting(), failed where asked for.
func TestMissed(t *testing.T) {
	b := moduletest.New(t, head+`
route {
	do_accounting("log", "missed|failed");
	t_on_failure("next");
	t_relay();
}
failure_route[next] {
	if ($T_reply_code == 486) {
		do_accounting("log", "missed");
		$ru = "sip:carol@192.0.2.9;transport=tls";
		t_relay();
		exit;
	}
	drop_accounting("log", "failed");
}
`, modules...)
	b.Receive(request("INVITE "+bob, ""))
	answer(t, b, last(b), "486 Busy Here")
	if got := logged(b); got != "ACC: call missed: timestamp=T;method=INVITE;from_tag=a;to_tag=b;call_id=c1;code=486;reason=Busy Here" {
		t.Error(got)
	}
	answer(t, b, last(b), "404 Not Found")
	if got := logged(b); got != "ACC: call missed: timestamp=T;method=INVITE;from_tag=a;to_tag=b;call_id=c1;code=404;reason=Not Found|ACC: transaction answered: timestamp=T;method=INVITE;from_tag=a;to_tag=b;call_id=c1;code=404;reason=Not Found" &&
		got != "ACC: call missed: timestamp=T;method=INVITE;from_tag=a;to_tag=b;call_id=c1;code=404;reason=Not Found" {
		t.Error(got)
	}
}

// What the script says itself, and an answer of ours.
func TestRequest(t *testing.T) {
	b := moduletest.New(t, head+`
route {
	acc_log_request("403 Destination not allowed");
	do_accounting("log", "failed");
	t_reply(404, "Nobody home");
}
`, modules...)
	b.Receive(request("INVITE "+bob, ""))
	got := logged(b)
	if !strings.HasPrefix(got, "ACC: request accounted: timestamp=T;method=INVITE;from_tag=a;to_tag=;call_id=c1;code=403;reason=Destination not allowed|ACC: transaction answered: timestamp=T;method=INVITE;from_tag=a;to_tag=") ||
		!strings.HasSuffix(got, ";call_id=c1;code=404;reason=Nobody home") {
		t.Error(got)
	}
}

// Records in a database, which has the columns of extra_fields.
func TestDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "acc.db")
	url := "sqlite://" + path
	if err := store.Create(t.Context(), url, "version", "acc", "missed_calls"); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	text := moduletest.Head("tm", "sl", "signaling", "rr", "acc", "db_sqlite") + `
modparam("acc", "db_url", "` + url + `")
modparam("acc", "extra_fields", "db: from->caller")
route {
	do_accounting("db", "missed");
	$acc_extra(from) = $fu;
	if ($rU == "acc") acc_db_request("480 Some comment", "acc");
	t_relay();
}
`
	l := script.Loader{Modules: append([]script.Constructor{proto_tls.New, dialog.New}, modules...)}
	elsewhere := strings.Replace(strings.Replace(text, url, "mysql://u:p@127.0.0.1:1/none", 1), "db_sqlite", "db_mysql", 1)
	if cfg, err := l.Compile("test.cfg", []byte(elsewhere)); err != nil {
		t.Fatal(err)
	} else if err := cfg.Try(slog.New(slog.DiscardHandler), nil); err != nil {
		t.Errorf("nobody on a network is asked what columns there are: %v", err)
	}
	for _, table := range []string{"acc", "missed_calls"} {
		cfg, err := l.Compile("test.cfg", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := cfg.Try(slog.New(slog.DiscardHandler), nil); err == nil || !strings.Contains(err.Error(), "test.cfg:14:") || !strings.Contains(err.Error(), "extra_fields of acc: the table "+table+" has no column caller") {
			t.Errorf("the table %s has no column for a field: %v", table, err)
		}
		if _, err := db.Exec(t.Context(), new(store.Statement).SQL("ALTER TABLE "+table+" ADD COLUMN caller TEXT")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Exec(t.Context(), new(store.Statement).SQL("ALTER TABLE acc DROP COLUMN setuptime")); err != nil {
		t.Fatal(err)
	}
	calls := strings.Replace(strings.Replace(text, `"missed"`, `"cdr"`, 1), `loadmodule "acc.so"`, "loadmodule \"dialog.so\"\nloadmodule \"acc.so\"", 1)
	for _, missing := range []bool{true, false} {
		cfg, err := l.Compile("test.cfg", []byte(calls))
		if err != nil {
			t.Fatal(err)
		}
		err = cfg.Try(slog.New(slog.DiscardHandler), nil)
		if missing && (err == nil || !strings.Contains(err.Error(), "the flag cdr of acc: the table acc has no column setuptime")) || !missing && err != nil {
			t.Errorf("records of calls, a column missing: %v: %v", missing, err)
		}
		if missing {
			if _, err := db.Exec(t.Context(), new(store.Statement).SQL("ALTER TABLE acc ADD COLUMN setuptime INTEGER")); err != nil {
				t.Fatal(err)
			}
		}
	}
	b := moduletest.New(t, text, modules...)
	b.Receive(request("INVITE "+bob, ""))
	answer(t, b, last(b), "200 OK")
	rows := func(table string, columns ...string) (all string) {
		for range 3000 {
			r, err := db.Select(context.Background(), store.Select{Table: table, Columns: columns})
			if err != nil {
				t.Fatal(err)
			}
			for i := range r.Len() {
				for _, v := range r.Row(i) {
					all += v.Text() + " "
				}
			}
			if all != "" {
				return all
			}
			time.Sleep(10 * time.Millisecond)
		}
		return "nothing: " + strings.Join(b.Log, "|")
	}
	if got := rows("acc", "method", "from_tag", "to_tag", "callid", "sip_code", "sip_reason", "caller"); got != "INVITE a b c1 200 OK sip:alice@example.net " {
		t.Error(got)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestErrors(t *testing.T) {
	got := moduletest.Wrong(t, head+`
modparam("acc", "aaa_url", "radius:/etc/x.conf")
modparam("acc", "extra_fields", "radius: a")
route {
	do_accounting("db");
	do_accounting("log", "cdr");
	do_accounting("syslog");
	do_accounting("log", "all");
	do_accounting("aaa");
	$acc_extra(none) = 1;
	acc_load_ctx_from_dlg();
}
`, modules...)
	for _, want := range []string{"there is no AAA", "extra_fields is backend:tag", "db_url of acc is not set", "needs the module dialog", "the types are", "the flags are", "there is no none in the parameter extra_fields", "acc_load_ctx_from_dlg() needs the module dialog"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestDocumented(t *testing.T) { moduletest.Documented(t, acc.New) }

// TestTurnedAway: an INVITE that came by another way before, and gets no transaction, has its record where failures have one.
func TestTurnedAway(t *testing.T) {
	for flags, want := range map[string]string{
		`"failed"`:     "ACC: transaction answered: timestamp=T;method=INVITE;from_tag=a;to_tag=;call_id=c1;code=482;reason=Loop Detected",
		`"cdr|failed"`: "ACC: transaction answered: timestamp=T;method=INVITE;from_tag=a;to_tag=;call_id=c1;code=482;reason=Loop Detected",
		`"missed"`:     "",
	} {
		b := moduletest.New(t, dialogHead+`route { if ($rU == "no") { do_accounting("log", `+flags+`); sl_send_reply(403, "No"); exit; } do_accounting("log", `+flags+`); t_relay(); }`, withDialog...)
		b.Receive(request("INVITE "+bob, ""))
		b.Log = nil
		b.Receive([]byte(strings.Replace(string(request("INVITE "+bob, "")), "branch=z9hG4bK", "branch=z9hG4bKother", 1)))
		if got := logged(b); got != want {
			t.Errorf("%s: %q, want %q", flags, got, want)
		}
		if !strings.HasPrefix(last(b).Text, "SIP/2.0 482 Loop Detected") {
			t.Errorf("answered: %s", last(b).Text)
		}
		b.Log = nil
		b.Receive([]byte(strings.NewReplacer("branch=z9hG4bK", "branch=z9hG4bKno", "c1", "c9", "sip:bob@192", "sip:no@192").Replace(string(request("OPTIONS "+bob, "")))))
		if got := logged(b); got != "" {
			t.Errorf("a stateless answer of the script's has a record: %q", got)
		}
	}
}

// TestCancels: with report_cancels a CANCEL that do_accounting() was called for has its record, and without it none.
func TestCancels(t *testing.T) {
	for report, want := range map[string]string{"1": "ACC: transaction answered: timestamp=T;method=CANCEL;from_tag=a;to_tag=;call_id=c1;code=200;reason=canceling", "0": ""} {
		b := moduletest.New(t, head+`modparam("acc", "report_cancels", `+report+`) route { if ($rm == "CANCEL") { do_accounting("log"); t_relay(); exit; } t_relay(); }`, modules...)
		b.Receive(request("INVITE "+bob, ""))
		cancel := strings.Replace(string(request("CANCEL "+bob, "")), "z9hG4bKCANCEL", "z9hG4bKINVITE", 1)
		b.Receive([]byte(cancel))
		if got := logged(b); got != want {
			t.Errorf("report_cancels %s: %q, want %q", report, got, want)
		}
	}
}

// TestHiddenCallID: records have the caller's Call-ID, also of requests of a callee that knows another one.
func TestHiddenCallID(t *testing.T) {
	b := moduletest.New(t, head+`route { do_accounting("log"); t_relay(); }`, modules...)
	b.Proxy.SetCallIDs(func([]byte) []byte { return []byte("callers") })
	b.Receive(request("INFO "+bob, ";tag=b"))
	answer(t, b, last(b), "200 OK")
	if got := logged(b); !strings.Contains(got, ";call_id=callers;") {
		t.Error(got)
	}
}
