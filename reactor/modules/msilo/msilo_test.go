package msilo

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, New) }

var modules = []script.Constructor{db_sqlite.New, tm.New, New}

// silo is the module with its table.
type silo struct {
	*moduletest.Bench
	t  *testing.T
	m  *module
	db *store.DB
	n  int
}

func newSilo(t *testing.T, text string) *silo {
	t.Helper()
	url := storetest.SQLite(t)
	if err := store.Create(t.Context(), url, "silo"); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	b := moduletest.New(t, moduletest.Head("db_sqlite", "tm", "msilo", "sipmsgops")+fmt.Sprintf("modparam(\"msilo\", \"db_url\", %q)\n", url)+text, modules...)
	return &silo{Bench: b, t: t, m: b.Config.Instance("msilo").(*module), db: db}
}

// message sends a MESSAGE to bob, or a REGISTER of his.
func (s *silo) message(method, body string, more ...string) {
	s.n++
	lines := append([]string{method + " sip:bob@Example.net SIP/2.0", fmt.Sprintf("Via: SIP/2.0/TLS 10.0.0.9:5061;branch=z9hG4bKm%d", s.n), "Max-Forwards: 70", "From: <sip:alice@atlanta.example>;tag=a", "To: <sip:bob@example.net>",
		fmt.Sprintf("Call-ID: m%d", s.n), "CSeq: 1 " + method, "Contact: <sip:there@10.0.0.9:5061;transport=tls>"}, more...)
	s.Receive([]byte(strings.Join(append(lines, fmt.Sprintf("Content-Length: %d", len(body)), "", body), "\r\n")))
}

// rows is how many messages are kept.
func (s *silo) rows() int {
	s.t.Helper()
	res, err := s.db.Select(s.t.Context(), store.Select{Table: "silo", Columns: []string{"id"}})
	if err != nil {
		s.t.Fatal(err)
	}
	return res.Len()
}

// respond answers a request of ours.
func (s *silo) respond(r moduletest.Sent, status string) {
	s.Receive([]byte(strings.Join([]string{"SIP/2.0 " + status, "Via: " + r.Header("Via"), "From: " + r.Header("From"), "To: " + r.Header("To") + ";tag=b", "Call-ID: " + r.Header("Call-ID"), "CSeq: " + r.Header("CSeq"), "Content-Length: 0", "", ""}, "\r\n")))
}

const route = `modparam("msilo", "from_address", "sip:$rU@example.org")
modparam("msilo", "offline_message", "$rU is away")
modparam("msilo", "contact_hdr", "Contact: <sip:null@example.org>\r\n")
modparam("msilo", "max_messages", 2)
route { if (is_method("REGISTER")) m_dump(); else m_store(); xlog("$rc"); }
`

