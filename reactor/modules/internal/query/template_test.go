package query

import (
	"fmt"
	"strings"
	"testing"

	"sipreactor/reactor/store"
	"sipreactor/reactor/store/storetest"
)

// parts cuts a query at its variables: <name> is one, <name!> one that is escaped.
func parts(text string) (list []Part) {
	for text != "" {
		before, rest, ok := strings.Cut(text, "<")
		if before != "" {
			list = append(list, Part{Text: before})
		}
		if !ok {
			break
		}
		name, after, _ := strings.Cut(rest, ">")
		list = append(list, Part{Text: "$" + strings.TrimSuffix(name, "!"), Var: true, Escaped: strings.HasSuffix(name, "!")})
		text = after
	}
	return list
}

// shape shows a template: [..] a value, {..} a variable outside of quotes.
func shape(t *Template) string {
	var b strings.Builder
	for _, g := range t.segments {
		switch g.kind {
		case sqlSegment:
			b.WriteString(g.text)
		case numberSegment:
			fmt.Fprintf(&b, "{%d}", g.at)
		case literalSegment:
			b.WriteByte('[')
			for _, p := range g.pieces {
				if p.at < 0 {
					b.WriteString(p.text)
				} else {
					fmt.Fprintf(&b, "%d", p.at)
				}
				if p.escaped {
					b.WriteByte('!')
				}
			}
			b.WriteByte(']')
		}
	}
	return b.String()
}

