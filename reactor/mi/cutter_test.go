package mi

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
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
	{"rest of the line", ":a:{} x :y:{}\n:b:{}\n", []string{"a={}", "b={}"}, 0},
	{"junk line", "hello :a:{}\n:b:{}\n", []string{"b={}"}, 1},
	{"name without end", ":a\n:b:{}\n", []string{"b={}"}, 1},
	{"a writer died in the JSON", ":a:{\"x\":[\n:b:{}\n", []string{"b={}"}, 1},
	{"a writer died in a string", ":a:{\"x\":\"\n:b:{}\n", []string{"b={}"}, 1},
	{"long name", ":" + strings.Repeat("n", maxReplyName+1) + ":{}\n:b:{}\n", []string{"b={}"}, 1},
	{"too long", ":a:[" + strings.Repeat(" ", MaxRequest) + "]\n:b:{}\n", []string{"a=too long", "b={}"}, 0},
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
