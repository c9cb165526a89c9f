package nat_traversal

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
)

func (m *module) setHeaders(v script.Literal) error {
	b, err := proxy.AppendHeaders(nil, []byte(v.Text))
	if err != nil {
		return errors.New(`is header lines: "Name: value\r\n"`)
	}
	m.headers = string(b)
	return nil
}

// patience is below the time of a first retransmission: an address gets one request, and has answered the NAT with whatever
// it sends, also later.
const patience = 400 * time.Millisecond

// send sends a request to a place.
func (m *module) send(t target) {
	from := m.from
	if from == "" {
		from = "sip:keepalive@" + hostOf(t.socket)
	}
	headers := m.headers
	if m.method == "NOTIFY" {
		headers = "Event: keep-alive\r\n" + headers
	}
	uri := t.uri()
	r := &transaction.Request{
		Method: m.method, URI: []byte(uri), From: fmt.Appendf(nil, "<%s>", from), To: fmt.Appendf(nil, "<%s>", uri), CSeq: 1, Headers: []byte(headers),
		NextHop: fmt.Appendf(nil, "%s:%s", t.proto, t.addr), Socket: t.socket, NoAnswer: patience,
	}
	if t.proto != reactor.UDP {
		r.Flow, r.FlowOnly = t.flow, true
		r.Done = func(o *transaction.Outcome) {
			if o.Local && o.Code == 503 {
				m.kept.gone(t.place, t.flow)
			}
		}
	}
	if _, err := m.tm.Layer().Originate(nil, r); err != nil {
		m.env.Log.Debug("nat_traversal: a keepalive cannot be sent", "to", uri, "error", err)
	}
}

// hostOf is the address that a listener sends from, as a URI has it.
func hostOf(s *reactor.Socket) string {
	switch {
	case s == nil:
		return "localhost"
	case s.Advertised != "":
		return s.Advertised
	case s.Addr.Addr().Is6():
		return "[" + s.Addr.Addr().String() + "]"
	default:
		return s.Addr.Addr().String()
	}
}

func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
