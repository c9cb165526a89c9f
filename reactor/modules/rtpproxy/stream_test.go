package rtpproxy

import (
	"fmt"
	"strings"
	"testing"

	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

// TestStreams: prompts are played to the party whose tag stands first, whichever message asks for it.
func TestStreams(t *testing.T) {
	r := newStub(t)
	b := moduletest.New(t, head(r.url)+`
route {
	rtpproxy_stream2uac("/prompts/hold", -1);
	rtpproxy_stream2uas("hold", 2);
	rtpproxy_stop_stream2uac();
	rtpproxy_stop_stream2uas();
	if (!rtpproxy_stream2uac("two words", 1) && !rtpproxy_stream2uac("hold", 0) && !rtpproxy_stream2uac("", 1))
		xlog("refused");
}
`, New, sl.New)
	b.Receive(inDialog)
	const want = "P-1 c1 /prompts/hold session a;1 b;1|P2 c1 hold session b;1 a;1|S c1 a;1 b;1|S c1 b;1 a;1"
	if got := r.take(); got != want {
		t.Errorf("asked for\n%s\nwant\n%s", got, want)
	}
	if len(b.Log) == 0 || b.Log[len(b.Log)-1] != "refused" {
		t.Errorf("logged %q", b.Log)
	}
	b = moduletest.New(t, head(r.url)+`route { if (!rtpproxy_stream2uas("hold", 1)) xlog("nobody"); }`, New, sl.New)
	b.Receive(moduletest.Invite) // nobody has answered
	if got := r.take(); got != "" || len(b.Log) == 0 || b.Log[len(b.Log)-1] != "nobody" {
		t.Errorf("asked for %s, logged %q", got, b.Log)
	}
}

var inDialog = moduletest.CRLF(`INFO sip:bob@192.0.2.9 SIP/2.0
Via: SIP/2.0/TLS 10.0.0.9;branch=z9hG4bK1
Max-Forwards: 70
From: <sip:a@example.net>;tag=a
To: <sip:b@example.net>;tag=b
Call-ID: c1
CSeq: 2 INFO
Content-Length: 0

`)

// TestReloadTable: nodes of a table are used beside those of the configuration, and at a reload in the place of all; a node
// that stays keeps its state.
func TestReloadTable(t *testing.T) {
	r, other := newStub(t), newStub(t)
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "rtpproxy_sockets"); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	insert := func(socket string, set int64) {
		t.Helper()
		if err := db.Insert(t.Context(), "rtpproxy_sockets", store.Set{Column: "rtpproxy_sock", Value: store.String(socket)}, store.Set{Column: "set_id", Value: store.Int(set)}); err != nil {
			t.Fatal(err)
		}
	}
	insert(r.url, 1)
	insert("nonsense", 1)
	b := moduletest.New(t, "loadmodule \"db_sqlite.so\"\n"+head(other.url, fmt.Sprintf(`"db_url", %q`, url))+`
route { $var(first) = 0; $var(second) = 0;
	if (rtpproxy_stream2uac("x", 1, 0)) $var(first) = 1;
	if (rtpproxy_stream2uac("x", 1, 1)) $var(second) = 1;
	xlog("$var(first) $var(second)");
}`, New, sl.New, db_sqlite.New)
	asked := func(want string) {
		t.Helper()
		b.Log = nil
		b.Receive(inDialog)
		if got := b.Log[len(b.Log)-1]; got != want {
			t.Errorf("%s, want %s: %q", got, want, b.Log)
		}
	}
	asked("1 1")
	if got := b.Command(t, "rtpproxy_enable", []any{r.url, 0}); got != `"OK"` {
		t.Error(got)
	}
	if got := b.Command(t, "rtpproxy_reload", nil); !strings.HasPrefix(got, `{"loaded":1,"left_out":1,"rows":["table rtpproxy_sockets, id=2, column rtpproxy_sock: `) {
		t.Error(got)
	}
	asked("0 0") // the one of the configuration is gone, the other one as it was
	if got := b.Command(t, "rtpproxy_enable", []any{r.url, 1}); got != `"OK"` {
		t.Error(got)
	}
	asked("0 1")
	insert(other.url, 0)
	b.Command(t, "rtpproxy_reload", nil)
	asked("1 1")
	if _, err := db.Delete(t.Context(), "rtpproxy_sockets"); err != nil {
		t.Fatal(err)
	}
	b.Command(t, "rtpproxy_reload", nil)
	asked("0 0")
}
