package sipframe

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// model does what the documentation of Rewriter says, byte by byte.
type model struct {
	raw   []byte
	gone  []bool
	texts [][]byte // what is written in front of each offset
}

func newModel(raw []byte) *model {
	return &model{raw: raw, gone: make([]bool, len(raw)), texts: make([][]byte, len(raw)+1)}
}

func (m *model) replace(s Span, text []byte) {
	n := uint64(len(m.raw))
	from, to := min(uint64(s.Off), n), min(uint64(s.Off)+uint64(s.Len), n)
	m.texts[from] = append(m.texts[from], text...)
	for i := from; i < to; i++ {
		m.gone[i] = true
	}
}

func (m *model) result() (out []byte) {
	for i, c := range m.raw {
		out = append(out, m.texts[i]...)
		if !m.gone[i] {
			out = append(out, c)
		}
	}
	return append(out, m.texts[len(m.raw)]...)
}

// check compares a Rewriter with the model.
func (m *model) check(t *testing.T, r *Rewriter) {
	t.Helper()
	want := m.result()
	if got := r.AppendTo([]byte("x"))[1:]; !bytes.Equal(got, want) {
		t.Fatalf("wrote %q, want %q", got, want)
	}
	if r.Len() != len(want) {
		t.Fatalf("Len is %d, wrote %d", r.Len(), len(want))
	}
}

func TestRewriterForward(t *testing.T) {
	m := parse(t, invite)
	var r Rewriter
	if err := forward(&r, m); err != nil {
		t.Fatal(err)
	}
	out := parse(t, r.AppendTo(nil))
	if got := string(out.RequestURI()); got != string(newURI) {
		t.Errorf("Request-URI %q", got)
	}
	var lines []string
	for i := range out.NumHeaders() {
		lines = append(lines, string(out.Bytes(out.Header(i).Line)))
	}
	want := []string{string(newRoute), string(newVia),
		"Via: SIP/2.0/TLS 192.0.2.15:5061;branch=z9hG4bK776a;received=192.0.2.99\r\n", "Max-Forwards: 69\r\n"}
	if len(lines) != m.NumHeaders()+2 || !slices.Equal(lines[:4], want) {
		t.Errorf("headers %q", lines)
	}
	if !bytes.Equal(out.Body(), m.Body()) {
		t.Error("the body has changed")
	}
}

func TestRewriterEdits(t *testing.T) {
	raw := "OPTIONS sip:a SIP/2.0\r\nA: 1\r\nB: 2\r\n 3\r\nC: 4\r\n\r\nbody"
	for _, tt := range []struct {
		what string
		edit func(m *Message, r *Rewriter)
		want string
	}{
		{"nothing", func(*Message, *Rewriter) {}, raw},
		{"headers", func(_ *Message, r *Rewriter) {
			r.Append([]byte("Z: 1\r\n"))
			r.Prepend([]byte("0: 1\r\n"))
			r.InsertAfter(1, []byte("B2: 1\r\n"))
			r.InsertBefore(1, []byte("A2: 1\r\n"))
			r.DeleteHeader(0)
		}, "OPTIONS sip:a SIP/2.0\r\n0: 1\r\nA2: 1\r\nB: 2\r\n 3\r\nB2: 1\r\nC: 4\r\nZ: 1\r\n\r\nbody"},
		{"calls at one offset", func(m *Message, r *Rewriter) {
			r.Append([]byte("X: 1\r\n"))
			r.Prepend([]byte("P: 1\r\n"))
			r.Append([]byte("Y: 1\r\n"))
			r.Prepend([]byte("Q: 1\r\n"))
		}, "OPTIONS sip:a SIP/2.0\r\nP: 1\r\nQ: 1\r\nA: 1\r\nB: 2\r\n 3\r\nC: 4\r\nX: 1\r\nY: 1\r\n\r\nbody"},
		{"overlaps", func(m *Message, r *Rewriter) {
			h := m.Header(1).Line
			r.Delete(h)
			r.Replace(Span{h.Off + 2, 4}, []byte("[in]"))
			r.Delete(Span{h.Off - 2, 4})
			r.Insert(h.Off+1, []byte("[one]"))
			r.Delete(h)
		}, "OPTIONS sip:a SIP/2.0\r\nA: 1[one][in]C: 4\r\n\r\nbody"},
		{"beyond the end", func(_ *Message, r *Rewriter) {
			r.Insert(math.MaxUint32, []byte("!"))
			r.Delete(Span{1000, math.MaxUint32})
			r.Replace(Span{uint32(len(raw) - 2), math.MaxUint32}, []byte("n"), []byte("d"))
		}, raw[:len(raw)-2] + "nd!"},
		{"numbers", func(m *Message, r *Rewriter) {
			r.ReplaceUint(m.Header(0).Value, 18446744073709551615)
			r.ReplaceUint(m.Header(2).Value, 0)
		}, "OPTIONS sip:a SIP/2.0\r\nA: 18446744073709551615\r\nB: 2\r\n 3\r\nC: 0\r\n\r\nbody"},
		{"everything", func(_ *Message, r *Rewriter) { r.Delete(Span{0, math.MaxUint32}) }, ""},
	} {
		m := parse(t, []byte(raw))
		var r Rewriter
		r.Reset(m)
		tt.edit(m, &r)
		if got := string(r.AppendTo(nil)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.what, got, tt.want)
		}
		if r.Len() != len(tt.want) {
			t.Errorf("%s: Len %d, want %d", tt.what, r.Len(), len(tt.want))
		}
	}
}

