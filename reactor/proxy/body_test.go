package proxy

import (
	"errors"
	"strings"
	"testing"

	"sipreactor/sipframe"
)

// rewritten runs the Router's changes over a request and gives what was sent.
func rewritten(t *testing.T, message string, change func(c *Context)) sent {
	t.Helper()
	b := newBed(t, funcs{request: func(c *Context) {
		change(c)
		_ = c.Forward(nil)
	}})
	return b.one(message, overTLS)
}

// SetBody puts a body in the place of what came, of what Replace made of it and
// of what it had put there itself.
func TestSetBody(t *testing.T) {
	message := strings.Replace(invite(), "Content-Length: 0\r\n\r\n", "Content-Type: text/plain\r\nContent-Length: 6\r\n\r\nabcdef", 1)
	for _, tc := range []struct {
		name      string
		change    func(c *Context)
		typ, body string
		length    string
	}{
		{"whole", func(c *Context) { _ = c.SetBody([]byte("a/b"), []byte("new body")) }, "a/b", "new body", "8"},
		{"twice", func(c *Context) {
			_ = c.SetBody([]byte("a/b"), []byte("first"))
			_ = c.SetBody(nil, append(c.Body(), "!"...))
		}, "a/b", "first!", "6"},
		{"behind Replace", func(c *Context) {
			_ = c.Replace(sipframe.Span{Off: c.Msg.BodyOffset() + 1, Len: 2}, []byte("XYZ"))
			_ = c.Replace(sipframe.Span{Off: c.Msg.BodyOffset() + 5, Len: 1}, nil)
			if got := string(c.Body()); got != "aXYZde" {
				t.Errorf("Body %q", got)
			}
			_ = c.SetBody(nil, append(c.Body(), '.'))
		}, "text/plain", "aXYZde.", "7"},
		{"none", func(c *Context) { _ = c.SetBody(nil, nil) }, "", "", "0"},
		{"the Router's own Content-Type", func(c *Context) {
			c.RemoveHeader([]byte("Content-Type"))
			_ = c.AppendHeader([]byte("Content-Type: own/type"))
			_ = c.SetBody([]byte("a/b"), []byte("x"))
		}, "own/type", "x", "1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := rewritten(t, message, tc.change)
			_, body, _ := strings.Cut(s.text, "\r\n\r\n")
			var typ string
			if all := headers(t, s.text, "Content-Type"); len(all) > 0 {
				typ = strings.Join(all, "|")
			}
			if body != tc.body || typ != tc.typ || header(t, s.text, "Content-Length") != tc.length {
				t.Errorf("%q of %q in\n%s", body, typ, s.text)
			}
		})
	}
	s := rewritten(t, invite(), func(c *Context) {
		if err := c.SetBody([]byte("a/b\r\nX: y"), []byte("x")); !errors.Is(err, ErrHeader) {
			t.Errorf("a type of two lines: %v", err)
		}
		_ = c.SetBody([]byte("a/b"), []byte("made"))
	})
	if !strings.HasSuffix(s.text, "\r\n\r\nmade") || header(t, s.text, "Content-Type") != "a/b" || header(t, s.text, "Content-Length") != "4" {
		t.Errorf("a body where none was:\n%s", s.text)
	}
}

// SetHeaderValue replaces a value again and again, and leaves alone what is the
// proxy's or was changed otherwise.
func TestSetHeaderValue(t *testing.T) {
	message := strings.Replace(invite(), "Call-ID", "Supported: a\r\nSupported: b\r\nCall-ID", 1)
	s := rewritten(t, message, func(c *Context) {
		i := c.Msg.Find(sipframe.HeaderSupported)
		_ = c.SetHeaderValue(i, nil)
		if c.HeaderValue(i) != nil {
			t.Errorf("taken out: %q", c.HeaderValue(i))
		}
		_ = c.SetHeaderValue(i, []byte("c"))
		_ = c.SetHeaderValue(i, append(c.HeaderValue(i), ", d"...))
		if got := string(c.HeaderValue(i)); got != "c, d" {
			t.Errorf("HeaderValue %q", got)
		}
		if err := c.SetHeaderValue(i, []byte("x\r\nEvil: 1")); !errors.Is(err, ErrHeader) {
			t.Errorf("two lines: %v", err)
		}
		for _, kind := range []sipframe.HeaderKind{sipframe.HeaderVia, sipframe.HeaderCallID, sipframe.HeaderContentLength} {
			if err := c.SetHeaderValue(c.Msg.Find(kind), []byte("x")); !errors.Is(err, ErrSpan) {
				t.Errorf("%v: %v", kind, err)
			}
		}
		second := c.Msg.FindNext(sipframe.HeaderSupported, i)
		_ = c.Replace(c.Msg.Header(second).Name, []byte("Sup"))
		if err := c.SetHeaderValue(second, []byte("x")); !errors.Is(err, ErrSpan) {
			t.Errorf("changed otherwise: %v", err)
		}
	})
	if got := headers(t, s.text, "Supported"); len(got) != 1 || got[0] != "c, d" {
		t.Errorf("%q in\n%s", got, s.text)
	}
}
