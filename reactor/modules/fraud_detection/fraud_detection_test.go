package fraud_detection_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/modules/event_route"
	"sipreactor/reactor/modules/fraud_detection"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/rr"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

var all = []script.Constructor{fraud_detection.New, tm.New, sl.New, rr.New, dialog.New, db_sqlite.New, event_route.New}

func TestDocumented(t *testing.T) { moduletest.Documented(t, fraud_detection.New) }

var columns = strings.Fields("profileid prefix start_hour end_hour daysoftheweek cpm_warning cpm_critical call_duration_warning call_duration_critical " +
	"total_calls_warning total_calls_critical concurrent_calls_warning concurrent_calls_critical sequential_calls_warning sequential_calls_critical")

// row is a rule; limits are two of each measure.
func row(profile int64, prefix, from, to, days string, limits ...int64) []store.Value {
	v := []store.Value{store.Int(profile), store.String(prefix), store.String(from), store.String(to), store.String(days)}
	for i := range 10 {
		n := int64(0)
		if i < len(limits) {
			n = limits[i]
		}
		v = append(v, store.Int(n))
	}
	return v
}

func database(t *testing.T, rows ...[]store.Value) (url string, db *store.DB) {
	t.Helper()
	url = storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "fraud_detection"); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	insert(t, db, rows...)
	return url, db
}

func insert(t *testing.T, db *store.DB, rows ...[]store.Value) {
	t.Helper()
	if _, err := db.Apply(t.Context(), store.Change{Verb: store.VerbInsert, Table: "fraud_detection", Columns: columns, Rows: rows}); err != nil {
		t.Fatal(err)
	}
}

func head(url string) string {
	return moduletest.Head("tm", "sl", "rr", "sipmsgops", "dialog", "db_sqlite", "event_route", "fraud_detection") +
		fmt.Sprintf("modparam(\"fraud_detection\", \"db_url\", %q)\n", url)
}

const routes = `
route {
	if (has_totag()) { loose_route(); t_relay(); exit; }
	check_fraud($fU, $rU, $(hdr(X-Profile){s.int}));
	xlog("= $rc");
	record_route();
	$du = "sip:192.0.2.9;transport=tls";
	t_relay();
}
event_route[E_FRD_WARNING, sync] { xlog("W $param(param) $param(value)/$param(threshold) $param(user)>$param(called_number) $param(rule_id) $param(profile_id)"); }
event_route[E_FRD_CRITICAL, sync] { xlog("C $param(param) $param(value)/$param(threshold) $param(user)>$param(called_number) $param(rule_id) $param(profile_id)"); }
`

// start runs a configuration whose events are heard.
func start(t *testing.T, text string) *moduletest.Bench {
	t.Helper()
	b := moduletest.New(t, text, all...)
	events := script.NewBackground(b.Config.Program)
	b.Config.Stop(nil)
	if err := b.Config.Start(script.Surroundings{Proxy: b.Proxy, Events: events, Commands: b.Commands}, nil); err != nil {
		t.Fatal(err)
	}
	events.Start()
	t.Cleanup(events.Close)
	return b
}

// invite sends the INVITE of a call and returns what was logged, in the background too once there is as much as want.
func invite(b *moduletest.Bench, call, user, number string, profile, want int) string {
	b.Receive(moduletest.CRLF("INVITE sip:" + number + "@192.0.2.9;transport=tls SIP/2.0\nVia: SIP/2.0/TLS 10.0.0.9;branch=z9hG4bK" + call + "\nMax-Forwards: 70\nFrom: <sip:" + user + "@example.org>;tag=f\n" +
		"To: <sip:bob@example.org>\nCall-ID: " + call + "\nCSeq: 1 INVITE\nContact: <sip:alice@10.0.0.9:40000;transport=tls>\n" + fmt.Sprint("X-Profile: ", profile) + "\nContent-Length: 0\n\n"))
	return logged(b, want)
}

func logged(b *moduletest.Bench, want int) string {
	for end := time.Now().Add(30 * time.Second); len(b.Lines()) < want && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	lines := b.Lines()
	// The route's own line is said first, or between those of events.
	var own, events []string
	for _, l := range lines {
		if strings.HasPrefix(l, "=") {
			own = append(own, l)
		} else {
			events = append(events, l)
		}
	}
	return strings.Join(append(own, events...), "\n")
}

// answer answers the INVITE that was sent on last.
func answer(t *testing.T, b *moduletest.Bench, status string) {
	t.Helper()
	sent := b.Sent[len(b.Sent)-1]
	b.Context.Receive(sent.Answer(t, status, "Contact: <sip:bob@192.0.2.9;transport=tls>"), moduletest.Callee(netip.MustParseAddrPort("192.0.2.9:5061")))
}

