package sipframe

import (
	"slices"
	"testing"
)

// ops takes fuzzed bytes apart into numbers.
type ops []byte

func (o *ops) next(n int) int {
	if len(*o) == 0 || n <= 0 {
		return 0
	}
	c := (*o)[0]
	*o = (*o)[1:]
	return int(c) * 7 % n
}

// FuzzRewriter holds the Rewriter against a model that works byte by byte, and
// what it wrote against what was meant: edits of headers show in the headers of
// the outcome and nowhere else.
func FuzzRewriter(f *testing.F) {
	f.Add([]byte(smallMessage), []byte{})
	f.Add(invite, []byte("\x05\x01\x40\x03\x06\x02\x50\x10\x07\x00\x20\x08"))
	f.Add([]byte(streams[2][8:]), []byte("\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff"))
	f.Fuzz(func(t *testing.T, raw, edits []byte) {
		if len(raw) > 1<<12 || len(edits) > 256 {
			return
		}
		var m Message
		err := m.Parse(raw)
		rewriteBytes(t, &m, ops(edits))
		if err == nil {
			rewriteHeaders(t, &m, ops(edits))
		}
	})
}

func rewriteBytes(t *testing.T, m *Message, o ops) {
	var r Rewriter
	r.Reset(m)
	want := newModel(m.Raw())
	for len(o) > 0 {
		s := Span{uint32(o.next(256) * o.next(32)), uint32(o.next(64))}
		text := []byte("abcdefghijklmnopqrstuvwxyz")[:o.next(27)]
		switch o.next(4) {
		case 0:
			r.Replace(s, text)
			want.replace(s, text)
		case 1:
			r.Delete(s)
			want.replace(s, nil)
		case 2:
			r.Insert(s.Off, text)
			want.replace(Span{Off: s.Off}, text)
		case 3:
			r.ReplaceUint(s, 4294967296)
			want.replace(s, []byte("4294967296"))
		}
	}
	want.check(t, &r)
}

// rewriteHeaders edits each header at most once and expects the lines of the
// outcome to be those that were meant. Content-Length stays as it is.
func rewriteHeaders(t *testing.T, m *Message, o ops) {
	var r Rewriter
	r.Reset(m)
	var want []string
	add := func(name string) []byte {
		want = append(want, name+": new\r\n")
		return []byte(name + ": new\r\n")
	}
	if o.next(2) == 1 {
		r.Prepend(add("X-First"))
	}
	for i := range m.NumHeaders() {
		h := m.Header(i)
		line := string(m.Bytes(h.Line))
		switch o.next(5) {
		case 1:
			if h.Kind != HeaderContentLength {
				r.DeleteHeader(i)
				continue
			}
		case 2:
			r.InsertBefore(i, add("X-Before"))
		case 3:
			r.InsertAfter(i, []byte("X-After: new\r\n"))
			want = append(want, line, "X-After: new\r\n")
			continue
		case 4:
			if h.Kind != HeaderContentLength {
				r.Replace(h.Value, []byte("two "), []byte("parts"))
				at, end := h.Value.Off-h.Line.Off, h.Value.End()-h.Line.Off
				line = line[:at] + "two parts" + line[end:]
			}
		}
		want = append(want, line)
	}
	if o.next(2) == 1 {
		r.Append(add("X-Last"))
	}
	if len(want) > MaxHeaders {
		return
	}
	uri := m.RequestURISpan()
	r.Replace(uri, []byte("sip:new"))
	if !m.IsRequest() {
		r.Reset(m)
		want = want[:0]
		for i := range m.NumHeaders() {
			want = append(want, string(m.Bytes(m.Header(i).Line)))
		}
	}
	var out Message
	if err := out.Parse(r.AppendTo(nil)); err != nil {
		t.Fatalf("%v in %q", err, out.Raw())
	}
	var got []string
	for i := range out.NumHeaders() {
		got = append(got, string(out.Bytes(out.Header(i).Line)))
	}
	if !slices.Equal(got, want) {
		t.Fatalf("headers %q, want %q", got, want)
	}
	if m.IsRequest() && string(out.RequestURI()) != "sip:new" || string(out.Body()) != string(m.Body()) {
		t.Fatalf("Request-URI %q, body %q, want %q", out.RequestURI(), out.Body(), m.Body())
	}
}
