package drouting

import (
	"bytes"
	"strconv"

	"sipreactor/reactor/script"
)

// way is a hop as it is kept for a call that may have to take it later: what it needs
// is copied, so that it does not matter when tables are replaced meanwhile.
type way struct {
	partition, gateway, carrier, rule, match string
	uri, prefix, socket                      string
	gatewayAttrs, carrierAttrs, ruleAttrs    *string
}

// The fields of a way that is written into an AVP are separated by fieldEnd, which
// stands in none of them; absent is a field that is NULL.
const (
	fieldEnd = "\x1f"
	absent   = "\x1e"
)

// pack writes a way behind dst.
func (w *way) pack(dst []byte) []byte {
	for _, s := range [...]string{w.partition, w.gateway, w.carrier, w.rule, w.match, w.uri, w.prefix, w.socket} {
		dst = append(append(dst, s...), fieldEnd...)
	}
	for _, s := range [...]*string{w.gatewayAttrs, w.carrierAttrs, w.ruleAttrs} {
		if s == nil {
			dst = append(dst, absent...)
		} else {
			dst = append(dst, *s...)
		}
		dst = append(dst, fieldEnd...)
	}
	return dst
}

// unpack reads what pack has written.
func (w *way) unpack(b []byte) bool {
	fields := bytes.Split(b, []byte(fieldEnd))
	if len(fields) != 12 {
		return false
	}
	for i, to := range [...]*string{&w.partition, &w.gateway, &w.carrier, &w.rule, &w.match, &w.uri, &w.prefix, &w.socket} {
		*to = string(fields[i])
	}
	for i, to := range [...]**string{&w.gatewayAttrs, &w.carrierAttrs, &w.ruleAttrs} {
		if s := string(fields[8+i]); s != absent {
			*to = &s
		}
	}
	return true
}

// wayOf makes a way of a hop for a number. ok is false for a number that is shorter
// than what the gateway strips.
func (p *partition) wayOf(t *Table, h *hop, number []byte) (w way, ok bool) {
	g := h.gateway
	if g.Row.Strip > len(number) {
		return way{}, false
	}
	w = way{partition: p.name, gateway: g.Row.ID, prefix: g.Row.Prefix, socket: g.socket.String(), gatewayAttrs: g.Row.Attrs}
	uri := make([]byte, 0, 64)
	uri = append(append(append(uri, "sip:"...), g.Row.Prefix...), number[g.Row.Strip:]...)
	if len(uri) > len("sip:") {
		uri = append(uri, '@')
	}
	w.uri = string(append(uri, g.behind...))
	if h.carrier != nil {
		w.carrier, w.carrierAttrs = h.carrier.Row.ID, h.carrier.Row.Attrs
	}
	if h.rule != nil {
		w.rule, w.match, w.ruleAttrs = strconv.FormatInt(h.rule.id, 10), string(number[:min(h.prefix, len(number))]), t.attrs[h.rule.attrs]
	}
	return w, true
}

// outputs are the variables that a call of a function has for what was found; each
// may be nil.
type outputs struct{ rule, gateway, carrier script.Setter }

func put(x *script.Machine, set script.Setter, s *string) {
	if set == nil {
		return
	}
	if s == nil {
		set(x, script.Value{})
		return
	}
	set(x, script.Text(x.KeepString(*s)))
}

// take has the request take a way.
func (m *module) take(x *script.Machine, w *way, out outputs, at *script.Site) int {
	c := x.Context()
	if err := c.SetRequestURI([]byte(w.uri)); err != nil {
		return x.Fail(at, "the Request-URI to gateway "+w.gateway+": "+err.Error())
	}
	if p := m.find([]byte(w.partition)); p != nil && w.socket != "" {
		if g := p.get().Gateway(w.gateway); g != nil {
			if s := g.socket.Of(c); s != nil {
				c.SetSendSocket(s)
			}
		}
	}
	m.tracker.Follow(m.tm)
	m.avps.now.Set(x, script.Text(x.Keep(w.pack(nil))))
	for i, s := range map[int]string{gatewayAVP: w.gateway, prefixAVP: w.prefix, ruleAVP: w.rule, matchAVP: w.match, carrierAVP: w.carrier} {
		a := m.avps.list[i]
		switch {
		case a == nil:
		case s == "" && i != prefixAVP && (i != matchAVP || w.rule == ""):
			a.Clear(x)
		default:
			a.Set(x, script.Text(x.KeepString(s)))
		}
	}
	put(x, out.rule, w.ruleAttrs)
	put(x, out.gateway, w.gatewayAttrs)
	put(x, out.carrier, w.carrierAttrs)
	return 1
}

// leave keeps the ways that are left for use_next_gw.
func (m *module) leave(x *script.Machine, ways []way) {
	m.avps.hops.Clear(x)
	uris, sockets := m.avps.list[ruriAVP], m.avps.list[socketAVP]
	uris.Clear(x)
	sockets.Clear(x)
	for i := range ways {
		w := &ways[i]
		if !m.avps.hops.Append(x, script.Text(x.Keep(w.pack(nil)))) {
			return
		}
		uris.Append(x, script.Text(x.KeepString(w.uri)))
		sockets.Append(x, script.Text(x.KeepString(w.socket)))
	}
}

// next takes the first of the ways that are left out and gives it. ok is false when
// there is none.
func (m *module) next(x *script.Machine) (w way, ok bool) {
	for m.avps.hops.Len(x) > 0 {
		b := x.Text(m.avps.hops.Get(x, 0))
		m.avps.hops.RemoveFirst(x)
		m.avps.list[ruriAVP].RemoveFirst(x)
		m.avps.list[socketAVP].RemoveFirst(x)
		if w.unpack(b) && m.open(&w) {
			return w, true
		}
	}
	return way{}, false
}

// open tells whether a way that was found earlier gets calls still.
func (m *module) open(w *way) bool {
	p := m.find([]byte(w.partition))
	if p == nil {
		return false
	}
	t := p.get()
	if g := t.Gateway(w.gateway); g != nil && !g.active() {
		return false
	}
	c := t.Carrier(w.carrier)
	return c == nil || c.Enabled()
}

// taken gives the partition and the gateway of the way that the request has taken
// last, nil if there is none.
func (m *module) taken(x *script.Machine) (*partition, *Gateway) {
	var w way
	if m.avps.now.Len(x) == 0 || !w.unpack(x.Text(m.avps.now.Get(x, 0))) {
		return nil, nil
	}
	p := m.find([]byte(w.partition))
	if p == nil {
		return nil, nil
	}
	return p, p.get().Gateway(w.gateway)
}
