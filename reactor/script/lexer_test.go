package script

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// lex gives the tokens of src, each with its place.
func lex(src string) (tokens []string, rep *report) {
	rep = &report{}
	l := newLexer(rep, readFile)
	l.push("t", []byte(src))
	for {
		t := l.next()
		if t.kind == tokEOF {
			return tokens, rep
		}
		s := kindNames[t.kind]
		switch t.kind {
		case tokIdent, tokVar, tokAddr:
			s = t.text
		case tokNumber:
			s = fmt.Sprint(t.num)
		case tokString:
			s = fmt.Sprintf("%q", t.text)
		}
		tokens = append(tokens, fmt.Sprintf("%d:%d %s", t.pos.Line(), t.pos.Col(), s))
	}
}

func TestTokens(t *testing.T) {
	for _, tt := range []struct{ name, src, want string }{
		{"names and numbers", "a_1 B2 12 0x1F 017", "1:1 a_1|1:5 B2|1:8 12|1:11 31|1:16 15"},
		{"operators", "a==b!=c<=d>=e=~f!~g<<h>>i", "1:1 a|1:2 ==|1:4 b|1:5 !=|1:7 c|1:8 <=|1:10 d|1:11 >=|1:13 e|1:14 =~|1:16 f|1:17 !~|1:19 g|1:20 <<|1:22 h|1:23 >>|1:25 i"},
		{"comments", "a # b\nc // d\n/* e /* f */ g */ h", "1:1 a|2:1 c|3:19 h"},
		{"interpreter line", "#!/usr/sbin/opensips\na", "2:1 a"},
		{"continued line", "a \\\nb", "1:1 a|2:1 b"},
		{"double quotes", `"a\n\r\t\\\"b" "\x41\101\1" "^\+"`, `1:1 "a\n\r\t\\\"b"|1:16 "AA\\1"|1:29 "^\\+"`},
		{"single quotes", `'a\n"b'`, `1:1 "a\\n\"b"`},
		{"string over lines", "\"a\nb\" c", "1:1 \"a\\nb\"|2:4 c"},
		{"escaped line end", "\"a\\\nb\"", `1:1 "ab"`},
		{"addresses", "127.0.0.1 10.0.0.0/8 ::1 2001:db8::1/64 1.2.3", "1:1 127.0.0.1|1:11 10.0.0.0/8|1:22 ::1|1:26 2001:db8::1/64|1:41 1|1:42 .|1:43 2|1:44 .|1:45 3"},
		{"no address", "case 5: face:", "1:1 case|1:6 5|1:7 :|1:9 face|1:13 :"},
		{"variables", "$ru=$var(x)+$(hdr(a)[0]{s.len})-1", "1:1 $ru|1:4 =|1:5 $var(x)|1:12 +|1:13 $(hdr(a)[0]{s.len})|1:32 -|1:33 1"},
		{"variable then dot", `$ru."x"`, `1:1 $ru|1:4 .|1:5 "x"`},
		{"columns count characters", "/* äöü */ x", "1:11 x"},
		{"words that are operators", "a and b or not c", "1:1 a|1:3 &&|1:7 b|1:9 |||1:12 !|1:16 c"},
	} {
		got, rep := lex(tt.src)
		if s := strings.Join(got, "|"); s != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.name, s, tt.want)
		}
		if len(rep.list) > 0 {
			t.Errorf("%s: %v", tt.name, rep.list)
		}
	}
}

func TestLexerErrors(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"a @ b", `1:3: unexpected character "@"`},
		{"a\n  \"open", "2:3: the string that begins here has no end"},
		{"x /* y", "1:3: the comment that begins here has no end (comments nest: each /* needs its */)"},
		{"12ab", "1:1: 12ab is not a number (decimal, 0x... or octal 0...)"},
		{"99999999999999999999", "1:1: 99999999999999999999 is not a number (decimal, 0x... or octal 0...)"},
		{"08", "1:1: 08 is not a number (decimal, 0x... or octal 0...)"},
		{"$", "1:1: a variable needs a name behind the $"},
		{"$(ru", "1:1: the variable that begins here has no closing bracket"},
		{"$hdr(x", "1:1: the variable that begins here has no closing bracket"},
		{"a $ENV(SIPREACTOR_NOT_SET) b", "1:3: the environment variable SIPREACTOR_NOT_SET is not set"},
		{`"x $ENV(SIPREACTOR_NOT_SET)"`, "1:4: the environment variable SIPREACTOR_NOT_SET is not set"},
	} {
		_, rep := lex(tt.src)
		err := rep.err()
		if err == nil || err.Error() != "t:"+tt.want {
			t.Errorf("%q\n got %v\nwant t:%s", tt.src, err, tt.want)
		}
	}
}

func TestEnv(t *testing.T) {
	t.Setenv("SIPREACTOR_T", "10.0.0.7")
	t.Setenv("SIPREACTOR_P", "5061 as \"x\"")
	got, rep := lex("socket=tls:$ENV(SIPREACTOR_T):$ENV(SIPREACTOR_P) end # $ENV(SIPREACTOR_NOT_SET)\nnext \"$ENV(SIPREACTOR_T)\"")
	// What is put in stands where it was asked for; what follows keeps its place.
	want := `1:1 socket|1:7 =|1:8 tls|1:11 :|1:12 10.0.0.7|1:30 :|1:31 5061|1:31 as|1:31 "x"|1:50 end|2:1 next|2:6 "10.0.0.7"`
	if s := strings.Join(got, "|"); s != want || len(rep.list) > 0 {
		t.Errorf("\n got %s %v\nwant %s", s, rep.list, want)
	}
}

func TestInclude(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("sub/inner.cfg", "inner\ninclude_file 'deep.cfg'\nafter_deep\n")
	write("sub/deep.cfg", "deep")
	write("loop.cfg", "include_file \"loop.cfg\"\n")
	read := func(text string) (string, error) {
		rep := &report{}
		l := newLexer(rep, readFile)
		l.push(filepath.Join(dir, "main.cfg"), []byte(text))
		var got []string
		for {
			tok := l.next()
			if tok.kind == tokEOF {
				for _, n := range rep.notes {
					got = append(got, "note:"+strings.TrimPrefix(n.String(), dir))
				}
				return strings.Join(got, " "), rep.err()
			}
			got = append(got, strings.TrimPrefix(tok.pos.String(), dir+"/")+"="+tok.text)
		}
	}
	got, err := read("a\n  include_file \"sub/inner.cfg\"\nb")
	want := "main.cfg:1:1=a sub/inner.cfg:1:1=inner sub/deep.cfg:1:1=deep sub/inner.cfg:3:1=after_deep main.cfg:3:1=b"
	if err != nil || got != want {
		t.Errorf("got  %s %v\nwant %s", got, err, want)
	}
	got, err = read("import_file \"none.cfg\"\nb")
	if err != nil || !strings.Contains(got, `main.cfg:1:1: import_file "none.cfg": there is no such file`) || !strings.Contains(got, "=b") {
		t.Errorf("got %s %v", got, err)
	}
	for text, want := range map[string]string{
		"include_file \"none.cfg\"\n": "main.cfg:1:1: cannot read the file to include",
		"include_file \"loop.cfg\"\n": "includes itself",
		"include_file \"\"\n":         "the file to include has no name",
		"include_file \".\"\n":        "is a folder, not a file",
		"include_file \"/dev/zero\"":  "not a regular file",
	} {
		if _, err := read(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	// Only the first word of a line includes.
	if got, err := read("x include_file \"none.cfg\""); err != nil || !strings.Contains(got, "=include_file") {
		t.Errorf("got %s %v", got, err)
	}
}