// Each measure reaches its limits.
func TestLimits(t *testing.T) {
	url, db := database(t,
		row(1, "49", "00:00", "23:59", "Mon-Sun", 3, 4),
		row(1, "491", "00:00", "23:59", "Mon-Sun", 0, 0, 0, 0, 2, 3),
		row(1, "492", "00:00", "23:59", "Mon-Sun", 0, 0, 0, 0, 0, 0, 2, 0),
		row(1, "493", "00:00", "23:59", "Mon-Sun", 0, 0, 0, 0, 0, 0, 0, 0, 0, 2),
		row(2, "", "00:00", "23:59", "Sun-Sat"),
	)
	b := start(t, head(url)+routes)
	n := 0
	try := func(user, number string, profile int, want ...string) {
		t.Helper()
		n++
		if got := invite(b, fmt.Sprint("c", n), user, number, profile, len(want)); got != strings.Join(want, "\n") {
			t.Errorf("%s to %s: %q, not %q", user, number, got, want)
		}
	}
	try("a", "33", 1, "= 2")
	try("a", "33", 3, "= 2")
	try("a", "33", 2, "= 1")
	try("a", "497", 1, "= 1")
	try("a", "498", 1, "= 1")
	try("b", "497", 1, "= 1")
	try("a", "497", 1, "= -1", "W calls per minute 3/3 a>497 1 1")
	try("a", "497", 1, "= -2", "C calls per minute 4/4 a>497 1 1")
	try("a", "4911", 1, "= 1")
	try("a", "4911", 1, "= -1", "W total calls 2/2 a>4911 2 1")
	try("a", "4912", 1, "= -2", "C total calls 3/3 a>4912 2 1")
	try("a", "4931", 1, "= 1")
	try("a", "33", 2, "= 1")
	try("a", "4931", 1, "= 1")
	try("a", "4932", 1, "= -2", "C sequential calls 2/2 a>4932 4 1")
	try("a", "4921", 1, "= 1")
	if got := b.Command(t, "show_fraud_stats", map[string]any{"user": "a", "prefix": "493"}); got != `{"cpm":3,"total_calls":3,"concurrent_calls":3,"seq_calls":2}` {
		t.Error(got)
	}
	invite(b, "gone", "c", "4921", 1, 1)
	answer(t, b, "486 Busy Here")
	try("c", "4921", 1, "= 1") // the one before is over
	try("c", "4921", 1, "= -1", "W concurrent calls 2/2 c>4921 3 1")
	if got := b.Command(t, "show_fraud_stats", map[string]any{"user": "a", "prefix": "5"}); !strings.Contains(got, "nothing was counted") {
		t.Error(got)
	}
	insert(t, db, row(3, "33", "00:00", "23:59", "Mon-Sun", 0, 0, 0, 0, 1))
	if got := b.Command(t, "fraud_reload", nil); got != `"OK"` {
		t.Error(got)
	}
	try("a", "33", 3, "= -1", "W total calls 1/1 a>33 6 3")
}

// A call is judged by how long it took when it ends.
func TestDuration(t *testing.T) {
	url, _ := database(t, row(1, "49", "00:00", "23:59", "Mon-Sun", 0, 0, 1, 1000))
	b := start(t, head(url)+routes)
	if got := invite(b, "c", "a", "4911", 1, 1); got != "= 1" {
		t.Fatal(got)
	}
	answer(t, b, "200 OK")
	for begin := time.Now().Unix(); time.Now().Unix() == begin; { // dialogs count seconds of the real clock
		time.Sleep(10 * time.Millisecond)
	}
	b.Receive(moduletest.CRLF("BYE sip:bob@192.0.2.9;transport=tls SIP/2.0\nVia: SIP/2.0/TLS 10.0.0.9;branch=z9hG4bKbye\nMax-Forwards: 70\nFrom: <sip:a@example.org>;tag=f\n" +
		"To: <sip:bob@example.org>;tag=b\nCall-ID: c\nCSeq: 2 BYE\nContent-Length: 0\n\n"))
	if got := logged(b, 1); !strings.HasPrefix(got, "W call duration ") || !strings.HasSuffix(got, "/1 a>4911 1 1") {
		t.Errorf("%q", got)
	}
	if got := b.Command(t, "show_fraud_stats", map[string]any{"user": "a", "prefix": "49"}); !strings.Contains(got, `"concurrent_calls":0`) {
		t.Error(got)
	}
}

// Only the INVITE of a call is counted, and only a user with a name.
func TestRefused(t *testing.T) {
	url, _ := database(t, row(1, "", "00:00", "23:59", "Mon-Sun"))
	for _, run := range []string{`check_fraud("", "1", 1)`, `check_fraud($avp(none), "1", 1)`, `check_fraud("` + strings.Repeat("x", 257) + `", "1", 1)`} {
		log := moduletest.Logs(t, head(url), run+`; xlog("$rc");`, all...)
		if got := log[len(log)-1]; got != "-3" {
			t.Errorf("%s: %v", run, log)
		}
	}
	for _, c := range []struct {
		row  []store.Value
		want string
	}{
		{row(1, "1", "24:00", "23:59", "Mon"), "is no time of day"},
		{row(1, "1", "00:00", "9", "Mon"), "is no time of day"},
		{row(1, "1", "00:00", "23:59", "Mon-Fry"), "is no day"},
		{row(1, "1", "00:00", "23:59", ""), "is no day"},
		{row(1, strings.Repeat("1", 65), "00:00", "23:59", "Mon"), "is longer than 64"},
	} {
		url, db := database(t)
		b := moduletest.New(t, head(url)+routes, all...)
		insert(t, db, c.row)
		if got := b.Command(t, "fraud_reload", nil); !strings.Contains(got, c.want) {
			t.Errorf("%s, not %q", got, c.want)
		}
	}
}
