package mi

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sipreactor/reactor/rpc"
)

// cutAll cuts what comes in pieces, each request as reply=body.
func cutAll(pieces ...string) (cut []string, junk int) {
	var c cutter
	for _, p := range pieces {
		c.feed([]byte(p), func(r fifoRequest) {
			body := string(r.body)
			if r.body == nil {
				body = "too long"
			}
			cut = append(cut, r.reply+"="+body)
		})
	}
	return cut, c.junk
}

var streams = []struct {
	name, in string
	want     []string
	junk     int
}{
	{"one", ":r:{\"a\":1}\n", []string{`r={"a":1}`}, 0},
	{"as OpenSIPS' own client writes", ":opensips_fifo_reply_1_2:{\"jsonrpc\": \"2.0\"}", []string{`opensips_fifo_reply_1_2={"jsonrpc": "2.0"}`}, 0},
	{"no answer wanted", "::{}\n", []string{"={}"}, 0},
	{"two", ":a:{}\n:b:[]\n", []string{"a={}", "b=[]"}, 0},
	{"lines inside", ":a:{\n \"x\":\n [1,\n2] }\r\n\n:b:[]\n", []string{"a={\n \"x\":\n [1,\n2] }", "b=[]"}, 0},
	{"brackets in strings", `:a:{"x":"}\"{]\\","y":["]"]}` + "\n", []string{`a={"x":"}\"{]\\","y":["]"]}`}, 0},
	{"spaces before", ":a: \t{}\n", []string{"a={}"}, 0},
	{"no JSON", ":a:hello\n:b:{}\n", []string{"a=hello\n", "b={}"}, 0},
	{"nothing", ":a:\n:b:{}\n", []string{"a=\n", "b={}"}, 0},
	{"rest of the line", ":a:{} x :y:{}\n:b:{}\n", []string{"a={}", "y={}", "b={}"}, 1},
	{"no line ends, as opensips-cli", `:a:{"method": "which"}:b:{"method": "uptime", "params": []}`,
		[]string{`a={"method": "which"}`, `b={"method": "uptime", "params": []}`}, 0},
	{"no line ends, spaces between", ":a:{} \t:b:[1] \r\n :c:{}", []string{"a={}", "b=[1]", "c={}"}, 0},
	{"requests in strings", `:a:{"x":":b:{}","y":[":c:[","\":d:{"],":e:":{"f":":g:{"}}:h:{}`,
		[]string{`a={"x":":b:{}","y":[":c:[","\":d:{"],":e:":{"f":":g:{"}}`, "h={}"}, 0},
	{"colons behind keys", `:a:{"b":{"c":[{"d":[1,-2.5e3,true,false,null,"\u00e4\/"]}]}}:z:{}`,
		[]string{`a={"b":{"c":[{"d":[1,-2.5e3,true,false,null,"\u00e4\/"]}]}}`, "z={}"}, 0},
	{"died in a key", `:a:{"jsonrpc": "2.0", "met:b:{"id":1}`, []string{`b={"id":1}`}, 1},
	{"died behind a key", `:a:{"jsonrpc": "2.0", "method":b:{"id":1}`, []string{`b={"id":1}`}, 1},
	{"died behind a colon", `:a:{"jsonrpc"::b:{"id":1}`, []string{`b={"id":1}`}, 1},
	{"died behind a bracket", `:a:[{:b:{"id":1}`, []string{`b={"id":1}`}, 1},
	{"died in an escape", `:a:{"x":"\:b:{"id":1}`, []string{`b={"id":1}`}, 1},
	{"died in a number", `:a:{"x":12:b:[{"id":1}]`, []string{`b=[{"id":1}]`}, 1},
	{"died in the name", `:a:b:{"id":1}:c:{}`, []string{`b={"id":1}`, "c={}"}, 1},
	{"died behind the name", `:a::b:{"id":1}:c:{}`, []string{`b={"id":1}`, "c={}"}, 1},
	{"two died", `:a:{"x:b:{"y":{:c: [1]`, []string{"c=[1]"}, 2},
	{"no JSON in brackets", `:a:{x}:b:{}`, []string{"a={x}", "b={}"}, 0},
	{"junk before", "hello :a:{}\n:b:{}\n", []string{"a={}", "b={}"}, 1},
	{"junk line", "hello a:{} {:b}\n:b:{}\n", []string{"b={}"}, 1},
	{"the rest of a request", `": {"x": [1]}}:b:{"id":1}`, []string{`b={"id":1}`}, 1},
	{"much junk", strings.Repeat("junk", 1000) + "x:a:{}", []string{"a={}"}, 1},
	{"a name of 255 behind junk", strings.Repeat("junk", 1000) + ":" + strings.Repeat("n", maxReplyName) + ":{}", []string{strings.Repeat("n", maxReplyName) + "={}"}, 1},
	{"name without end", ":a\n:b:{}\n", []string{"b={}"}, 1},
	{"a writer died in the JSON", ":a:{\"x\":[\n:b:{}\n", []string{"b={}"}, 1},
	{"a writer died in a string", ":a:{\"x\":\"\n:b:{}\n", []string{"b={}"}, 1},
	{"long name", ":" + strings.Repeat("n", maxReplyName+1) + ":{}\n:b:{}\n", []string{"b={}"}, 1},
	{"long name before another", ":" + strings.Repeat("n", maxReplyName+1) + ":b:{}", []string{"b={}"}, 1},
	{"too long", ":a:[" + strings.Repeat(" ", rpc.MaxRequest) + "]\n:b:{}\n", []string{"a=too long", "b={}"}, 0},
}

