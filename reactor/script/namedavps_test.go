package script

import (
	"testing"

	"sipreactor/reactor/proxy"
)

// TestNamedAVPs: a variable may hold the name of an AVP, which is the same AVP as the
// one that is named so elsewhere.
func TestNamedAVPs(t *testing.T) {
	for _, tt := range []struct{ statements, want string }{
		{`$var(n) = "a"; $avp(a) = "of the program"; xlog("$avp($var(n))");`, "of the program"},
		{`$var(n) = "a"; $avp($var(n)) = "by its name"; xlog("$avp(a)");`, "by its name"},
		{`$avp($rU) = 7; $var(x) = $avp($rU) + 1; xlog("$var(x)");`, "8"},
		{`$var(n) = "x"; xlog("[$avp($var(n))]");`, "[<null>]"},
		{`$var(n) = "x"; $avp($var(n)) = 1; $avp($var(n)) = 2; xlog("$(avp($var(n))[0]) $(avp($var(n))[1]) $(avp($var(n))[-1])");`, "2 1 1"},
		{`$var(n) = "x"; $avp($var(n)) = 1; $avp($var(n)) := 3; xlog("$(avp($var(n))[0]) $(avp($var(n))[1])");`, "3 <null>"},
		{`$var(n) = "x"; $avp($var(n)) = 1; $avp($var(n)) = NULL; xlog("[$avp($var(n))]");`, "[<null>]"},
		{`$var(n) = "x"; $avp($var(n)) = NULL; xlog("[$avp($var(n))]");`, "[<null>]"},
		{`$var(n) = "x"; $avp($var(n)) = "for"; $var(n) = "y"; $avp($var(n)) = "other"; $var(n) = "x"; xlog("$avp($var(n))");`, "for"},
	} {
		if got := logged(t, tt.statements); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.statements, got, tt.want)
		}
	}
}

// TestNamedAVPsAreBounded: a message names no more AVPs than there is room for, and the
// next message has none of them.
func TestNamedAVPsAreBounded(t *testing.T) {
	cfg, err := compile("cfg", []byte(allModules+`route {
	$var(i) = 0; while ($var(i) < 100) { $var(n) = "n" + $var(i); $avp($var(n)) = $var(i); $var(i) = $var(i) + 1; }
}`))
	if err != nil {
		t.Fatal(err)
	}
	m := cfg.Program.machine()
	begin := func() { m.reset(&proxy.Context{Msg: proxyMessage(t, string(invite))}, RequestRoute) }
	value := func(name string) string {
		slot, ok := m.findAVP([]byte(name))
		if !ok {
			return "none"
		}
		return string(m.Text(m.avpValue(slot, 0)))
	}
	begin()
	m.call(cfg.Program.request, nil)
	if len(m.named) != maxNamedAVPs || value("n5") != "5" || value("n99") != "none" {
		t.Errorf("%d names, n5 is %s, n99 is %s", len(m.named), value("n5"), value("n99"))
	}
	kept := new(AVPs)
	m.SaveAVPs(kept)
	begin()
	if value("n5") != "none" {
		t.Errorf("the next message has n5: %s", value("n5"))
	}
	m.LoadAVPs(kept)
	if value("n5") != "5" || value("n63") != "63" {
		t.Errorf("those of the transaction: n5 is %s, n63 is %s", value("n5"), value("n63"))
	}
	if n := testing.AllocsPerRun(100, func() { m.arena = m.arena[:0]; m.LoadAVPs(kept); m.SaveAVPs(kept) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
