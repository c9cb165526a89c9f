package proxy

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"sipreactor/sipframe"
)

// headerNames gives the names of a message's headers in order.
func headerNames(t *testing.T, text string) (list []string) {
	m := parse(t, text)
	for i := range m.NumHeaders() {
		list = append(list, string(m.Bytes(m.Header(i).Name)))
	}
	return list
}

// changed forwards a request after f and gives what left.
func changed(t *testing.T, text string, f func(c *Context)) string {
	t.Helper()
	b := newBed(t, funcs{request: func(c *Context) { f(c); _ = c.Forward(nil) }})
	return b.one(text, overTLS).text
}

func TestAddHeaders(t *testing.T) {
	text := changed(t, invite(), func(c *Context) {
		for _, f := range []func([]byte) error{c.AppendHeader, c.InsertHeader} {
			if err := f([]byte("X-A: 1\r\nX-B: 2\r\n  folded\r\n")); err != nil {
				t.Error(err)
			}
		}
		if err := c.AppendHeaderAfter([]byte("f"), []byte("X-After: 1")); err != nil {
			t.Error(err)
		}
		if err := c.InsertHeaderBefore([]byte("TO"), []byte("X-Before: 1")); err != nil {
			t.Error(err)
		}
		_ = c.AppendHeaderAfter([]byte("No-Such"), []byte("X-Last: 1"))
		_ = c.InsertHeaderBefore([]byte("No-Such"), []byte("X-First: 1"))
	})
	want := []string{"X-A", "X-B", "X-First", "Via", "Via", "Max-Forwards", "From", "X-After", "X-Before", "To", "Call-ID", "CSeq",
		"Contact", "Content-Length", "X-A", "X-B", "X-Last"}
	if got := headerNames(t, text); !slices.Equal(got, want) {
		t.Errorf("headers\n got %q\nwant %q", got, want)
	}
}

// Text from a message that ends up in a header must not end the headers.
func TestHeadersRefused(t *testing.T) {
	changed(t, invite(), func(c *Context) {
		for _, bad := range []string{
			"", "\r\n", "X", "X\r\n", ": y", "X Y: z", "X: y\r\n\r\nINVITE sip:evil SIP/2.0", " X: y", "\x00X: y", "X\x00Y: y", "Content-Length: 99", "content-length : 99", "L:5", "X: y\r\nl: 9\r\n",
		} {
			for _, f := range []func([]byte) error{
				c.AppendHeader, c.InsertHeader,
				func(b []byte) error { return c.AppendHeaderAfter([]byte("From"), b) },
				func(b []byte) error { return c.InsertHeaderBefore([]byte("From"), b) },
			} {
				if err := f([]byte(bad)); !errors.Is(err, ErrHeader) {
					t.Errorf("%q: %v", bad, err)
				}
			}
		}
		if len(c.edits) != 0 {
			t.Error("something was noted")
		}
	})
}

// Line ends are repaired, control characters become spaces.
func TestHeadersRepaired(t *testing.T) {
	for text, want := range map[string]string{
		"X: y\r\n\r\n": "X: y\r\n", "X: y\nZ: w": "X: y\r\nZ: w\r\n", "X: y\rZ: w\r\n": "X: y Z: w\r\n", "X: y\r\r\n": "X: y\r\n",
		"X: \x00\x1b[0m\x7f\r\n": "X:   [0m \r\n", "X: y\r\n \r\n": "X: y\r\n", "X: a\r\n\tb": "X: a\r\n\tb\r\n", "\n\nX: y": "X: y\r\n",
		"X: \"\\\x07\\\x00\"": "X: \"\\\x07\\ \"\r\n",
	} {
		out := changed(t, invite(), func(c *Context) {
			if err := c.AppendHeader([]byte(text)); err != nil {
				t.Errorf("%q: %v", text, err)
			}
		})
		if !strings.Contains(out, "Content-Length: 0\r\n"+want+"\r\n") {
			t.Errorf("%q: sent %q", text, out)
		}
	}
}

func TestRemoveHeaders(t *testing.T) {
	text := invite("+Subject: a", "+X-One: 1", "+x-two: 2", "+s: b", "+X-One: 3\r\n folded", "+P-Hint: x")
	out := changed(t, text, func(c *Context) {
		for name, want := range map[string]int{"s": 2, "x-one": 2, "No-Such": 0, "Via": 0, "To": 0, "Content-Length": 0, "Max-Forwards": 0} {
			if got := c.RemoveHeader([]byte(name)); got != want {
				t.Errorf("%s: %d, want %d", name, got, want)
			}
		}
		if got := c.RemoveHeaderGlob([]byte("X-T*")); got != 1 {
			t.Errorf("glob: %d", got)
		}
		if got := c.RemoveHeaderGlob([]byte("P-[A-H]*")); got != 1 {
			t.Errorf("glob: %d", got)
		}
		if got := c.RemoveHeaderFunc(func(h *sipframe.Header) bool { return h.Kind == sipframe.HeaderContact }); got != 1 {
			t.Errorf("func: %d", got)
		}
		c.RemoveHeader([]byte("Contact"))
	})
	want := []string{"Via", "Via", "Max-Forwards", "From", "To", "Call-ID", "CSeq", "Content-Length"}
	if got := headerNames(t, out); !slices.Equal(got, want) {
		t.Errorf("headers %q, want %q", got, want)
	}
	// Everything goes that can.
	out = changed(t, text, func(c *Context) { c.RemoveHeaderGlob([]byte("*")) })
	if got := headerNames(t, out); !slices.Equal(got, want) {
		t.Errorf("headers %q, want %q", got, want)
	}
}

