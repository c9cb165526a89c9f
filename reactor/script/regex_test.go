package script

import (
	"fmt"
	"strings"
	"testing"
)

func TestPosixToGo(t *testing.T) {
	for re, want := range map[string]string{
		`^\+49`: `^\+49`, `[\+0-9]`: `[\\+0-9]`, `[^\]]`: `[^\\]]`, `[]\]x`: `[]\\]x`, `\<a\>`: `\ba\b`, "\\`a\\'": `\Aa\z`,
		`[[:digit:]\.]+\.`: `[[:digit:]\\.]+\.`, `a\`: `a\`, `[\`: `[\\`, `plain`: `plain`,
	} {
		if got := posixToGo(re); got != want {
			t.Errorf("%s: got %s, want %s", re, got, want)
		}
	}
}

func TestDynamicRegex(t *testing.T) {
	b := newBench(t, allModules+`
route {
	$var(i) = 0;
	$var(hits) = 0;
	while ($var(i) < 90) {
		$var(i) += 1;
		$var(re) = "^(invite|x" + $var(i) + ")$";
		if ($rm =~ $var(re)) $var(hits) += 1;
	}
	xlog("$var(hits)");
	$var(re) = "(";
	if ($rm =~ $var(re)) xlog("a"); else xlog("b");
	if ($rm !~ $var(re)) xlog("a"); else xlog("b");
	if ($rm =~ $hdr(None)) xlog("a"); else xlog("b");
	if ($hdr(None) =~ $hdr(None)) xlog("a"); else xlog("b");
	if ($rm !~ $hdr(None)) xlog("a"); else xlog("b");
}`)
	b.receive(invite)
	var got []string
	for _, l := range b.log {
		if !strings.HasPrefix(l, "script: ") {
			got = append(got, l)
		}
	}
	if s := strings.Join(got, ""); s != "90bbbaa" {
		t.Errorf("%s of %v", s, b.log)
	}
	if m := b.c.User.(*Machine); len(m.dynamic) > maxDynamic {
		t.Errorf("%d expressions are kept", len(m.dynamic))
	}
}

func TestNetworks(t *testing.T) {
	for s, want := range map[string]string{
		"10.1.2.3": "10.1.2.3/32", "10.1.2.3/8": "10.0.0.0/8", "10.0.0.0/255.0.0.0": "10.0.0.0/8", "::1": "::1/128", "[::1]": "::1/128",
		"2001:db8::/32": "2001:db8::/32", "10.0.0.0/255.0.255.0": "", "10.0.0.0/33": "", "10.0.0.0/x": "", "x": "", "10.0.0.0/::1": "", "10.0.0.0/0": "0.0.0.0/0",
	} {
		got, ok := parseNet(s)
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%s: %v %v, want %s", s, got, ok, want)
		}
	}
}

func TestHostPort(t *testing.T) {
	for s, want := range map[string]string{
		"h": "h 0 true", "h:5061": "h 5061 true", "[::1]": "[::1] 0 true", "[::1]:9": "[::1] 9 true", "h:99999": "h 0 false", "": " 0 false", "1.2.3.4": "1.2.3.4 0 true", "5061": "5061 0 true",
	} {
		host, port, ok := hostPort([]byte(s))
		if got := fmt.Sprintf("%s %d %v", host, port, ok); got != want {
			t.Errorf("%s: got %s, want %s", s, got, want)
		}
	}
}

func TestConnAddr(t *testing.T) {
	for s, want := range map[string]string{
		"10.0.0.1:5061": "proto(0) 10.0.0.1:5061 true", "tls:10.0.0.1:5061": "tls 10.0.0.1:5061 true", "tcp:[::1]:5061": "tcp [::1]:5061 true", "x": "proto(0) invalid AddrPort false",
	} {
		proto, addr, ok := connAddr([]byte(s))
		if got := fmt.Sprintf("%v %v %v", proto, addr, ok); got != want {
			t.Errorf("%s: got %s, want %s", s, got, want)
		}
	}
}

func TestNumber64(t *testing.T) {
	for s, want := range map[string]string{"0": "0 true", "-5": "-5 true", "+7": "7 true", "": "0 false", "-": "0 false", "1x": "0 false", "9223372036854775807": "9223372036854775807 true", "9223372036854775808": "0 false"} {
		n, ok := number64([]byte(s))
		if got := fmt.Sprint(n, ok); got != want {
			t.Errorf("%q: got %s, want %s", s, got, want)
		}
	}
}
