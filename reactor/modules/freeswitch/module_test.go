package freeswitch_test

import (
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/modules/freeswitch"
	"sipreactor/reactor/modules/freeswitch/freeswitchtest"
	"sipreactor/reactor/modules/moduletest"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, freeswitch.New) }

func TestURL(t *testing.T) {
	for text, want := range map[string]string{
		"fs://user:p:w@pbx.example.org:9000":      "user p:w pbx.example.org:9000 []",
		":ClueCon@10.0.0.10?CHANNEL_STATE":        " ClueCon 10.0.0.10:8021 [CHANNEL_STATE]",
		"fs://:C@[::1]:8021/x?DTMF, CUSTOM a::b,": " C [::1]:8021 [DTMF CUSTOM a::b]",
		"10.0.0.10": "  10.0.0.10:8021 []",
	} {
		u, events, err := freeswitch.ParseURL(text)
		if got := u.User + " " + u.Password + " " + u.Address() + " [" + strings.Join(events, " ") + "]"; err != nil || got != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "fs://", "secret@host", ":secret@", ":secret@host:0", ":secret@host:x", ":se\ncret@host", ":secret@a:b:c", ":secret@a b"} {
		if _, _, err := freeswitch.ParseURL(text); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func module(t *testing.T, params string) *freeswitch.Module {
	t.Helper()
	b := moduletest.New(t, moduletest.Head("freeswitch")+params+"route { exit; }\n", freeswitch.New)
	return b.Config.Instance("freeswitch").(*freeswitch.Module)
}

func parse(t *testing.T, text string) freeswitch.URL {
	t.Helper()
	u, _, err := freeswitch.ParseURL(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func next(t *testing.T, from chan string) string {
	t.Helper()
	select {
	case s := <-from:
		return s
	case <-time.After(20 * time.Second):
		t.Fatal("no event came")
		return ""
	}
}

// TestFollow: events come to those that follow them, over one connection, over a new one where that is
// lost, and not to who has left.
func TestFollow(t *testing.T) {
	s := freeswitchtest.Listen(t, "bob:x y")
	m := module(t, "")
	u := parse(t, "fs://bob:x y@"+s.Addr)
	one, two := make(chan string, 10), make(chan string, 10)
	to := func(c chan string) func(*freeswitch.Event) {
		return func(e *freeswitch.Event) { c <- e.Name + " " + e.Sender + " " + e.Field("A") }
	}
	m.Follow("one", []freeswitch.Subscription{{URL: u, Events: []string{"DTMF"}, Each: to(one)}})
	s.Await(t, "userauth bob:x y")
	s.Await(t, "event json DTMF")
	m.Follow("two", []freeswitch.Subscription{{URL: u, Events: []string{"CUSTOM a::b", "DTMF"}, Each: to(two)}})
	s.Await(t, "event json CUSTOM a::b")
	s.Send(`no JSON`)
	s.Send(`{"Event-Name":"CUSTOM","Event-Subclass":"a::b","A":"1"}`)
	s.Send(`{"Event-Name":"DTMF","A":"2"}`)
	if got := next(t, one) + "|" + next(t, two) + "|" + next(t, two); got != "DTMF 127.0.0.1 2|CUSTOM 127.0.0.1 1|DTMF 127.0.0.1 2" {
		t.Error(got)
	}
	m.Follow("two", nil)
	s.Await(t, "nixevent CUSTOM a::b")
	s.Drop()
	s.Await(t, "event json DTMF")
	s.Send(`{"Event-Name":"DTMF","A":"3"}`)
	if got := next(t, one); got != "DTMF 127.0.0.1 3" || len(two) != 0 {
		t.Error(got, len(two))
	}
}

// TestRun: commands go to a server that is followed without a password, to another with it, and what
// could be two commands goes nowhere.
func TestRun(t *testing.T) {
	s := freeswitchtest.Listen(t, "ClueCon")
	s.Answer = func(command string) string { return strings.ToUpper(command) }
	m := module(t, "modparam(\"freeswitch\", \"esl_cmd_timeout\", 20000)\n")
	plain, full := parse(t, s.Addr), parse(t, ":ClueCon@"+s.Addr)
	for _, c := range []struct {
		u             freeswitch.URL
		command, want string
		wrong         string
	}{
		{full, "api status", "API STATUS", ""},
		{full, "bgapi x\njob-uuid: y\n", "+OK", ""},
		{full, "api a\n\napi b", "", "line ends"},
		{full, "api a\n\r\napi b", "", "line ends"},
		{full, "", "", "line ends"},
		{plain, "api status", "", "password"},
		{parse(t, ":wrong@"+s.Addr), "api status", "", "refused the login"},
	} {
		got, err := m.Run(t.Context(), c.u, c.command)
		if got != c.want || (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%q: %q, %v", c.command, got, err)
		}
	}
	m.Follow("one", []freeswitch.Subscription{{URL: full, Events: []string{"DTMF"}, Each: func(*freeswitch.Event) {}}})
	s.Await(t, "event json DTMF")
	if got, err := m.Run(t.Context(), plain, "api over"); got != "API OVER" || err != nil {
		t.Error(got, err)
	}
}

func TestLoad(t *testing.T) {
	s := freeswitchtest.Listen(t, "x")
	m := module(t, "")
	loads := make(chan string, 10)
	m.Follow("one", []freeswitch.Subscription{{URL: parse(t, ":x@"+s.Addr), Events: []string{freeswitch.Heartbeat}, Each: func(e *freeswitch.Event) {
		l, ok := e.Load()
		if ok != (l.Max == 1000 && l.Sessions == 4 && l.Idle > 0.75 && l.Idle < 0.76) {
			t.Error(string(e.Body), l, ok)
		}
		loads <- ""
	}}})
	s.Await(t, "event json HEARTBEAT")
	for _, body := range []string{
		`{"Event-Name":"HEARTBEAT","Idle-CPU":"75.5","Max-Sessions":"1000","Session-Count":"4"}`,
		`{"Event-Name":"HEARTBEAT","Idle-CPU":"NaN","Max-Sessions":"1000","Session-Count":"4"}`,
		`{"Event-Name":"HEARTBEAT","Idle-CPU":"75","Max-Sessions":"0","Session-Count":"4"}`,
		`{"Event-Name":"HEARTBEAT","Idle-CPU":"75","Session-Count":"4"}`,
		`{"Event-Name":"HEARTBEAT","Idle-CPU":75,"Max-Sessions":"1000","Session-Count":"-4"}`,
	} {
		s.Send(body)
		next(t, loads)
	}
}
