package permissions

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const sample = `
# From of those at home, to all but premium numbers
"^sip:[0-9]+@home\.example$", "^sip:admin@" : ALL EXCEPT "^sip:0900", "^sip:0137"
ALL EXCEPT "@bad\.example" : "^sip:361[0-9]*@abc\.com$" EXCEPT "^sip:361[0-9]*3@abc\.com$"   # a comment
all : "^sip:112@"
`

func TestRules(t *testing.T) {
	rules, err := ParseRules(strings.NewReader(sample), "sample")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		from, uri string
		want      bool
	}{
		{"sip:7@home.example", "sip:030@x", true},
		{"SIP:7@HOME.EXAMPLE", "sip:030@x", true},
		{"sip:7@home.example", "sip:0900@x", false},
		{"sip:admin@elsewhere", "sip:030@x", true},
		{"sip:x@good.example", "sip:3615@abc.com", true},
		{"sip:x@good.example", "sip:3613@abc.com", false},
		{"sip:x@bad.example", "sip:3615@abc.com", false},
		{"sip:x@bad.example", "sip:112@abc.com", true},
		{"sip:x@good.example", "sip:1@x", false},
	} {
		if got := rules.Match([]byte(c.from), []byte(c.uri)); got != c.want {
			t.Errorf("%s to %s: %v", c.from, c.uri, got)
		}
	}
}

func TestWrongRules(t *testing.T) {
	for text, want := range map[string]string{
		`ALL`:              `f:1: a rule is FROM`,
		"\n\nALL : \"(\"":  `f:3: error parsing regexp`,
		`"a : ALL`:         `f:1: a quote is not closed`,
		`ALL : nobody`:     `f:1: "nobody" is neither ALL nor an expression in quotes`,
		`ALL : ALL ALL`:    `f:1: ALL does not belong here`,
		`ALL : `:           `f:1: "" is neither ALL nor`,
		`ALL, : ALL`:       `f:1: ":" is neither ALL nor`,
		`ALL EXCEPT : ALL`: `f:1: ":" is neither ALL nor`,
	} {
		if _, err := ParseRules(strings.NewReader(text), "f"); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestPair(t *testing.T) {
	dir := t.TempDir()
	allow, deny := filepath.Join(dir, "x.allow"), filepath.Join(dir, "x.deny")
	uris := func(s ...string) (list [][]byte) {
		for _, u := range s {
			list = append(list, []byte(u))
		}
		return list
	}
	p, err := ReadPair(allow, deny)
	if err != nil || !p.Allowed([]byte("sip:a@b"), uris("sip:c@d")) {
		t.Fatalf("without files: %v", err)
	}
	if err := os.WriteFile(allow, []byte(`ALL : "@good$"`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(deny, []byte(`ALL : "@bad$"`), 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err = ReadPair(allow, deny); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		uris [][]byte
		want bool
	}{
		{uris("sip:1@good"), true}, {uris("sip:1@bad"), false}, {uris("sip:1@other"), true},
		{uris("sip:1@good", "sip:1@bad"), false}, {uris("sip:1@good", "sip:1@other"), true},
	} {
		if got := p.Allowed([]byte("sip:a@b"), c.uris); got != c.want {
			t.Errorf("%s: %v", c.uris, got)
		}
	}
	if err := os.WriteFile(deny, []byte(`ALL`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadPair(allow, deny); err == nil {
		t.Error("a wrong file is read")
	}
}
