package proxy

import (
	"errors"
	"testing"

	"sipreactor/sipframe"
)

// TestSetParty writes names and addresses into From and To.
func TestSetParty(t *testing.T) {
	for _, tc := range []struct{ came, display, uri, want string }{
		{"<sip:alice@example.com>;tag=a1", "", "sip:robin@gotham.org", "<sip:robin@gotham.org>;tag=a1"},
		{"sip:alice@example.com;tag=a1", "batman", "sip:alice@example.com", "batman <sip:alice@example.com>;tag=a1"},
		{`"A \"x\"" <sip:a@b;x=1> ; tag=a1;p`, `"Bat, man"`, "sip:b@c", `"Bat, man" <sip:b@c> ; tag=a1;p`},
		{"<sip:a@b>;tag=a1", `say "hi" \`, "sip:b@c", `"say \"hi\" \\" <sip:b@c>;tag=a1`},
		{"<sip:a@b>;tag=a1", `"open\"`, "sip:b@c", `"\"open\\\"" <sip:b@c>;tag=a1`},
		{"<sip:a@b>;tag=a1", "Two Words", "sip:b@c", "Two Words <sip:b@c>;tag=a1"},
	} {
		b := newBed(t, funcs{request: func(c *Context) {
			if err := c.SetParty(sipframe.HeaderFrom, Party{[]byte("first"), []byte("sip:first@x")}); err != nil {
				t.Error(err)
			}
			if err := c.SetParty(sipframe.HeaderFrom, Party{[]byte(tc.display), []byte(tc.uri)}); err != nil {
				t.Error(err)
			}
			if p, ok := c.PartyOf(sipframe.HeaderFrom); !ok || string(p.URI) != tc.uri {
				t.Errorf("it stands as %q", p)
			}
			_ = c.Forward(nil)
		}})
		if got := header(t, b.one(invite("From: "+tc.came), overTLS).text, "From"); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.came, got, tc.want)
		}
	}
	b := newBed(t, funcs{request: func(c *Context) {
		for _, bad := range []struct {
			p    Party
			want error
		}{{Party{nil, []byte("alice")}, ErrURI}, {Party{nil, []byte("sip:a>b")}, ErrURI}, {Party{[]byte("a\r\nb"), []byte("sip:a@b")}, ErrHeader}} {
			if err := c.SetParty(sipframe.HeaderTo, bad.p); !errors.Is(err, bad.want) {
				t.Errorf("%q: %v", bad.p, err)
			}
		}
		_ = c.Forward(nil)
	}})
	b.one(invite(), overTLS)
}

// TestSetCSeq changes the number, of a request and of its response, whose way back is found all the same.
func TestSetCSeq(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) {
		if n, ok := c.CSeq(); n != 7 || !ok {
			t.Error(n, ok)
		}
		_ = c.SetCSeq(8)
		if n, ok := c.CSeq(); n != 8 || !ok {
			t.Error(n, ok)
		}
		_ = c.Forward(nil)
	}, response: func(c *Context) { _ = c.SetCSeq(7) }})
	out := b.one(invite(), overTLS)
	if got := header(t, out.text, "CSeq"); got != "8 INVITE" {
		t.Error(got)
	}
	back := b.one(answer(t, out.text, "200 OK"), fromUAS)
	if got := header(t, back.text, "CSeq"); got != "7 INVITE" {
		t.Error(got)
	}
}
