package blacklist

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor"
)

func at(p reactor.Proto, addr string) reactor.EndPoint {
	return reactor.EndPoint{Proto: p, Addr: netip.MustParseAddrPort(addr)}
}

func must(t testing.TB, def string) *List {
	t.Helper()
	l, err := Parse(def, "core")
	if err != nil {
		t.Fatal(def, err)
	}
	return l
}

// The examples of the documentation, and what else the grammar allows.
func TestParse(t *testing.T) {
	for _, tc := range []struct{ def, rules, flags string }{
		{`gw:{(tcp, 192.168.4.100, 5060, ""), (any, 192.168.4.101, 0, "")}`, "tcp,192.168.4.100/32,5060 any,192.168.4.101/32,0", "readonly"},
		{`net_filter:{(any, 192.168.1.120/255.255.255.0, 0, "")}`, "any,192.168.1.0/24,0", "readonly"},
		{`msg_filter:{(any, 192.168.20.0/255.255.255.0, 0, "MESSAGE*ugly_word")}`, `any,192.168.20.0/24,0,"MESSAGE*ugly_word"`, "readonly"},
		{`net_filter2:{!(any, 194.168.30.0/255.255.255.0, 0, "")}`, "!any,194.168.30.0/24,0", "readonly"},
		{`net_dynamic/expire`, "", "expire"},
		{`a/expire , default: 10.0.0.0/8`, "any,10.0.0.0/8,0", "expire,default"},
		{`b/readonly:!10.1.2.3`, "!any,10.1.2.3/32,0", "readonly"},
		{"c : {\n (10.0.0.1)\n(tls,[2001:db8::]/32 , 5061)\n }", "any,10.0.0.1/32,0 tls,2001:db8::/32,5061", "readonly"},
		{`d:{(any,10.0.0.1,0,"a\")},b")}`, `any,10.0.0.1/32,0,"a\")},b"`, "readonly"},
		{`e:{}`, "", "readonly"},
	} {
		l, err := Parse(tc.def, "core")
		if err != nil {
			t.Errorf("%s: %v", tc.def, err)
			continue
		}
		var rules []string
		for _, e := range l.Entries(time.Now()) {
			rules = append(rules, e.String())
			if again, err := ParseRule(e.String()); err != nil || again != e.Rule {
				t.Errorf("%s is read as %v, %v", e.String(), again, err)
			}
		}
		if got := strings.Join(rules, " "); got != tc.rules || l.Flags().String() != tc.flags {
			t.Errorf("%s: %s /%s, want %s /%s", tc.def, got, l.Flags(), tc.rules, tc.flags)
		}
	}
}

