package proxy

import (
	"errors"
	"slices"
	"testing"
)

// TestAddPath writes Path on top of those that are there.
func TestAddPath(t *testing.T) {
	const same, udp = "sip:bob@203.0.113.9:5061;transport=tls", "sip:bob@203.0.113.9"
	for _, tc := range []struct {
		uri    string
		p      Path
		before string
		want   []string
	}{
		{same, Path{}, "", []string{"<sip:192.0.2.1:5061;transport=tls;lr>"}},
		{same, Path{User: []byte("lb")}, "+Path: <sip:p2;lr>", []string{"<sip:lb@192.0.2.1:5061;transport=tls;lr>", "<sip:p2;lr>"}},
		{same, Path{Received: true}, "", []string{"<sip:192.0.2.1:5061;transport=tls;received=sip:198.51.100.7:40000%3Btransport%3Dtls;lr>"}},
		{udp, Path{}, "", []string{"<sip:192.0.2.1;r2=on;lr>", "<sip:192.0.2.1:5061;transport=tls;r2=on;lr>"}},
		{udp, Path{Single: true}, "", []string{"<sip:192.0.2.1;lr>"}},
	} {
		b := newBed(t, funcs{request: func(c *Context) {
			if err := c.AddPath(tc.p); err != nil {
				t.Error(err)
			}
			_ = c.Forward(nil)
		}})
		out := b.one(request("REGISTER", tc.uri, tc.before), overTLS)
		if got := headers(t, out.text, "Path"); !slices.Equal(got, tc.want) {
			t.Errorf("%+v: %q, want %q", tc.p, got, tc.want)
		}
	}
	b := newBed(t, funcs{request: func(c *Context) {
		if err := c.AddPath(Path{User: []byte("a@b")}); !errors.Is(err, ErrURI) {
			t.Error(err)
		}
	}})
	b.pass(invite(), overTLS)
}
