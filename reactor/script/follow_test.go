package script

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// followBench is a traceBench with a module of the name, which is all that trace() asks
// of tm and dialog, and a clock that the test turns.
func followBench(t *testing.T, module, routes string) (b *bench, told *[]string, clock *time.Time) {
	t.Helper()
	named := func(*Config) *Module { return &Module{Name: module} }
	l := Loader{Modules: append([]Constructor{named}, testModules...)}
	cfg, err := l.Compile("cfg", []byte(tracerHead+"loadmodule \""+module+".so\"\n"+routes))
	if err != nil {
		t.Fatal(err)
	}
	b, told, clock = benchFor(t, cfg), new([]string), new(time.Time)
	*clock = time.Now()
	cfg.Program.follow.now = func() time.Time { return *clock }
	to := &story{name: "tid", told: told}
	cfg.Program.SetTracer(func(string) MessageTrace { return to })
	return b, told, clock
}

func (b *bench) responded(code string) []byte {
	return []byte(strings.Replace(responseTo(b.peer.sent[0].text), "200 OK", code, 1))
}

// within makes a request of the invite's dialog.
func within(method, fromTag, toTag string) []byte {
	s := strings.Replace(string(invite), "INVITE ", method+" ", 1)
	s = strings.Replace(s, "tag=1928301774", "tag="+fromTag, 1)
	s = strings.Replace(s, "To: <sip:+4930123@example.net>", "To: <sip:+4930123@example.net>;tag="+toTag, 1)
	return []byte(strings.Replace(s, "CSeq: 314159 INVITE", "CSeq: 314160 "+method, 1))
}

const followRoute = `route { if (!has_totag() && is_method("INVITE")) trace("tid"); forward("tls:10.0.0.5"); }`

// A call is traced to its end: what the script has not named, too.
func TestTraceDialog(t *testing.T) {
	b, told, clock := followBench(t, "dialog", followRoute)
	take := func(what string, message []byte, want ...string) {
		t.Helper()
		*told = nil
		b.receive(message)
		if !slices.Equal(*told, want) {
			t.Errorf("%s: told %q, want %q", what, *told, want)
		}
	}
	take("INVITE", invite, "tid in INVITE", "tid out INVITE")
	take("180", b.responded("180 Ringing"), "tid in 180", "tid out 180")
	b.receive(invite)
	*clock = clock.Add(5 * time.Minute)
	take("200", b.responded("200 OK"), "tid in 200", "tid out 200")
	*clock = clock.Add(11 * time.Hour)
	take("BYE of the callee", within("BYE", "9", "1928301774"), "tid in BYE", "tid out BYE")
	other := strings.Replace(string(within("BYE", "9", "1")), "a84b4c76e66710", "another", 1)
	take("another call", []byte(other))
	b.receive(within("BYE", "9", "1928301774"))
	take("its 200", b.responded("200 OK"), "tid in 200", "tid out 200")
	*clock = clock.Add(33 * time.Second)
	take("a straggler", within("BYE", "9", "1928301774"))
	if b.cfg.Program.follow.on() {
		t.Error("a call that is over is followed")
	}
}

// An INVITE that is refused ends it, but for one with credentials that comes at once.
func TestTraceDialogRefused(t *testing.T) {
	b, told, clock := followBench(t, "dialog", followRoute)
	b.receive(invite)
	b.receive(b.responded("407 Authenticate"))
	*told = nil
	second := []byte(strings.Replace(string(invite), "CSeq: 314159", "CSeq: 314160", 1))
	b.receive(second)
	if want := []string{"tid in INVITE", "tid out INVITE"}; !slices.Equal(*told, want) {
		t.Errorf("with credentials: %q, want %q", *told, want)
	}
	b.receive(b.responded("486 Busy"))
	*clock, *told = clock.Add(33*time.Second), nil
	b.receive(within("BYE", "1928301774", "9"))
	if len(*told) > 0 || b.cfg.Program.follow.on() {
		t.Errorf("behind its end: %q", *told)
	}
}

// The side of a call stays the one that it began on, whoever speaks.
func TestTraceDialogLegs(t *testing.T) {
	for flag, want := range map[string][]string{
		"C": {"tid in INVITE", "tid out 200", "tid out BYE"},
		"c": {"tid out INVITE", "tid in 200", "tid in BYE"},
	} {
		b, told, _ := followBench(t, "dialog", strings.Replace(followRoute, `"tid"`, `"tid", "d", "sip", , "`+flag+`"`, 1))
		b.receive(invite)
		b.receive(b.responded("200 OK"))
		b.receive(within("BYE", "9", "1928301774"))
		if !slices.Equal(*told, want) {
			t.Errorf("%s: told %q, want %q", flag, *told, want)
		}
	}
}

