package ng

import (
	"reflect"
	"strings"
	"testing"
)

// An answer that is read in part says what it says read whole, and takes as little for
// bencoding.
func TestAnswer(t *testing.T) {
	const text = "d1:ai-7e3:extld1:xl3:sdpeee6:result2:ok3:sdp3:v=0e"
	a := Answer(text)
	if !a.valid() || string(a.Text("result")) != "ok" || string(a.Text("sdp")) != "v=0" || a.Text("a") != nil || a.Text("x") != nil || a.Text("none") != nil {
		t.Errorf("%q %q %q %q", a.Text("result"), a.Text("sdp"), a.Text("a"), a.Text("x"))
	}
	if d, _ := Parse([]byte(text)); !reflect.DeepEqual(d, a.Dict()) {
		t.Error(a.Dict())
	}
	if Answer(nil).Text("result") != nil || Answer(nil).valid() {
		t.Error("nothing has a text")
	}
	if n := testing.AllocsPerRun(100, func() {
		if !a.valid() || a.Text("sdp") == nil {
			t.Error("there is nothing")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzAnswer(f *testing.F) {
	for _, text := range []string{"d6:result2:ok3:sdp3:v=04:tagsd1:ali1eeee", "de", "le", "i1e", "d1:ai1e", "d1:a" + strings.Repeat("l", 40) + strings.Repeat("e", 41), "di1e1:ae", "d1:ai+1ee"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Parse(b)
		if a := Answer(b); a.valid() != (err == nil) {
			t.Fatalf("%q: %v, %v", b, a.valid(), err)
		} else if got := string(a.Text("sdp")); err == nil && len(d) > 0 && d[0].Key == "sdp" && got != d.Text("sdp") {
			t.Fatalf("%q: %q", b, got)
		}
	})
}

// A Writer writes what Append does, and allocates nothing in memory that it has.
func TestWriter(t *testing.T) {
	list := List{"x", int64(1), Dict{{"k", "v"}}}
	want := string(Append(nil, Dict{{"command", "offer"}, {"tag", "a"}, {"flags", list}, {"from", List{"IP4", "1.2.3.4"}}, {"n", int64(3)}, {"none", ""}}))
	var w Writer
	if got := string(w.End()); got != "de" {
		t.Error(got)
	}
	tag, addr, n := []byte("a"), []byte("1.2.3.4"), Entry{"n", int64(3)}
	if allocs := testing.AllocsPerRun(100, func() {
		w.Reset()
		w.Text("command", "offer")
		w.Bytes("tag", tag)
		w.List("flags", list)
		w.Pair("from", "IP4", addr)
		w.Entry(n)
		w.Text("none", "")
		if got := w.End(); string(got) != want {
			t.Errorf("%s, want %s", got, want)
		}
	}); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}
