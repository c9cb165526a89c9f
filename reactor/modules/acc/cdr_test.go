package acc_test

import (
	"context"
	"net/netip"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/modules/acc"
	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/rr"
	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/modules/sipmsgops"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

var (
	withDialog = []script.Constructor{tm.New, sl.New, signaling.New, sipmsgops.New, rr.New, dialog.New, acc.New, db_sqlite.New}
	dialogHead = moduletest.Head("tm", "sl", "signaling", "sipmsgops", "rr", "dialog", "acc", "db_sqlite")
	callTimes  = regexp.MustCompile(`created=\d{10};call_start_time=\d{10};duration=(\d+);ms_duration=(\d+);setuptime=\d;`)
)

const (
	route  = "Route: <sip:edge.example.org:5061;transport=tls;lr;ftag=a>"
	logCDR = "ACC: call ended: created=C;call_start_time=S;duration=D;ms_duration=M;setuptime=0;method=INVITE;from_tag=a;to_tag=b;call_id=c1;code=200;reason=OK"
)

func calls(b *moduletest.Bench) string {
	return callTimes.ReplaceAllString(logged(b), "created=C;call_start_time=S;duration=D;ms_duration=M;setuptime=0;")
}

const callRoutes = `
modparam("acc", "extra_fields", "log: src; end")
modparam("acc", "extra_fields", "evi: src")
modparam("acc", "leg_fields", "log: leg")
route {
	if (has_totag()) {
		loose_route();
		if ($rm == "BYE") { $acc_extra(end) = "bye of " + $acc_extra(src); }
		t_relay();
		exit;
	}
	$acc_extra(src) = $fU;
	do_accounting("log|evi", "cdr|missed|failed");
	$acc_leg(leg) = "first";
	record_route();
	t_relay();
}
`

// up has a call answered by its callee.
func up(t *testing.T, b *moduletest.Bench) {
	t.Helper()
	b.Receive(request("INVITE "+bob, ""))
	answer(t, b, last(b), "200 OK")
	if got := logged(b); got != "" {
		t.Fatalf("a call that has not ended is recorded: %q", got)
	}
	b.Receive(request("ACK "+bob, ";tag=b", route))
}

// The record of a call is written when its BYE is answered, with what the script of the
// BYE has added.
func TestCDR(t *testing.T) {
	b := moduletest.New(t, dialogHead+callRoutes, withDialog...)
	up(t, b)
	b.Receive(request("BYE "+bob, ";tag=b", route))
	if got := calls(b); got != "" {
		t.Errorf("recorded before the answer to the BYE: %q", got)
	}
	bye := last(b)
	b.Log, b.Sent = nil, nil
	text := strings.Replace(bye.Text, "BYE", "", 1)
	text = text[strings.Index(text, "Via:"):]
	b.Context.Receive([]byte("SIP/2.0 200 OK\r\n"+text), &reactor.Source{Conn: 9, Proto: reactor.TLS, Outbound: true, Socket: moduletest.Sockets[0],
		Remote: netip.MustParseAddrPort("192.0.2.9:5061"), Local: moduletest.Sockets[0].Addr})
	if got := calls(b); !strings.Contains(got, logCDR+";src=alice;end=bye of alice;leg=first") || strings.Count(got, "ACC:") != 1 {
		t.Errorf("%q", got)
	}
}

// A call that management ends has its record at once, one that nobody takes that of its transaction.
func TestCDROtherEnds(t *testing.T) {
	b := moduletest.New(t, dialogHead+callRoutes, withDialog...)
	up(t, b)
	b.Log = nil
	b.Command(t, "dlg_end_dlg", map[string]any{"dialog_id": "c1"})
	if got := calls(b); !strings.Contains(got, logCDR+";src=alice;end=;leg=first") {
		t.Errorf("%q", got)
	}
	b = moduletest.New(t, dialogHead+callRoutes, withDialog...)
	b.Receive(request("INVITE "+bob, ""))
	answer(t, b, last(b), "486 Busy Here")
	if got := calls(b); !strings.Contains(got, "ACC: transaction answered: timestamp=T;method=INVITE;from_tag=a;to_tag=b;call_id=c1;code=486;") || strings.Contains(got, "call ended") {
		t.Errorf("%q", got)
	}
}

// The columns of the table have the times.
func TestCDRInDatabase(t *testing.T) {
	url := "sqlite://" + filepath.Join(t.TempDir(), "acc.db")
	if err := store.Create(t.Context(), url, "version", "acc", "missed_calls"); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	b := moduletest.New(t, dialogHead+`
modparam("acc", "db_url", "`+url+`")
route {
	if (has_totag()) { loose_route(); t_relay(); exit; }
	do_accounting("db", "cdr");
	t_relay();
}
`, withDialog...)
	up(t, b)
	b.Command(t, "dlg_end_dlg", map[string]any{"dialog_id": "c1"})
	for range 3000 {
		r, err := db.Select(context.Background(), store.Select{Table: "acc", Columns: []string{"method", "to_tag", "sip_code", "duration", "ms_duration", "setuptime", "created", "time"}})
		if err != nil {
			t.Fatal(err)
		}
		if r.Len() == 1 {
			var got []string
			for _, v := range r.Row(0) {
				got = append(got, v.Text())
			}
			if text := strings.Join(got, " "); !regexp.MustCompile(`^INVITE b 200 \d \d+ \d \d{4}-\d\d-\d\d [\d:]+ \d{4}-\d\d-\d\d [\d:]+$`).MatchString(text) {
				t.Error(text)
			}
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("no row: %q", b.Log)
}

// The values of another dialog, as the documentation has it.
func TestLoadFromDialog(t *testing.T) {
	b := moduletest.New(t, dialogHead+`
modparam("acc", "extra_fields", "log: src")
route {
	if ($rm == "OPTIONS") {
		$acc_extra(src) = "own";
		if (load_dialog_ctx("c1", "callid")) {
			acc_load_ctx_from_dlg();
			xlog("$rc $acc_extra(src)");
			acc_load_ctx_from_dlg();
			xlog("$rc");
			acc_unload_ctx_from_dlg();
			unload_dialog_ctx();
		}
		xlog("$acc_extra(src)");
		exit;
	}
	if (has_totag()) { loose_route(); t_relay(); exit; }
	$acc_extra(src) = "alice";
	do_accounting("log", "cdr");
	t_relay();
}
`, withDialog...)
	up(t, b)
	b.Log = nil
	b.Receive([]byte(strings.Replace(string(request("OPTIONS "+bob, "")), "Call-ID: c1", "Call-ID: other", 1)))
	if got := strings.Join(b.Log, "|"); got != "1 alice|-1|own" {
		t.Error(got)
	}
}

// TestExtraOfDialogRoutes: routes of a dialog read and set the values of its record, however the call ends, and so does a
// timer_route that has loaded them.
func TestExtraOfDialogRoutes(t *testing.T) {
	text := dialogHead + `
modparam("acc", "extra_fields", "log: src; picked; end; timer")
modparam("acc", "leg_fields", "log: leg")
route {
	if (has_totag()) { loose_route(); t_relay(); exit; }
	$acc_extra(src) = "alice";
	do_accounting("log", "cdr");
	dlg_on_answer("up"); dlg_on_timeout("late"); dlg_on_hangup("gone");
	record_route();
	t_relay();
}
route[up] { $acc_extra(picked) = "up of " + $acc_extra(src); $acc_leg(leg) = "l" + $acc_current_leg; }
route[late] { $acc_extra(end) = "late"; }
route[gone] { $acc_extra(end) = $acc_extra(end) + " gone of " + $acc_extra(picked); }
timer_route[look, 10] {
	if (load_dialog_ctx("c1")) {
		if (acc_load_ctx_from_dlg()) {
			$acc_extra(timer) = $acc_extra(src) + "'s";
			$acc_leg(leg) = $(acc_leg(leg)[0]) + "t";
		}
	}
}
`
	for _, end := range []struct {
		name, want string
		by         func(b *moduletest.Bench)
	}{
		{"management", " gone of up of alice", func(b *moduletest.Bench) { b.Command(t, "dlg_end_dlg", map[string]any{"dialog_id": "c1"}) }},
		{"BYE", " gone of up of alice", func(b *moduletest.Bench) {
			b.Receive(request("BYE "+bob, ";tag=b", route))
			answer(t, b, last(b), "200 OK")
		}},
	} {
		b := moduletest.New(t, text, withDialog...)
		up(t, b)
		for range 2 { // what a run has loaded is not loaded in the next
			b.Config.Program.Timers()[0].Run()
		}
		b.Log = nil
		end.by(b)
		if got := calls(b); !strings.Contains(got, logCDR+";src=alice;picked=up of alice;end="+end.want+";timer=alice's;leg=l0tt") {
			t.Errorf("%s: %q", end.name, got)
		}
	}
}
