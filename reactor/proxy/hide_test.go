package proxy

import (
	"errors"
	"strings"
	"testing"

	"sipreactor/sipframe"
)

// TestHideTopology: nothing of the way here is left, not even what the Router has changed in it, and our Contact is that of
// the listener that the request leaves by.
func TestHideTopology(t *testing.T) {
	var stands, trail string
	b := newBed(t, funcs{request: func(c *Context) {
		a, err := c.Msg.Contact()
		if err != nil {
			t.Fatal(err)
		}
		var u sipframe.URI
		if err := sipframe.ParseURI(c.Msg.Bytes(a.URI), &u); err != nil {
			t.Fatal(err)
		}
		if err := c.Replace(sipframe.Span{Off: a.URI.Off + u.HostPort.Off, Len: u.HostPort.Len}, []byte("10.9.9.9:4000")); err != nil {
			t.Fatal(err)
		}
		stands = string(c.AppendChanged(nil, a.URI))
		trail = string(c.AppendTrail(nil))
		_ = c.RecordRoute(nil)
		for _, own := range []OwnContact{{User: []byte("a@b")}, {URIParams: []byte("x=1")}, {URIParams: []byte(";x=\r\n")}, {Params: []byte(";a\r\nB: c")}} {
			if err := c.HideTopology(&own); !errors.Is(err, ErrURI) {
				t.Errorf("%+v: %v", own, err)
			}
		}
		if err := c.HideTopology(&OwnContact{User: []byte("u"), URIParams: []byte(";did=1"), Params: []byte(";q=1")}); err != nil {
			t.Error(err)
		}
		_ = c.Forward(nil)
	}})
	s := b.one(request("ACK", target, "+Via: SIP/2.0/UDP 10.1.1.1;branch=z9hG4bK-inner", "+Record-Route: <sip:10.1.1.1;lr>", "Contact: <sip:inner@10.0.0.9:5;ob>;x"), overTLS)
	if strings.Contains(s.text, "10.") || strings.Contains(s.text, "inner") || strings.Contains(s.text, ":4000") || len(headers(t, s.text, "Via")) != 1 || len(headers(t, s.text, "Record-Route")) != 0 {
		t.Errorf("sent:\n%s", s.text)
	}
	if got := headers(t, s.text, "Contact"); len(got) != 1 || got[0] != "<sip:u@192.0.2.1:5061;transport=tls;did=1>;q=1" {
		t.Errorf("Contact: %q", got)
	}
	if stands != "sip:inner@10.9.9.9:4000;ob" {
		t.Errorf("the Contact stands as %s", stands)
	}
	if !strings.Contains(trail, "Via: SIP/2.0/UDP 10.1.1.1;branch=z9hG4bK-inner\r\nRecord-Route: <sip:10.1.1.1;lr>\r\n") {
		t.Errorf("the trail is %q", trail)
	}
}

// TestHideTopologyStateless: without a transaction no response would find back.
func TestHideTopologyStateless(t *testing.T) {
	var got error
	b := newBed(t, funcs{request: func(c *Context) {
		_ = c.HideTopology(new(OwnContact))
		got = c.Forward(nil)
	}})
	b.pass(request("INVITE", target), overTLS)
	if !errors.Is(got, ErrStateless) {
		t.Error(got)
	}
}
