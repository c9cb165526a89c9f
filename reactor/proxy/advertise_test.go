package proxy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// The Router has a request name us otherwise; its response comes back, and the
// next request is as before.
func TestAdvertisedByRouter(t *testing.T) {
	for _, tc := range []struct {
		host string
		port uint16
		via  string
		rr   string
	}{
		{"edge.example.org", 0, "edge.example.org:5061", "<sip:edge.example.org:5061;transport=tls;lr>"},
		{"edge.example.org", 5099, "edge.example.org:5099", "<sip:edge.example.org:5099;transport=tls;lr>"},
		{"", 5099, "192.0.2.1:5099", "<sip:192.0.2.1:5099;transport=tls;lr>"},
		{"2001:db8::7", 0, "[2001:db8::7]:5061", "<sip:[2001:db8::7]:5061;transport=tls;lr>"},
		{"[2001:db8::7]", 5060, "[2001:db8::7]:5060", "<sip:[2001:db8::7];transport=tls;lr>"},
		{"", 0, "192.0.2.1:5061", "<sip:192.0.2.1:5061;transport=tls;lr>"},
	} {
		first := true
		b := newBed(t, funcs{request: func(c *Context) {
			if first {
				if err := c.SetAdvertisedHost([]byte(tc.host)); err != nil {
					t.Error(err)
				}
				c.SetAdvertisedPort(tc.port)
			}
			first = false
			_ = c.RecordRoute(nil)
			_ = c.Forward(nil)
		}})
		s := b.one(invite(), overTLS)
		if via := headers(t, s.text, "Via")[0]; !strings.HasPrefix(via, "SIP/2.0/TLS "+tc.via+";") {
			t.Errorf("Via %q, want %s", via, tc.via)
		}
		if got := header(t, s.text, "Record-Route"); got != tc.rr {
			t.Errorf("Record-Route %q, want %s", got, tc.rr)
		}
		if r := b.pass(answer(t, s.text, "200 OK"), fromUAS); len(r) != 1 {
			t.Errorf("%s:%d: the response did not come back", tc.host, tc.port)
		}
		s = b.one(invite(), overTLS)
		if via := headers(t, s.text, "Via")[0]; !strings.HasPrefix(via, "SIP/2.0/TLS 192.0.2.1:5061;") {
			t.Errorf("the next request: Via %q", via)
		}
	}
}

// What is no host is refused, and of hosts there is a bound.
func TestAdvertisedBounds(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) {
		for _, host := range []string{"a b", "a;b", "a\r\nX: y", "a>", "host:5060"} {
			if err := c.SetAdvertisedHost([]byte(host)); !errors.Is(err, ErrURI) {
				t.Errorf("%q: %v", host, err)
			}
		}
		var err error
		for i := range maxClaims + 1 {
			err = c.SetAdvertisedHost(fmt.Appendf(nil, "h%d.example", i))
		}
		if !errors.Is(err, ErrClaims) {
			t.Errorf("one too many: %v", err)
		}
		if err := c.SetAdvertisedHost([]byte("H7.example")); err != nil {
			t.Errorf("a known one: %v", err)
		}
	}})
	b.pass(invite(), overTLS)
}

// The Router writes who we are in Record-Route.
func TestRecordRoutePreset(t *testing.T) {
	for _, tc := range []struct {
		out, in string
		want    []string
	}{
		{"1.2.3.4:5090", "", []string{"<sip:1.2.3.4:5090;lr;a=1>"}},
		{"1.2.3.4:5090;transport=tls", "10.0.0.1", []string{"<sip:1.2.3.4:5090;transport=tls;r2=on;lr;a=1>", "<sip:10.0.0.1;r2=on;lr;a=1>"}},
		{"a b", "", nil}, {"a>\r\nX: y", "", nil}, {"", "", nil}, {"1.2.3.4", "<", nil},
	} {
		b := newBed(t, funcs{request: func(c *Context) {
			_ = c.AddRRParam([]byte(";a=1"))
			if err := c.RecordRoutePreset([]byte(tc.out), []byte(tc.in)); (err != nil) != (tc.want == nil) {
				t.Errorf("%q, %q: %v", tc.out, tc.in, err)
			}
			_ = c.Forward(nil)
		}})
		s := b.one(invite(), overTLS)
		if got := headers(t, s.text, "Record-Route"); !slices.Equal(got, tc.want) {
			t.Errorf("Record-Route\n got %q\nwant %q", got, tc.want)
		}
	}
}