func TestRewriterDeleteValue(t *testing.T) {
	for _, tt := range []struct {
		line string
		nth  int
		want string
	}{
		{"Route: <sip:a>\r\n", 0, ""},
		{"Route: <sip:a>, <sip:b>\r\n", 0, "Route: <sip:b>\r\n"},
		{"Route: <sip:a>, <sip:b>\r\n", 1, "Route: <sip:a>\r\n"},
		{"Route: <sip:a>\r\n ,\r\n <sip:b;x=1,2> , <sip:c>\r\n", 1, "Route: <sip:a>\r\n ,\r\n <sip:c>\r\n"},
		{"Route: <sip:a>\r\n ,\r\n <sip:b>\r\n", 0, "Route: <sip:b>\r\n"},
		{"Route: <sip:a>\r\n ,\r\n <sip:b>\r\n", 1, "Route: <sip:a>\r\n"},
	} {
		m := parse(t, []byte("OPTIONS sip:a SIP/2.0\r\n"+tt.line+"\r\n"))
		it := m.Routes()
		var v Span
		for range tt.nth + 1 {
			v, _ = it.Next()
		}
		var r Rewriter
		r.Reset(m)
		r.DeleteValue(it.Header(), v)
		if got, want := string(r.AppendTo(nil)), "OPTIONS sip:a SIP/2.0\r\n"+tt.want+"\r\n"; got != want {
			t.Errorf("%q without value %d: %q, want %q", tt.line, tt.nth, got, want)
		}
	}
}

// The bytes that a Rewriter is given are its caller's again when the call is over.
// TestRewriterEmptyValue: what replaces the value of a header without one stands
// behind the colon, not behind the line.
func TestRewriterEmptyValue(t *testing.T) {
	for _, line := range []string{"Subject:", "Subject: \t", "Subject:\r\n "} {
		m := parse(t, message("MESSAGE sip:b SIP/2.0", line, "Content-Length: 0"))
		var r Rewriter
		r.Reset(m)
		r.Replace(m.Header(0).Value, []byte("new"))
		out := parse(t, r.AppendTo(nil))
		if got := string(out.Bytes(out.Header(0).Value)); got != "new" || out.NumHeaders() != 2 {
			t.Errorf("%q: %q in %q", line, got, out.Raw())
		}
	}
}

func TestRewriterCopies(t *testing.T) {
	m := parse(t, []byte(smallOptions))
	var r Rewriter
	r.Reset(m)
	text := []byte("X: 1\r\n")
	r.Append(text)
	copy(text, "!!!!!!")
	if !bytes.Contains(r.AppendTo(nil), []byte("X: 1")) {
		t.Error("the text changed behind the Rewriter's back")
	}
	r.Release()
	if len(r.AppendTo(nil)) != 0 || r.Len() != 0 {
		t.Error("something is left after Release")
	}
}

func TestRewriterRandom(t *testing.T) {
	m := parse(t, invite)
	r := rand.New(rand.NewPCG(3, 4))
	var w Rewriter
	for range 2000 {
		w.Reset(m)
		want := newModel(invite)
		for range r.IntN(12) {
			s := Span{uint32(r.IntN(len(invite) + 5)), uint32(r.IntN(40))}
			text := invite[:r.IntN(20)]
			switch r.IntN(3) {
			case 0:
				w.Replace(s, text[:len(text)/2], text[len(text)/2:])
				want.replace(s, text)
			case 1:
				w.Delete(s)
				want.replace(s, nil)
			case 2:
				w.Insert(s.Off, text)
				want.replace(Span{Off: s.Off}, text)
			}
		}
		want.check(t, &w)
	}
}

func TestRewriterAllocates(t *testing.T) {
	m := parse(t, invite)
	var r Rewriter
	out := make([]byte, 0, 2048)
	if avg := testing.AllocsPerRun(100, func() {
		m.done = 0
		if err := forward(&r, m); err != nil {
			t.Error(err)
		}
		out = r.AppendTo(out[:0])
	}); avg > 0 {
		t.Errorf("%v allocations", avg)
	}
}
