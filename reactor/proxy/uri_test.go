package proxy

import (
	"errors"
	"testing"
)

func TestChangeURI(t *testing.T) {
	const full = "sip:bob:secret@example.com:5070;transport=tls;user=phone?subject=x"
	for _, tc := range []struct {
		name, from, want string
		f                func(c *Context) error
	}{
		{"whole", full, "sips:carol@203.0.113.1", func(c *Context) error { return c.SetRequestURI([]byte("sips:carol@203.0.113.1")) }},
		{"user", full, "sip:carol:secret@example.com:5070;transport=tls;user=phone?subject=x",
			func(c *Context) error { return c.SetUser([]byte("carol")) }},
		{"no user", full, "sip:example.com:5070;transport=tls;user=phone?subject=x",
			func(c *Context) error { return c.SetUser(nil) }},
		{"a user where none was", "sip:example.com", "sip:carol@example.com",
			func(c *Context) error { return c.SetUser([]byte("carol")) }},
		{"host", full, "sip:bob:secret@[2001:db8::1]:5070;transport=tls;user=phone?subject=x",
			func(c *Context) error { return c.SetHost([]byte("[2001:db8::1]")) }},
		{"host and port", full, "sip:bob:secret@a.b:1;transport=tls;user=phone?subject=x",
			func(c *Context) error { return c.SetHostPort([]byte("a.b:1")) }},
		{"host without port", full, "sip:bob:secret@a.b;transport=tls;user=phone?subject=x",
			func(c *Context) error { return c.SetHostPort([]byte("a.b")) }},
		{"port", full, "sip:bob:secret@example.com:99;transport=tls;user=phone?subject=x",
			func(c *Context) error { return c.SetPort(99) }},
		{"no port", full, "sip:bob:secret@example.com;transport=tls;user=phone?subject=x",
			func(c *Context) error { return c.SetPort(0) }},
		{"parameter", full, "sip:bob:secret@example.com:5070;user=phone;Transport=tcp?subject=x",
			func(c *Context) error { return c.SetURIParam([]byte("Transport"), []byte("tcp")) }},
		{"parameter without value", "sip:a", "sip:a;lr", func(c *Context) error { return c.SetURIParam([]byte("lr"), nil) }},
		{"no parameter", full, "sip:bob:secret@example.com:5070;transport=tls?subject=x",
			func(c *Context) error { return c.RemoveURIParam([]byte("USER")) }},
		{"several changes", "sip:bob@example.com", "sip:dave@b.example;x=1", func(c *Context) error {
			return errors.Join(c.SetUser([]byte("carol")), c.SetHost([]byte("b.example")), c.SetUser([]byte("dave")),
				c.SetURIParam([]byte("x"), []byte("1")))
		}},
		{"from its own parts", "sip:bob@example.com", "sip:example.com@example.com", func(c *Context) error {
			_ = c.SetUser([]byte("x"))
			return c.SetUser(c.RequestURI()[len("sip:x@"):])
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBed(t, funcs{request: func(c *Context) {
				_ = c.SetRequestURI([]byte(tc.from))
				if err := tc.f(c); err != nil {
					t.Error(err)
				}
				if got := string(c.RequestURI()); got != tc.want {
					t.Errorf("got %s, want %s", got, tc.want)
				}
				_ = c.Forward([]byte("tls:203.0.113.9"))
			}})
			s := b.one(invite(), overTLS)
			if got, want := firstLine(s.text), "INVITE "+tc.want+" SIP/2.0"; got != want {
				t.Errorf("sent %s", got)
			}
		})
	}
}

// Nothing that would end the Request-Line, or a URI in <>, gets into a URI.
func TestChangeURIRefused(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) {
		before := string(c.RequestURI())
		for _, bad := range []string{"", "sip:", ":x", "bob", "sip:a b", "sip:a\r\nX: y", "sip:a>", "sip:\"a\"", "sip:a\x00", "sip:a\x7f"} {
			if err := c.SetRequestURI([]byte(bad)); !errors.Is(err, ErrURI) {
				t.Errorf("Request-URI %q: %v", bad, err)
			}
			if bad != "" && !errors.Is(c.SetDestURI([]byte(bad)), ErrURI) {
				t.Errorf("destination %q", bad)
			}
		}
		for _, bad := range []string{"a b", "a@b", "a\r\n", "a>"} {
			if c.SetUser([]byte(bad)) == nil || c.SetHost([]byte(bad)) == nil || c.SetHostPort([]byte(bad)) == nil ||
				c.SetURIParam([]byte(bad), nil) == nil || c.SetURIParam([]byte("x"), []byte(bad)) == nil {
				t.Errorf("%q is accepted", bad)
			}
		}
		if c.SetHost(nil) == nil || c.SetHostPort([]byte("a:0")) == nil || c.SetHost([]byte("a;b")) == nil {
			t.Error("a host that is none is accepted")
		}
		if got := string(c.RequestURI()); got != before {
			t.Errorf("changed to %s", got)
		}
	}})
	b.pass(invite(), overTLS)
	// A URI without a host has no parts to change.
	b = newBed(t, funcs{request: func(c *Context) {
		if c.SetUser([]byte("x")) == nil || c.SetHost([]byte("x")) == nil {
			t.Error("a tel URI has a host")
		}
	}})
	b.pass(request("INVITE", "tel:+4930123456"), overTLS)
}

func TestDestURI(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) {
		if c.DestURI() != nil {
			t.Error("there is one")
		}
		_ = c.SetDestURI([]byte("sip:203.0.113.1"))
		if got := string(c.DestURI()); got != "sip:203.0.113.1" {
			t.Error(got)
		}
		_ = c.SetDestURI(nil)
		if c.DestURI() != nil {
			t.Error("still there")
		}
	}})
	b.pass(invite(), overTLS)
}