func TestParseFails(t *testing.T) {
	for def, want := range map[string]string{
		"":                               `0 "" is no name`,
		"a b:{}":                         "0 ",
		"gw/never":                       `3 "never" is no flag`,
		"gw:":                            "3 a rule is missing",
		"gw:{(any,1.2.3.4)":              "3 the { of the rules has no }",
		"gw:{(any,1.2.3.4) x}":           `18 "x" is no rule`,
		`gw:{(any,1.2.3.4,0,"\`:          "3 ",
		`gw:{(any,1.2.3.4,0,"\}`:         `4 "(any,1.2.3.4,0,\"\\" is no rule`,
		"gw:{(any,1.2.3.400)}":           `4 "1.2.3.400" is no IP address`,
		"gw:{(any,1.2.3.4/33)}":          `4 "33" is no mask`,
		"gw:{(any,1.2.3.4/-1)}":          `4 "-1" is no mask`,
		"gw:{(any,1.2.3.4/255.0.255.0)}": `4 "255.0.255.0" is no mask`,
		"gw:{(any,1.2.3.4/ffff::)}":      "4 ",
		"gw:{(xx,1.2.3.4)}":              `4 "xx" is no IP address`,
		"gw:{(any,1.2.3.4,70000)}":       `4 "70000" is no port`,
		"gw:{(any)}":                     "4 ",
		"gw:{()}":                        "4 ",
		"gw:{(any,1.2.3.4,0,\"\",1)}":    "4 ",
	} {
		_, err := Parse(def, "core")
		var wrong *SyntaxError
		if !errors.As(err, &wrong) || !strings.HasPrefix(fmt.Sprint(wrong.At, " ", wrong.Text), want) {
			t.Errorf("%s: %v, want %s", def, err, want)
		}
	}
}

func TestMatch(t *testing.T) {
	text := func(s string) func() []byte { return func() []byte { return []byte(s) } }
	for _, tc := range []struct {
		def  string
		to   reactor.EndPoint
		text string
		want bool
	}{
		{"a:{(tcp,10.0.0.1,5060)}", at(reactor.TCP, "10.0.0.1:5060"), "", true},
		{"a:{(tcp,10.0.0.1,5060)}", at(reactor.UDP, "10.0.0.1:5060"), "", false},
		{"a:{(tcp,10.0.0.1,5060)}", at(reactor.TCP, "10.0.0.1:5061"), "", false},
		{"a:{(tcp,10.0.0.1,5060)}", at(reactor.TCP, "10.0.0.2:5060"), "", false},
		{"a:{(10.0.0.0/8)}", at(reactor.TLS, "10.200.0.2:5061"), "", true},
		{"a:{(10.0.0.0/8)}", at(reactor.TLS, "[::ffff:10.1.1.1]:5061"), "", true},
		{"a:{!(10.0.0.0/8)}", at(reactor.TLS, "10.200.0.2:5061"), "", false},
		{"a:{!(10.0.0.0/8)}", at(reactor.TLS, "[2001:db8::1]:5061"), "", true},
		{`a:{(any,10.0.0.0/8,0,"MESSAGE*ugly*")}`, at(reactor.TLS, "10.0.0.1:5061"), "MESSAGE sip:x\r\n\r\nan ugly word", true},
		{`a:{(any,10.0.0.0/8,0,"MESSAGE*ugly*")}`, at(reactor.TLS, "10.0.0.1:5061"), "INVITE sip:x\r\n\r\nan ugly word", false},
		// No transport and no port match only what is for any.
		{"a:{(tcp,10.0.0.1)}", at(0, "10.0.0.1:5060"), "", false},
		{"a:{(any,10.0.0.1,5060)}", at(reactor.TCP, "10.0.0.1:0"), "", false},
		{"a:{(any,10.0.0.1)}", at(0, "10.0.0.1:0"), "", true},
	} {
		if _, got := must(t, tc.def).Match(tc.to, text(tc.text), time.Now()); got != tc.want {
			t.Errorf("%s, %v: %v", tc.def, tc.to, got)
		}
	}
}

func TestGlob(t *testing.T) {
	for _, tc := range []struct {
		pattern, text string
		want          bool
	}{
		{"*", "", true}, {"", "", true}, {"", "a", false}, {"a", "a", true}, {"a", "ab", false}, {"a*", "ab\ncd", true},
		{"*b*d", "abcd", true}, {"*b*d", "abcde", false}, {"**a**", "xxaxx", true}, {"a?c", "abc", true}, {"a?c", "ac", false},
		{"[a-c]x", "bx", true}, {"[!a-c]x", "bx", false}, {"[^a-c]x", "dx", true}, {"[]]", "]", true}, {"[a-]", "-", true},
		{"[abc", "[abc", true}, {`\*`, "*", true}, {`\*`, "a", false}, {`a\`, `a\`, true},
		{strings.Repeat("*a", 50) + "b", strings.Repeat("a", 5000), false}, // not for ever
	} {
		if got := glob(tc.pattern, []byte(tc.text)); got != tc.want {
			t.Errorf("%q, %q: %v", tc.pattern, clip(tc.text), got)
		}
	}
}

func clip(s string) string { return s[:min(len(s), 40)] }

// Rules come and go, and end by themselves.
func TestChanges(t *testing.T) {
	now := time.Unix(1000, 0)
	to := at(reactor.UDP, "10.0.0.1:5060")
	r := Exactly(to)
	l := must(t, "a/expire")
	if err := l.Add(r, time.Minute, now); err != nil {
		t.Fatal(err)
	}
	if e, ok := l.Match(to, nil, now.Add(59*time.Second)); !ok || e.Rule != r {
		t.Error("not there", e, ok)
	}
	if _, ok := l.Match(to, nil, now.Add(time.Minute)); ok || len(l.Entries(now.Add(time.Minute))) != 0 {
		t.Error("there for ever")
	}
	_ = l.Add(r, 0, now)
	if len(l.Entries(now)) != 1 {
		t.Error("there twice")
	}
	if _, ok := l.Match(to, nil, now.Add(time.Hour)); !ok {
		t.Error("ended, though it was for good")
	}
	if err := errors.Join(l.Remove(r, now)); err != nil || len(l.Entries(now)) != 0 {
		t.Error("not removed", err)
	}
	if err := l.Remove(r, now); !errors.Is(err, ErrNoRule) {
		t.Error(err)
	}
	fixed := must(t, "b:10.0.0.1")
	if err := fixed.Add(r, 0, now); !errors.Is(err, ErrReadOnly) {
		t.Error(err)
	}
	if err := fixed.Remove(r, now); !errors.Is(err, ErrReadOnly) {
		t.Error(err)
	}
	if err := fixed.Replace([]Rule{r, r}); err != nil || len(fixed.Entries(now)) != 2 {
		t.Error(err)
	}
	if err := must(t, "c/default").Add(r, time.Second, now); !errors.Is(err, ErrNoExpiry) {
		t.Error(err)
	}
}

func TestListIsBounded(t *testing.T) {
	rules := make([]Rule, MaxRules)
	for i := range rules {
		rules[i] = Rule{Port: uint16(i + 1)}
	}
	l, err := NewList("a", "core", Expire, rules)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Add(Rule{Port: 65535}, 0, time.Now()); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
	if err := l.Replace(append(rules, Rule{})); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
	if _, err := NewList("a", "core", 0, append(rules, Rule{})); err == nil {
		t.Error("more rules than there may be")
	}
}

func TestSet(t *testing.T) {
	var s Set
	for _, def := range []string{"one:10.0.0.1", "two/default:10.0.0.2", "three:{(any,10.0.0.3)}"} {
		if err := s.Add(must(t, def)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Add(must(t, "one")); err == nil {
		t.Error("a name twice")
	}
	match := func(m Mask, addr string) string {
		if l := s.Match(m, at(reactor.UDP, addr+":5060"), nil, time.Now()); l != nil {
			return l.Name()
		}
		return ""
	}
	one := s.Mask([]byte("one"))
	if s.Mask([]byte("four")) != 0 || s.Find("four") != nil || s.Find("three").Owner() != "core" {
		t.Error("names")
	}
	if match(s.Defaults(), "10.0.0.1") != "" || match(s.Defaults(), "10.0.0.2") != "two" || match(s.Defaults()|one, "10.0.0.1") != "one" || match(0, "10.0.0.2") != "" {
		t.Error("the wrong lists are asked")
	}
	var none *Set
	if none.Defaults() != 0 || none.Mask([]byte("a")) != 0 || none.Find("a") != nil || none.Match(1, at(reactor.UDP, "10.0.0.1:1"), nil, time.Now()) != nil {
		t.Error("no set has a list")
	}
	for i := len(s.Lists()); i < MaxLists; i++ {
		if err := s.Add(must(t, fmt.Sprint("l", i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Add(must(t, "more")); err == nil {
		t.Error("one list too many")
	}
}

// Whatever a definition is, it is read or refused, and what is read can be written.
// TestFollow: masks mean the same lists in the set that takes over, and what was learned
// is not forgotten.
func TestFollow(t *testing.T) {
	now := time.Unix(1000, 0)
	var old, fresh Set
	for _, def := range []string{"one:10.0.0.1", "two/default:10.0.0.2", "three/expire:10.0.0.3"} {
		_ = old.Add(must(t, def))
	}
	for _, def := range []string{"four/default:10.0.0.4", "three/expire:10.0.0.33", "one:10.0.0.11"} {
		_ = fresh.Add(must(t, def))
	}
	if err := old.Find("three").Add(Rule{Net: netip.MustParsePrefix("10.9.9.9/32")}, time.Minute, now); err != nil {
		t.Fatal(err)
	}
	one, two, three := old.Mask([]byte("one")), old.Mask([]byte("two")), old.Mask([]byte("three"))
	fresh.Follow(&old)
	match := func(m Mask, addr string) bool { return fresh.Match(m, at(reactor.UDP, addr+":5060"), nil, now) != nil }
	for _, c := range []struct {
		mask Mask
		addr string
		want bool
	}{
		{one, "10.0.0.11", true}, {one, "10.0.0.1", false}, {one, "10.0.0.4", false}, {two, "10.0.0.2", false}, {two, "10.0.0.4", false},
		{three, "10.0.0.33", true}, {three, "10.0.0.3", false}, {three, "10.9.9.9", true}, {fresh.Defaults(), "10.0.0.4", true}, {fresh.Defaults(), "10.0.0.11", false},
	} {
		if got := match(c.mask, c.addr); got != c.want {
			t.Errorf("%b %s: %v", c.mask, c.addr, got)
		}
	}
	if n := len(fresh.Lists()); n != 3 || fresh.Find("two") != nil || fresh.Mask([]byte("two")) != 0 {
		t.Errorf("%d lists", n)
	}
	// Sets that follow each other for ever have room for their own lists.
	for i := range 2 * MaxLists {
		var next Set
		_ = next.Add(must(t, fmt.Sprint("list", i, ":10.0.0.1")))
		next.Follow(&fresh)
		if !match(0, "10.0.0.1") && next.Match(next.Mask([]byte(fmt.Sprint("list", i))), at(reactor.UDP, "10.0.0.1:1"), nil, now) == nil {
			t.Fatalf("list %d is not asked", i)
		}
		fresh = next
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"a", "a/expire:{}", `gw:{(tcp, 192.168.4.100, 5060, ""), !(any, ::1/128, 0, "*")}`, `a:{(any,1.1.1.1,0,"\`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l, err := Parse(s, "core")
		if err != nil {
			return
		}
		for _, e := range l.Entries(time.Now()) {
			if again, err := ParseRule(e.String()); err != nil || again != e.Rule {
				t.Errorf("%q has %v, read again as %v, %v", s, e.Rule, again, err)
			}
		}
	})
}