// A transaction is traced with its responses and its CANCEL, and no other of the call.
func TestTraceTransaction(t *testing.T) {
	b, told, _ := followBench(t, "tm", `route { if (is_method("INVITE")) trace("tid"); forward("tls:10.0.0.5"); }`)
	b.receive(invite)
	b.receive(b.responded("180 Ringing"))
	cancel := strings.Replace(strings.Replace(string(invite), "INVITE ", "CANCEL ", 1), "314159 INVITE", "314159 CANCEL", 1)
	b.receive([]byte(cancel))
	b.receive(within("BYE", "1928301774", "9"))
	want := []string{"tid in INVITE", "tid out INVITE", "tid in 180", "tid out 180", "tid in CANCEL", "tid out CANCEL"}
	if !slices.Equal(*told, want) {
		t.Errorf("told %q, want %q", *told, want)
	}
}

// Lines of xlog() are traced as far as trace() reaches, alone or beside the messages.
func TestTraceLines(t *testing.T) {
	for _, c := range []struct {
		module, options string
		want            []string
	}{
		{"tm", `"m", "xlog"`, []string{"tid line one INVITE a84b4c76e66710@pc33"}},
		{"dialog", `"d", "xlog"`, []string{"tid line one INVITE a84b4c76e66710@pc33", "tid line zero BYE a84b4c76e66710@pc33", "tid line one BYE a84b4c76e66710@pc33"}},
		{"tm", `"t", "sip|xlog", , , "mine"`, []string{"tid in INVITE mine", "tid line one INVITE mine", "tid out 200 mine"}},
	} {
		b, told, _ := followBench(t, c.module, `route { xlog("zero $rm"); if (is_method("INVITE")) trace("tid", `+c.options+`); xlog("one $rm"); sl_send_reply(200, "OK"); }`)
		b.receive(invite)
		b.receive(within("BYE", "1928301774", "9"))
		if !slices.Equal(*told, c.want) {
			t.Errorf("%s: told %q, want %q", c.options, *told, c.want)
		}
	}
}

// A call that goes on with another Call-ID is traced by both.
func TestTraceAlias(t *testing.T) {
	b, told, _ := followBench(t, "dialog", followRoute)
	b.receive(invite)
	f := b.cfg.Program.follow
	f.alias([]byte("a84b4c76e66710@pc33"), []byte("hidden"))
	*told = nil
	b.receive([]byte(strings.Replace(string(within("BYE", "9", "1")), "a84b4c76e66710@pc33", "hidden", 1)))
	if want := []string{"tid in BYE", "tid out BYE"}; !slices.Equal(*told, want) {
		t.Errorf("told %q, want %q", *told, want)
	}
}

// What is followed has a bound; behind it a message is traced alone.
func TestTraceFollowedBound(t *testing.T) {
	b, told, _ := followBench(t, "dialog", followRoute)
	b.cfg.Program.follow.count.Store(maxFollowed)
	b.receive(invite)
	if want := []string{"tid in INVITE"}; !slices.Equal(*told, want) || len(b.cfg.Program.follow.of) != 0 {
		t.Errorf("told %q, want %q", *told, want)
	}
}

// The names of OpenSIPS 2 load the module of today, with a note.
func TestOldModuleNames(t *testing.T) {
	text := strings.NewReplacer(`"tracer.so"`, `"siptrace.so"`, `"tracer"`, `"siptrace"`).Replace(tracerHead)
	cfg, err := compile("cfg", []byte(text+`route { sip_trace("tid", "d", "sip"); }`))
	if err != nil || !slices.Contains(cfg.Modules, "tracer") {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(cfg.Notes, func(n Note) bool { return strings.Contains(n.Msg, "the module siptrace is tracer since OpenSIPS 3") }) {
		t.Error(cfg.Notes)
	}
	_, err = compile("cfg", []byte(text+"modparam(\"siptrace\", \"db_url\", \"mysql://x\")\nroute { exit; }"))
	if err == nil || !strings.Contains(err.Error(), "db_url is gone since OpenSIPS 2.2") {
		t.Error(err)
	}
}
