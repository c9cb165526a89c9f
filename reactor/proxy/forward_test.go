package proxy

import (
	"context"
	"net/netip"
	"strings"
	"testing"
)

func (noNames) Lookup(context.Context, Query) ([]netip.AddrPort, error) { return nil, ErrUnresolved }

func TestForward(t *testing.T) {
	b := newBed(t, funcs{})
	s := b.one(invite(), overTLS)
	t.Log(s.text, s.to)
	vias := headers(t, s.text, "Via")
	if len(vias) != 2 || !strings.HasPrefix(vias[0], "SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bK") {
		t.Errorf("Vias %q", vias)
	}
	r := b.one(answer(t, s.text, "200 OK"), fromUAS)
	t.Log(r.text, r.to)
}