func TestCutter(t *testing.T) {
	for _, s := range streams {
		t.Run(s.name, func(t *testing.T) {
			check := func(how string, pieces ...string) {
				t.Helper()
				if got, junk := cutAll(pieces...); !slices.Equal(got, s.want) || junk != s.junk {
					t.Fatalf("%s: %.200q, junk %d", how, got, junk)
				}
			}
			check("whole", s.in)
			check("byte by byte", strings.Split(s.in, "")...)
			for at := range min(len(s.in), 100) {
				check(fmt.Sprint("cut at ", at), s.in[:at], s.in[at:])
			}
			for range 20 {
				var pieces []string
				for rest := s.in; rest != ""; {
					n := 1 + rand.IntN(min(len(rest), 1000))
					pieces, rest = append(pieces, rest[:n]), rest[n:]
				}
				check("at random", pieces...)
			}
		})
	}
}

// TestCutterBehindPieces: whatever piece of a request a writer leaves behind, the next
// whole one is recognised, with and without a line's end.
func TestCutterBehindPieces(t *testing.T) {
	const left, next = `:opensips_fifo_reply_1_2:{"jsonrpc": "2.0", "method": "get_statistics", "params": [["a:b", "\"\u00e4\\"], {"x": -1.5e3, "y": null}], "id": 7}`,
		`:b:{"jsonrpc": "2.0", "method": "which", "id": 1}`
	want := "b=" + strings.TrimPrefix(next, ":b:")
	for from := range len(left) {
		for to := from + 1; to < len(left); to++ {
			for _, end := range []string{"", "\n"} {
				if got, junk := cutAll(left[from:to], next+end); len(got) == 0 || got[len(got)-1] != want || junk == 0 && len(got) < 2 && left[from:to] != " " {
					t.Fatalf("behind %q: %q, junk %d", left[from:to], got, junk)
				}
			}
		}
	}
}

// TestCutterBehindWhatIsTooLong: so it is behind half of a request that was too long.
func TestCutterBehindWhatIsTooLong(t *testing.T) {
	if got, junk := cutAll(":a:[\""+strings.Repeat("x", rpc.MaxRequest), `:b:{"id":1}`); !slices.Equal(got, []string{`b={"id":1}`}) || junk != 1 {
		t.Errorf("%.100q, junk %d", got, junk)
	}
}

func TestCutterReset(t *testing.T) {
	var c cutter
	n := 0
	count := func(fifoRequest) { n++ }
	if c.reset() {
		t.Error("something was pending in a new one")
	}
	for _, half := range []string{":a", ":a:", ":a:{\"x", ":a:{\"\\"} {
		c.feed([]byte(half), count)
		if !c.reset() {
			t.Errorf("%q was not pending", half)
		}
		c.feed([]byte(":b:{}\n"), count)
	}
	c.feed([]byte(":a:{} "), count)
	if c.reset() {
		t.Error("the rest of a line is no request")
	}
	if n != 5 || c.junk != 4 {
		t.Errorf("%d requests, junk %d", n, c.junk)
	}
}

// FuzzCutter checks that the pieces in which bytes come make no difference.
func FuzzCutter(f *testing.F) {
	for _, s := range streams {
		if len(s.in) < 1000 {
			f.Add(s.in, 3)
		}
	}
	f.Fuzz(func(t *testing.T, in string, at int) {
		if at < 0 || at > len(in) {
			at = len(in) / 2
		}
		whole, junk := cutAll(in)
		parts, junk2 := cutAll(in[:at], in[at:])
		if !slices.Equal(whole, parts) || junk != junk2 {
			t.Fatalf("whole %q (%d), in parts %q (%d)", whole, junk, parts, junk2)
		}
	})
}

// TestDocument: it takes what encoding/json takes, and refuses with the first
// byte that cannot be.
func TestDocument(t *testing.T) {
	follow := func(s string) int {
		var d document
		for i := range len(s) {
			if !d.take(s[i]) {
				return i
			}
		}
		return -1
	}
	for _, s := range []string{` {} `, `[]`, `{"a":[{"b":"c\u12aF\n"},1,-1.5e+3,true,false,null],"d":{}}`, `[[[]],[]]`, "[1\n,2]"} {
		if at := follow(s); at >= 0 || !json.Valid([]byte(s)) {
			t.Errorf("%s is refused at %d", s, at)
		}
	}
	for s, want := range map[string]int{`{a`: 1, `{"a"x`: 4, `{"a":}`: 5, `{,`: 1, `{"a":1,}`: 7, `[1,]`: 3, `[}`: 1, `{"a":1]`: 6, `{]`: 1,
		`[truE`: 4, `["\x`: 3, `["\u00g`: 6, "[\"\n": 2, `{} x`: 3, `{}}`: 2, `[1 2`: 3} {
		if at := follow(s); at != want {
			t.Errorf("%s is refused at %d, not at %d", s, at, want)
		}
	}
	if at := follow(strings.Repeat("[", maxNesting+1)); at != maxNesting {
		t.Errorf("brackets are refused at %d", at)
	}
}
