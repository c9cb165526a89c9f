package script

import (
	"strings"
	"testing"
)

// TestNesting: what is nested too deep is an error and not a crash.
func TestNesting(t *testing.T) {
	many := func(s string) string { return strings.Repeat(s, 5000) }
	for name, src := range map[string]string{
		"brackets":       "route { if (" + many("(") + "1" + many(")") + ") exit; }",
		"negations":      "route { if (" + many("!") + "1) exit; }",
		"complements":    "route { $var(x) = " + many("~") + "1; }",
		"blocks":         "route { " + many("{") + many("}") + " }",
		"ifs":            "route { " + many("if (1) ") + "exit; }",
		"whiles":         "route { " + many("while (1) ") + "exit; }",
		"calls":          "route { " + many("f(") + many(")") + "; }",
		"variables":      "route { $var(x) = " + many("$hdr(") + "a" + many(")") + "; }",
		"indexes":        "route { $var(x) = " + many("$(hdr(a)[") + "1" + many("])") + "; }",
		"in a text":      "route { xlog(\"" + many("$hdr(") + "a" + many(")") + "\"); }",
		"open variables": "route { xlog(\"" + many("$(") + "\"); }",
		"open blocks":    many("route {"),
		"open brackets":  "route { if (" + many("("),
		"open switches":  "route { " + many("switch ($rm) { case 1: "),
	} {
		if _, err := compile("n", []byte(allModules+src)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	b := newBench(t, allModules+"route { if ($rp == 1) exit; "+many("else if ($rp == 2) exit; ")+"else xlog(\"end\"); }")
	b.receive(invite)
	if strings.Join(b.log, "") != "end" {
		t.Errorf("a chain of else ifs: %v", b.log)
	}
}

func TestPositions(t *testing.T) {
	var none Pos
	if none.IsValid() || none.Line() != 0 || none.Col() != 0 || none.File() != "" || none.String() != "-" {
		t.Error("the zero place is one")
	}
	f, err := parsed("x.cfg", "\n  log_level=3\n\tsocket=tls:a\n")
	if err != nil {
		t.Fatal(err)
	}
	if p := f.Items[0].Pos(); !p.IsValid() || p.String() != "x.cfg:2:3" {
		t.Error(p)
	}
	if p := f.Items[1].Pos(); p.String() != "x.cfg:3:2" {
		t.Error(p)
	}
}

// TestKeptMemory: a message that needs much does not leave its texts behind.
func TestKeptMemory(t *testing.T) {
	b := newBench(t, allModules+`
route {
	if ($rm != "INVITE") exit;
	$var(n) = 0;
	$var(x) = $mb;
	while ($var(n) < 6) { $var(n) += 1; $var(x) = $var(x) + $var(x); }
	while ($var(n) < 60) { $var(n) += 1; $var(y) = "x" + $var(x); }
}`)
	b.receive(invite)
	m := b.c.User.(*Machine)
	if cap(m.arena) <= keepText {
		t.Fatal("the script was to need more")
	}
	b.receive([]byte(strings.ReplaceAll(string(invite), "INVITE", "MESSAGE")))
	if cap(m.arena) > keepText {
		t.Errorf("%d bytes are kept", cap(m.arena))
	}
}

// TestArenaIsBounded: a message whose script makes more text than a bound ends there,
// though it takes few steps.
func TestArenaIsBounded(t *testing.T) {
	b := newBench(t, allModules+`
route {
	$var(n) = 0;
	$var(x) = $mb;
	while ($var(n) < 6) { $var(n) += 1; $var(x) = $var(x) + $var(x); }
	$var(n) = 0;
	while ($var(n) < 90) {
		$var(n) += 1;
		$var(m) = 0;
		while ($var(m) < 90) { $var(m) += 1; $var(y) = "x" + $var(x); }
	}
	xlog("all of it");
}`)
	b.receive(invite)
	all := strings.Join(b.log, "|")
	if m := b.c.User.(*Machine); !strings.Contains(all, "takes too long") || strings.Contains(all, "all of it") || cap(m.arena) > 4*maxArena {
		t.Errorf("%d bytes of text; %s", cap(m.arena), all)
	}
}

// TestReload: a Context that comes from another program's messages runs this
// one's.
func TestReload(t *testing.T) {
	b := newBench(t, allModules+`route { $var(a) = 1; $var(b) = 2; xlog("old $var(a)"); }`)
	b.receive(invite)
	cfg, err := compile("new.cfg", []byte(allModules+`route { xlog("new $var(b) $avp(c)"); $avp(c) = 5; }`))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Program.SetLogger(b.cfg.Program.logger())
	b.c.Proxy().SetRouter(cfg.Program)
	b.receive(invite)
	b.receive(invite)
	if got := strings.Join(b.log, "|"); got != "new <null> <null>" {
		t.Error(got)
	}
}