// spanOf gives the span of a text in the message.
func spanOf(c *Context, text string) sipframe.Span {
	i := strings.Index(string(c.Msg.Raw()), text)
	return sipframe.Span{Off: uint32(i), Len: uint32(len(text))}
}

func TestReplace(t *testing.T) {
	text := strings.Replace(invite("+Subject: old", "+Content-Type: application/sdp"), "Content-Length: 0\r\n\r\n",
		"Content-Length: 21\r\n\r\nc=IN IP4 10.0.0.1\r\n\r\n", 1)
	out := changed(t, text, func(c *Context) {
		if c.Replace(spanOf(c, "old"), []byte("new one")) != nil || c.Replace(spanOf(c, "10.0.0.1"), []byte("203.0.113.200")) != nil {
			t.Error("refused")
		}
		if !c.HasBody() {
			t.Error("no body")
		}
		for name, s := range map[string]sipframe.Span{
			"Request-Line":   spanOf(c, "sip:bob"),
			"Via":            spanOf(c, "z9hG4bKclient1"),
			"Max-Forwards":   spanOf(c, "70\r\n"),
			"Content-Length": spanOf(c, "21\r\n"),
			"changed before": spanOf(c, "ld\r\n"),
			"empty line":     spanOf(c, "\r\n\r\nc="),
			"the end":        {Off: uint32(len(c.Msg.Raw())) - 2, Len: 10},
		} {
			if err := c.Replace(s, []byte("x")); !errors.Is(err, ErrSpan) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	m := parse(t, out)
	if header(t, out, "Subject") != "new one" || header(t, out, "Content-Length") != "26" ||
		string(m.Body()) != "c=IN IP4 203.0.113.200\r\n\r\n" {
		t.Errorf("sent %s", out)
	}
}

// A Router that writes nonsense over headers sends nothing.
func TestReplaceThatBreaks(t *testing.T) {
	for _, bad := range []string{"\r\nContent-Length: 5", "\r\nno colon", "\r\nFrom: <sip:x@y>;tag=2"} {
		var err error
		b := newBed(t, funcs{request: func(c *Context) {
			_ = c.Replace(spanOf(c, "old"), []byte(bad))
			err = c.Forward(nil)
		}})
		s := b.one(invite("+Subject: old"), overTLS)
		if !errors.Is(err, ErrBroken) || !strings.HasPrefix(s.text, "SIP/2.0 503") {
			t.Errorf("%q: error %v, sent %s", bad, err, s.text)
		}
	}
}

// A replacement that takes a line end along, as a dot of a regular expression takes
// a CR, or that brings line ends of its own, ends no header elsewhere.
func TestReplaceRepairsLines(t *testing.T) {
	const before, behind = "Subject: old\r\n", "X-Next: 1\r\n"
	for _, tc := range []struct{ span, text, want string }{
		{"old\r", "new", "Subject: new\r\nX-Next: 1\r\n"},
		{"old\r\n", "new", "Subject: new\r\nX-Next: 1\r\n"},
		{"old\r\n", "", "Subject: \r\nX-Next: 1\r\n"},
		{before, "", "X-Next: 1\r\n"},
		{"Subject: old\r", "", "X-Next: 1\r\n"},
		{"Subject: old", "", "X-Next: 1\r\n"},
		{"old", "new\r\n\r\n", "Subject: new\r\nX-Next: 1\r\n"},
		{"old", "new\nX-Own: 2", "Subject: new\r\nX-Own: 2\r\nX-Next: 1\r\n"},
		{"old", "n\x00e\rw\x1b", "Subject: n e w \r\nX-Next: 1\r\n"},
		{"ld\r\nX-", "ne\r\nY-", "Subject: one\r\nY-Next: 1\r\n"},
		{"\r\nX-Next: ", ", ", "Subject: old, 1\r\n"},
	} {
		text := strings.Replace(invite("+Subject: old", "+X-Next: 1"), "Content-Length: 0\r\n\r\n", "Content-Length: 6\r\n\r\n\r\na\n\x00b", 1)
		out := changed(t, text, func(c *Context) {
			if err := c.Replace(spanOf(c, tc.span), []byte(tc.text)); err != nil {
				t.Errorf("%q: %v", tc.span, err)
			}
		})
		if !strings.Contains(out, tc.want+"Content-Length: 6\r\n\r\n\r\na\n\x00b") {
			t.Errorf("%q by %q: sent %q", tc.span, tc.text, out)
		}
	}
}

func TestHasBodyAndToTag(t *testing.T) {
	changed(t, invite(), func(c *Context) {
		if c.HasBody() || c.HasToTag() {
			t.Error("has")
		}
	})
	changed(t, invite(inside), func(c *Context) {
		if !c.HasToTag() {
			t.Error("has not")
		}
	})
}