// TestKept: messages are kept, the sender is told, and they are sent when the owner comes: once, until one is delivered.
func TestKept(t *testing.T) {
	s := newSilo(t, route)
	s.message("MESSAGE", "one", "Content-Type: text/plain")
	if len(s.Sent) != 1 || !strings.HasPrefix(s.Sent[0].Text, "MESSAGE sip:there@10.0.0.9:5061;transport=tls ") || !strings.HasSuffix(s.Sent[0].Text, "\r\n\r\nbob is away") ||
		!strings.HasPrefix(s.Sent[0].Header("From"), "<sip:bob@example.org>") || s.Sent[0].Header("To") != "<sip:alice@atlanta.example>" || s.Sent[0].Header("Contact") != "<sip:null@example.org>" {
		t.Fatalf("the sender gets %+v: %q", s.Sent, s.Log)
	}
	s.message("MESSAGE", "<two/>", "Content-Type: text/xml2", "Expires: 600")
	s.message("MESSAGE", "three", "Content-Type: text/plain")
	if got := strings.Join(s.Log, "|"); !strings.HasSuffix(got, "|-1") || s.rows() != 2 {
		t.Errorf("a third one: %s, %d rows", got, s.rows())
	}
	s.message("MESSAGE", "")
	if got := strings.Join(s.Log, "|"); got != "-1" {
		t.Errorf("one without a body: %s", got)
	}
	s.message("REGISTER", "", "Expires: 0")
	if len(s.Sent) != 0 || s.Log[0] != "1" {
		t.Errorf("who leaves gets %+v", s.Sent)
	}
	s.message("REGISTER", "", "Expires: 600")
	if s.Status() != "MESSAGE MESSAGE" {
		t.Fatalf("sent %s: %q", s.Status(), s.Log)
	}
	first, second := s.Sent[0], s.Sent[1]
	if _, body, _ := strings.Cut(first.Text, "\r\n\r\n"); !strings.HasPrefix(body, "[Offline message - ") || !strings.HasSuffix(body, "] one") || first.Header("Content-Type") != "text/plain" ||
		!strings.HasPrefix(first.Text, "MESSAGE sip:there@10.0.0.9:5061;transport=tls ") || !strings.HasPrefix(first.Header("From"), "<sip:alice@atlanta.example>") {
		t.Errorf("the owner gets\n%s", first.Text)
	}
	s.message("REGISTER", "", "Expires: 600")
	if len(s.Sent) != 0 {
		t.Errorf("what is being sent is sent again: %s", s.Status())
	}
	s.respond(first, "200 OK")
	s.respond(second, "480 Away")
	for deadline := time.Now().Add(20 * time.Second); s.rows() != 1; {
		if time.Now().After(deadline) {
			t.Fatalf("%d rows behind a delivery", s.rows())
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.message("REGISTER", "", "Expires: 600")
	if s.Status() != "MESSAGE" || !strings.Contains(s.Sent[0].Text, "<two/>") || s.m.dumped.Load() != 1 || s.m.failed.Load() != 1 || s.m.stored.Load() != 2 {
		t.Errorf("sent %s, delivered %d, failed %d, stored %d", s.Status(), s.m.dumped.Load(), s.m.failed.Load(), s.m.stored.Load())
	}
	s.m.clean(t.Context(), time.Now().Unix()+601)
	if s.rows() != 0 {
		t.Errorf("%d rows behind their end", s.rows())
	}
}

// TestReminder: one whose time has come is found, and by no REGISTER.
func TestReminder(t *testing.T) {
	s := newSilo(t, `modparam("msilo", "snd_time_avp", "$avp(when)")
modparam("msilo", "reminder", "sip:clock@example.org")
route { if (is_method("REGISTER")) m_dump("sip:carol@example.net", 5); else { $avp(when) = $hdr(X-When); m_store("sip:carol@Example.net"); } xlog("$rc"); }
`)
	s.message("MESSAGE", "tea", "X-When: 20200102030405", "Content-Type: text/plain")
	s.message("MESSAGE", "later", "X-When: 29990102030405")
	s.message("MESSAGE", "never", "X-When: tomorrow")
	if got := strings.Join(s.Log, "|"); !strings.Contains(got, "YYYYMMDDHHMMSS") || s.rows() != 2 {
		t.Errorf("a time that is none: %s, %d rows", got, s.rows())
	}
	s.message("REGISTER", "", "Expires: 600")
	if len(s.Sent) != 0 {
		t.Errorf("a REGISTER gets a reminder: %s", s.Status())
	}
	now := time.Now().Unix()
	list, err := s.m.load(t.Context(), 5, store.Cond{Column: "snd_time", Op: ">", Value: store.Int(0)}, store.Cond{Column: "snd_time", Op: "<=", Value: store.Int(now)})
	if err != nil || len(list) != 1 || list[0].body != "tea" || list[0].user != "carol" || list[0].host != "example.net" {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestWrong(t *testing.T) {
	head := moduletest.Head("db_sqlite", "tm", "msilo") + fmt.Sprintf("modparam(\"msilo\", \"db_url\", %q)\n", storetest.SQLite(t))
	for text, want := range map[string]string{
		"modparam(\"msilo\", \"reminder\", \"x\")\nroute { exit; }\n":       "is no SIP URI",
		"modparam(\"msilo\", \"expire_time\", 0)\nroute { exit; }\n":        "expire_time",
		"modparam(\"msilo\", \"from_address\", \"$no\")\nroute { exit; }\n": "$no",
		"timer_route[x, 5] { m_store(); }\n":                                "timer_route",
	} {
		if got := moduletest.Wrong(t, head+text, modules...); !strings.Contains(got, want) {
			t.Errorf("%s: %s", text, got)
		}
	}
	s := newSilo(t, "route { m_dump(); xlog(\"$rc\"); m_store(\"nobody\"); xlog(\"$rc\"); }\n")
	s.Receive(bytes.ReplaceAll(moduletest.Invite, []byte("INVITE"), []byte("OPTIONS")))
	if got := strings.Join(s.Log, "|"); !strings.Contains(got, "for a REGISTER") || !strings.Contains(got, "for a MESSAGE") {
		t.Errorf("wrong methods: %s", got)
	}
}
