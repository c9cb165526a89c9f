package sipframe

import "testing"

// FuzzParse gives any bytes to everything that reads a message. Nothing may
// panic; the lines make up the message; spans lie inside what they belong to.
func FuzzParse(f *testing.F) {
	for _, s := range streams {
		f.Add([]byte(s))
	}
	f.Add(but("Via: SIP / 2.0 / UDP [::1]:5 ;\r\n x=\"\\\"\", SIP/2.0/TLS b (c, d)", "+Route: \"a,b\" <sip:c;lr>;x, <sip:d>",
		"+Proxy-Require: a, b", "From: \"q\\\"\" <tel:+1>;x=\"y;z\";tag=1"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var m Message
		var v Verdict
		err := m.Parse(raw)
		m.Validate(&v)
		if (err != nil) != (m.Defect() != nil) || err != nil && v.Code == 0 {
			t.Fatalf("%v, defect %v, verdict %d", err, m.Defect(), v.Code)
		}
		if err == nil {
			at := m.HeadersOffset()
			for i := range m.NumHeaders() {
				h := m.Header(i)
				if h.Line.Off != at {
					t.Fatalf("header %d at %d, want %d", i, h.Line.Off, at)
				}
				at = h.Line.End()
			}
			if at != m.HeadersEnd() {
				t.Fatalf("headers end at %d, want %d", m.HeadersEnd(), at)
			}
		}
		for i := range m.NumHeaders() {
			h := m.Header(i)
			inside(t, h.Line, h.Name, "Name")
			inside(t, h.Line, h.Value, "Value")
			readValue(t, m.Bytes(h.Value))
		}
		for kind := range numHeaderKinds {
			it := m.Values(kind)
			for s, ok := it.Next(); ok; s, ok = it.Next() {
				inside(t, m.Header(it.Header()).Value, s, "a value")
			}
		}
	})
}

// readValue reads bytes as each of the things they could be.
func readValue(t *testing.T, b []byte) {
	whole := Span{0, uint32(len(b))}
	var via Via
	if ParseVia(b, &via) == nil && via.Host.Len == 0 {
		t.Fatalf("a Via without host in %q", b)
	}
	for _, s := range []Span{via.Transport, via.Host, via.SentBy, via.Params, via.Branch, via.Received, via.RPort, via.RPortValue} {
		if via.Host.Len > 0 && s.Len > 0 {
			inside(t, via.Span, s, "a part of Via")
		}
	}
	inside(t, whole, via.Span, "Via")
	var a NameAddr
	if ParseNameAddr(b, &a) == nil && !a.Star && a.URI.Len == 0 {
		t.Fatalf("an address without URI in %q", b)
	}
	for _, s := range []Span{a.Display, a.URI, a.Params, a.Tag} {
		if s.Len > 0 {
			inside(t, a.Span, s, "a part of an address")
		}
	}
	var u URI
	if ParseURI(b, &u) == nil && !EqualURI(b, b) {
		t.Fatalf("%q does not equal itself", b)
	}
	for _, s := range []Span{u.SchemeName, u.User, u.Password, u.Host, u.HostPort, u.Params, u.Headers, u.Opaque} {
		inside(t, whole, s, "a part of a URI")
	}
	it := Params(b)
	for p, ok := it.Next(); ok; p, ok = it.Next() {
		inside(t, whole, p.Span, "a parameter")
	}
	if q := Unquote(b, nil); len(q) > len(b) {
		t.Fatalf("%q is %q without quotes", b, q)
	}
}

func inside(t *testing.T, outer, inner Span, what string) {
	t.Helper()
	if inner.Len > 0 && (inner.Off < outer.Off || uint64(inner.Off)+uint64(inner.Len) > uint64(outer.Off)+uint64(outer.Len)) {
		t.Fatalf("%s %v is not inside %v", what, inner, outer)
	}
}
