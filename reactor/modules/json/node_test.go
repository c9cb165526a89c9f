package json

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func written(t *testing.T, n *node, st style) string {
	t.Helper()
	b, ok := n.appendTo(nil, st, 0)
	if !ok {
		t.Fatal("too long")
	}
	return string(b)
}

func steps(t *testing.T, s string) []step {
	t.Helper()
	_, parts, _, err := parsePath("x" + s)
	if err != nil {
		t.Fatal(s, err)
	}
	var path []step
	for _, p := range parts {
		path = append(path, p.step)
	}
	return path
}

// TestWrite is how documents are written, by the examples of the documentation.
func TestWrite(t *testing.T) {
	n, err := parse([]byte(` {"ana":"are","ar":[2,3],"e":{},"n":null,"t":true,"p":"/a\u0001\"ü"} `))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		st   style
		want string
	}{
		{spaced, `{ "ana": "are", "ar": [ 2, 3 ], "e": { }, "n": null, "t": true, "p": "\/a\u0001\"ü" }`},
		{compact, `{"ana":"are","ar":[2,3],"e":{},"n":null,"t":true,"p":"\/a\u0001\"ü"}`},
		{noEscape, `{"ana":"are","ar":[2,3],"e":{},"n":null,"t":true,"p":"/a\u0001\"ü"}`},
		{pretty, "{\n  \"ana\":\"are\",\n  \"ar\":[\n    2,\n    3\n  ],\n  \"e\":{},\n  \"n\":null,\n  \"t\":true,\n  \"p\":\"\\/a\\u0001\\\"ü\"\n}"},
	} {
		if got := written(t, n, tc.st); got != tc.want {
			t.Errorf("got  %s\nwant %s", got, tc.want)
		}
	}
}

// TestParse refuses what is no document or too large.
func TestParse(t *testing.T) {
	for _, s := range []string{"", "{", "[1", `{"a"}`, "1 2", "[1]]", "tru", strings.Repeat("[", maxDepth+2) + strings.Repeat("]", maxDepth+2), "[" + strings.Repeat("1,", maxValues) + "1]", `"` + strings.Repeat("x", maxText) + `"`} {
		if n, err := parse([]byte(s)); err == nil {
			t.Errorf("%.20q: %+v", s, n)
		}
	}
	many := "{"
	for i := range 20 {
		many += `"k` + string(rune('a'+i)) + `":` + "1,"
	}
	n, err := parse([]byte(many + `"kb":2}`))
	if err != nil || len(n.keys) != 20 || written(t, n.list[1], compact) != "2" {
		t.Errorf("a key that comes twice: %v %v", n, err)
	}
}

// TestPaths reads and changes values.
func TestPaths(t *testing.T) {
	n, _ := parse([]byte(`{"key1":[[1,{"key2":"v"}]],"ar":[1,2,3]}`))
	if v, err := n.get(steps(t, "/key1[0][-1]/key2")); err != nil || v.s != "v" {
		t.Error(v, err)
	}
	for _, tc := range []struct {
		path string
		v    *node
		err  error
		want string
	}{
		{"/ar[]", numberNode(4), nil, `[1,2,3,4]`},
		{"/ar[-1]", nil, nil, `[1,2,3]`},
		{"/ar[0]", textNode("x"), nil, `["x",2,3]`},
		{"/ar[3]", booleanNode(true), nil, `["x",2,3,true]`},
		{"/ar[9]", numberNode(1), errIndex, `["x",2,3,true]`},
		{"/ar[9]", nil, errIndex, `["x",2,3,true]`},
		{"/ar/x", numberNode(1), errKind, `["x",2,3,true]`},
		{"/no/x", numberNode(1), errAbsent, `["x",2,3,true]`},
		{"/ar[0]/x", numberNode(1), errKind, `["x",2,3,true]`},
		{"/ar", nil, nil, ``},
	} {
		if err := n.set(steps(t, tc.path), tc.v); !errors.Is(err, tc.err) {
			t.Errorf("%s: %v", tc.path, err)
		}
		if v, _ := n.get(steps(t, "/ar")); v != nil && written(t, v, compact) != tc.want {
			t.Errorf("%s: %s", tc.path, written(t, v, compact))
		}
	}
}

// TestLinks share a value; a circle is refused.
func TestLinks(t *testing.T) {
	n, _ := parse([]byte(`[{},{},{}]`))
	stub := n.list[0]
	_ = stub.set(steps(t, "/ana"), textNode("are"))
	if got := written(t, n, spaced); got != `[ { "ana": "are" }, { }, { } ]` {
		t.Error(got)
	}
	if err := n.set(steps(t, "[0]"), n); !errors.Is(err, errCircle) {
		t.Errorf("a circle: %v", err)
	}
	if err := stub.set(steps(t, "/up"), n); !errors.Is(err, errCircle) {
		t.Errorf("a circle further down: %v", err)
	}
	c := n.clone()
	_ = c.list[0].set(steps(t, "/ana"), textNode("other"))
	if written(t, stub, compact) != `{"ana":"are"}` {
		t.Error("a copy shares its values")
	}
}

// TestMerge is RFC 7396, by its examples.
func TestMerge(t *testing.T) {
	for _, tc := range [][3]string{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`}, {`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`}, {`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`}, {`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`}, {`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`["a","b"]`, `["c","d"]`, `["c","d"]`}, {`{"a":"b"}`, `["c"]`, `["c"]`}, {`{"e":null}`, `{"a":1}`, `{"e":null,"a":1}`}, {`[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`}, {`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
	} {
		a, _ := parse([]byte(tc[0]))
		b, _ := parse([]byte(tc[1]))
		if got := written(t, a.merge(b), compact); got != tc[2] {
			t.Errorf("%s with %s: %s", tc[0], tc[1], got)
		}
	}
}

// TestPathText is the grammar of the names.
func TestPathText(t *testing.T) {
	name, parts, of, err := parsePath("obj/key one[-1][$var(i)][]/$avp(a/b)/x.keys")
	want := []part{{step: step{key: "key one"}}, {step: step{index: -1, isIndex: true}}, {step: step{isIndex: true}, variable: "$var(i)"}, {step: step{isIndex: true, last: true}}, {step: step{key: "$avp(a/b)"}, variable: "$avp(a/b)"}, {step: step{key: "x"}}}
	if name != "obj" || of != keys || err != nil || !slices.Equal(parts, want) {
		t.Errorf("%s %+v %v %v", name, parts, of, err)
	}
	for _, s := range []string{"", "/a", "[1]", "a/", "a[1", "a[x]", "a[1]b", "a]", "$var(x)"} {
		if _, _, _, err := parsePath(s); err == nil {
			t.Errorf("%q", s)
		}
	}
}

// FuzzDocument writes what it has read, and reads that again.
func FuzzDocument(f *testing.F) {
	f.Add(`{"a":[1,-2.5e3,{"b":null}],"c":"\u00fc\/"}`)
	f.Fuzz(func(t *testing.T, s string) {
		n, err := parse([]byte(s))
		if err != nil {
			return
		}
		for _, st := range []style{spaced, pretty, compact, noEscape} {
			b, ok := n.appendTo(nil, st, 0)
			if !ok {
				return
			}
			again, err := parse(b)
			if err != nil {
				t.Fatalf("%s: %v", b, err)
			}
			if c, _ := again.appendTo(nil, st, 0); string(c) != string(b) {
				t.Fatalf("%s\n%s", b, c)
			}
		}
	})
}
