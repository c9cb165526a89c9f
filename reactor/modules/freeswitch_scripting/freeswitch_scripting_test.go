package freeswitch_scripting_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/freeswitch"
	"sipreactor/reactor/modules/freeswitch/freeswitchtest"
	"sipreactor/reactor/modules/freeswitch_scripting"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store/storetest"
)

var modules = []script.Constructor{db_sqlite.New, freeswitch.New, freeswitch_scripting.New}

func TestDocumented(t *testing.T) { moduletest.Documented(t, freeswitch_scripting.New) }

// TestCommands: the answer comes into a variable, and what fails is told.
func TestCommands(t *testing.T) {
	s := freeswitchtest.Listen(t, "ClueCon")
	s.Answer = func(command string) string { return "-ERR " + command }
	head := moduletest.Head("freeswitch", "freeswitch_scripting")
	for call, want := range map[string]string{
		`freeswitch_esl("api status $rU", "fs://:ClueCon@` + s.Addr + `", $var(a)); xlog("$rc $var(a)");`: "1 -ERR api status +4930123",
		`freeswitch_esl("bgapi x", ":ClueCon@` + s.Addr + `"); xlog("$rc");`:                              "1",
		`freeswitch_esl("api x", "` + s.Addr + `", $var(a)); xlog("$rc $var(a)");`:                        "-1 <null>",
		`$var(u) = ":wrong@` + s.Addr + `"; freeswitch_esl("api x", $var(u)); xlog("$rc");`:               "-1",
		`$var(u) = "secret@"; freeswitch_esl("api x", $var(u)); xlog("$rc");`:                             "-1",
	} {
		log := moduletest.Logs(t, head, call, modules...)
		if got := log[len(log)-1]; got != want || strings.Contains(strings.Join(log, ""), "wrong@") {
			t.Errorf("%s: %q, want %q", call, log, want)
		}
	}
	for text, want := range map[string]string{
		`route { freeswitch_esl("api x", "a b"); }`:                                                "is no fs://",
		"modparam(\"freeswitch_scripting\", \"fs_subscribe\", \"10.0.0.1?DTMF\")\nroute { exit; }": "no password",
	} {
		if got := moduletest.Wrong(t, head+text, modules...); !strings.Contains(got, want) {
			t.Errorf("%s: %s", text, got)
		}
	}
}

// TestEvents: events come to the route that parameters, the table or management want.
func TestEvents(t *testing.T) {
	s := freeswitchtest.Listen(t, "ClueCon")
	host, port, _ := strings.Cut(s.Addr, ":")
	url := storetest.SQLite(t)
	storetest.Exec(t, url,
		"CREATE TABLE freeswitch (id INTEGER PRIMARY KEY, username TEXT, password TEXT, ip TEXT, port INTEGER, events_csv TEXT)",
		fmt.Sprintf("INSERT INTO freeswitch (username, password, ip, port, events_csv) VALUES ('', 'ClueCon', '%s', %s, 'CHANNEL_STATE,DTMF')", host, port))
	b := moduletest.New(t, moduletest.Head("db_sqlite", "freeswitch", "freeswitch_scripting")+fmt.Sprintf(`
modparam("freeswitch_scripting", "db_url", %q)
modparam("freeswitch_scripting", "fs_subscribe", "fs://:ClueCon@%s/database?BACKGROUND_JOB")
route { exit; }
event_route[E_FREESWITCH] { xlog("$param(name) $param(sender) $param(body)"); }
`, url, s.Addr), modules...)
	events := script.NewBackground(b.Config.Program)
	b.Config.Stop(nil)
	if err := b.Config.Start(script.Surroundings{Proxy: b.Proxy, Events: events}, nil); err != nil {
		t.Fatal(err)
	}
	events.Start()
	t.Cleanup(events.Close)
	s.Await(t, "event json BACKGROUND_JOB")
	s.Await(t, "event json CHANNEL_STATE")
	s.Await(t, "event json DTMF")
	const told = `{"Event-Name":"DTMF","x":1}`
	want, logged := "DTMF 127.0.0.1 "+told, false
	for end := time.Now().Add(20 * time.Second); !logged && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		s.Send(told) // those of the first start have asked, too
		logged = strings.Contains(strings.Join(b.Lines(), "|"), want)
	}
	if !logged {
		t.Error(b.Lines())
	}
	at := fmt.Sprintf(`{"ip":"%s","port":%s,"events":`, host, port)
	for _, c := range []struct {
		command string
		params  any
		want    string
	}{
		{"fs_list", nil, `{"Sockets":[` + at + `["BACKGROUND_JOB"]},` + at + `["CHANNEL_STATE","DTMF"]}]}`},
		{"fs_subscribe", []any{s.Addr, "HEARTBEAT", "DTMF"}, `"OK"`},
		{"fs_unsubscribe", []any{s.Addr, "BACKGROUND_JOB"}, `"OK"`},
		{"fs_list", nil, `{"Sockets":[` + at + `["DTMF","HEARTBEAT"]},` + at + `["CHANNEL_STATE","DTMF"]}]}`},
		{"fs_reload", nil, `"OK"`},
		{"fs_list", nil, `{"Sockets":[` + at + `["CHANNEL_STATE","DTMF"]}]}`},
		{"fs_unsubscribe", []any{"10.9.9.9", "DTMF"}, `Server not found`},
		{"fs_subscribe", []any{"10.9.9.9", "DTMF"}, `Invalid params: "nobody follows the server, so its URL has to have the password"`},
	} {
		if got := b.Command(t, c.command, c.params); got != c.want {
			t.Errorf("%s %v: %s", c.command, c.params, got)
		}
	}
}