func TestCompile(t *testing.T) {
	for _, c := range []struct {
		text string
		kind store.Scheme
		want string
	}{
		{"SELECT 1", store.SQLite, "SELECT 1"},
		{"SELECT password, ha1 FROM subscriber WHERE username='<tu>'", store.MySQL, "SELECT password, ha1 FROM subscriber WHERE username=[0]"},
		{"a='x' AND b='<b>' AND c=<c> AND d='%<d>%'", store.MySQL, "a='x' AND b=[0] AND c={1} AND d=[%2%]"},
		{"a='<a!>''s'", store.SQLite, "a=[0!'s]"},
		{`a='\'<a>\n\\'`, store.MySQL, "a=['0\n\\]"},
		{`a='\<a>'`, store.MySQL, `a=[\0]`},
		{`a LIKE '10\%\_<a>\x'`, store.MySQL, `a LIKE [10\%\_0x]`},
		{`a='\' OR b='<b>'`, store.Postgres, `a='\' OR b=[0]`},
		{`a=E'\'<a>'`, store.Postgres, `a=['0]`},
		{`a=N'<a>'`, store.MySQL, `a=[0]`},
		{`a=E'\'' AND b='<b>'`, store.Postgres, `a=E'\'' AND b=[0]`},
		{`a="<a>"`, store.MySQL, `a=[0]`},
		{`"a b"='<a>'`, store.Postgres, `"a b"=[0]`},
		{"SELECT 'it' -- it's\n, '<a>'", store.SQLite, "SELECT 'it' -- it's\n, [0]"},
		{"SELECT /* ' */ '<a>'", store.SQLite, "SELECT /* ' */ [0]"},
		{"SELECT # '\n '<a>'", store.MySQL, "SELECT # '\n [0]"},
		{"LIMIT <a>, <b>", store.MySQL, "LIMIT {0}, {1}"},
	} {
		got, err := Compile(parts(c.text), c.kind)
		if err != nil || shape(got) != c.want {
			t.Errorf("%s: %s, %v; want %s", c.text, shape(got), err, c.want)
		}
	}
	for text, want := range map[string]string{
		"a='<a>":             "not closed",
		"a='x":               "not closed",
		"/* a='<a>'":         "stands in a comment",
		"/* a":               "comment that is not closed",
		"SELECT \"<a>\"":     "stands in a name",
		"SELECT `<a>`":       "stands in a name",
		"SELECT x'<a>'":      "cannot stand in X'...'",
		"SELECT 1 -- <a>":    "stands in a comment",
		"SELECT _utf8'a<a>'": "cannot stand in _UTF8'...'",
	} {
		if _, err := Compile(parts(text), store.SQLite); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestFill(t *testing.T) {
	fill := func(text string, values ...any) error {
		t.Helper()
		c, err := Compile(parts(text), store.SQLite)
		if err != nil {
			t.Fatal(err)
		}
		var s store.Statement
		return c.Fill(&s, func(i int) (string, bool) {
			v, ok := values[i].(string)
			return v, ok
		})
	}
	for _, n := range []string{"0", "-7", "3.25", "00"} {
		if err := fill("LIMIT <n>", n); err != nil {
			t.Errorf("%s: %v", n, err)
		}
	}
	for _, n := range []string{"", "-", "1 OR 1=1", "1;", "0x10", "1e5", ".", "1.", "--1", "+1", "１"} {
		if err := fill("LIMIT <n>", n); err == nil || err.Error() != "$n stands outside of quotes and is no number" {
			t.Errorf("%q: %v", n, err)
		}
	}
	if err := fill("LIMIT <n>", nil); err == nil || err.Error() != "$n is NULL" {
		t.Errorf("NULL: %v", err)
	}
	if err := fill("a='<n>'", nil); err != nil {
		t.Errorf("NULL in quotes: %v", err)
	}
	if err := fill(" <n> ", "DELETE FROM x"); err != nil {
		t.Errorf("the whole query: %v", err)
	}
}

func TestUnescape(t *testing.T) {
	for in, want := range map[string]string{`a`: "a", `O\'Brien`: "O'Brien", `\\`: `\`, `\"\0x`: "\"\x00x", `a\`: `a\`} {
		if got := Unescape(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// What comes from a message is a value, with every kind of database and however
// the script has quoted it.
func TestHostileValues(t *testing.T) {
	urls := []string{storetest.SQLite(t)}
	t.Run("sqlite", func(t *testing.T) { testHostile(t, urls[0]) })
	t.Run("mariadb", func(t *testing.T) { testHostile(t, storetest.MariaDB(t).URL("sip")) })
	t.Run("postgres", func(t *testing.T) { testHostile(t, storetest.Postgres(t).URL("sip")) })
}

func testHostile(t *testing.T, url string) {
	if err := store.Create(t.Context(), url, "grp"); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	insert, err := Compile(parts("INSERT INTO grp (username, domain, grp) VALUES ('<u>', 'it''s <d>', '<e!>')"), db.URL().Scheme)
	if err != nil {
		t.Fatal(err)
	}
	find, err := Compile(parts("SELECT username, domain, grp FROM grp WHERE username='<u>'"), db.URL().Scheme)
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range []string{"'", `\`, `\'`, `'; DROP TABLE grp; --`, `" OR ""="`, "a\x1a\n", "%_", "?", "$1", "ü", `x\' OR 1=1 -- `} {
		key := fmt.Sprintf("%d %s", i, text)
		values := []string{key, text, strings.NewReplacer(`\`, `\\`, `'`, `\'`, `"`, `\"`).Replace(text)}
		get := func(i int) (string, bool) { return values[i], true }
		var s store.Statement
		if err := insert.Fill(&s, get); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Query(t.Context(), &s); err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if err := find.Fill(&s, get); err != nil {
			t.Fatal(err)
		}
		res, err := db.Query(t.Context(), &s)
		if err != nil || res.Len() != 1 || res.Row(0)[0].Text() != key || res.Row(0)[1].Text() != "it's "+text || res.Row(0)[2].Text() != text {
			t.Errorf("%q: %+v, %v", text, res, err)
		}
	}
}

func FuzzCompile(f *testing.F) {
	f.Add("a='<a>' -- x\n")
	f.Add(`E'\'<a>'"<b>"`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, kind := range []store.Scheme{store.MySQL, store.Postgres, store.SQLite} {
			c, err := Compile(parts(text), kind)
			if err != nil {
				continue
			}
			outside := false
			for _, g := range c.segments {
				outside = outside || g.kind == numberSegment
			}
			var s store.Statement
			err = c.Fill(&s, func(int) (string, bool) { return "1 OR 1=1", true })
			if (err != nil) != (outside && !c.Raw) {
				t.Errorf("%s %q: %v", kind, text, err)
			}
		}
	})
}
