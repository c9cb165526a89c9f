package mid_registrar

import (
	"bytes"
	"errors"
	"strconv"
	"time"

	"sipreactor/reactor/location"
	"sipreactor/reactor/modules/registrar"
	"sipreactor/reactor/modules/usrloc"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

// pendingKey is the key of a pending, the same for all configurations: transactions outlive theirs.
type pendingKey struct{}

// pending is a REGISTER that the main registrar is asked about. It belongs to its message, then to its transaction.
type pending struct {
	of       *module
	table    *usrloc.Place
	r        *registrar.Registration // its own
	flags    *registrar.SaveFlags
	last     bool // of mode 2: no contact is left
	outgoing int64
	extra    string // parameters of our URIs, with a ;
	to       string // URI of the address of record

	sent  []string // URIs of our Contacts: one a binding, in mode 2 one for all
	asked []int64  // and the seconds that were asked for; -1: none
	uri   string   // Request-URI
	hop   string   // "" by that
	done  bool     // a 2xx was dealt with
}

// happens writes the request for each branch, and does what the first 2xx says.
func (p *pending) happens(h *transaction.Happening) {
	switch h.What {
	case transaction.BranchOut:
		if err := p.write(h.Context, h.Leg); err != nil {
			p.of.unwritten.Add(1)
			p.of.env.Log.Warn("mid_registrar: the Contacts of a REGISTER are not ours", "error", err, "aor", string(p.r.AOR))
		}
	case transaction.ResponseOut:
		if h.Code >= 200 && h.Code < 300 && !p.done {
			p.done = true
			p.way(h.Leg)
			p.accepted(h.Context)
		}
	default:
	}
}

// write has the request in c name us in its Contacts. If it cannot, those of the phone stay.
func (p *pending) write(c *proxy.Context, leg *transaction.Leg) (err error) {
	p.uri, p.hop = string(leg.Set.URI()), string(leg.Set.DestURI())
	scheme, place, ok := c.OwnPlace(leg.Way())
	if !ok {
		return nil // nor does it leave
	}
	p.sent, p.asked = p.sent[:0], p.asked[:0]
	if c.Msg.Find(sipframe.HeaderRequire) >= 0 {
		line := p.of.foreign(c.Msg, p.flags)
		if len(line) > 0 {
			line = append(append([]byte("Require: "), line...), "\r\n"...)
		}
		_ = c.SetHeaders(sipframe.HeaderRequire, line)
	}
	switch {
	case p.r.Query:
		return nil
	case p.of.mode == byAOR:
		err = p.writeOne(c, scheme, place)
	case !p.r.All:
		err = p.writeAll(c, scheme, place)
	}
	if err == nil && len(p.r.Path()) > 0 {
		err = c.SetHeaders(sipframe.HeaderPath, nil)
	}
	return err
}

// way keeps how the branch was sent that the main registrar has accepted, for what it is sent later. Over TLS a name that
// was looked up is looked up again: its certificate names it.
func (p *pending) way(leg *transaction.Leg) {
	if to := leg.Target(); p.hop == "" && to.Addr.IsValid() && !to.Proto.Secure() {
		p.hop = to.Proto.String() + ":" + to.Addr.String()
	}
}

// writeOne writes the Contact of mode 2.
func (p *pending) writeOne(c *proxy.Context, scheme string, place []byte) error {
	expires := int64(0)
	for i := range p.r.Bindings {
		if left := p.r.Bindings[i].Expires - p.r.Now; left > 0 {
			expires = max(expires, left, p.outgoing)
		}
	}
	if p.last {
		expires = 0
	}
	uri := append(appendUser([]byte(scheme), p.r.AOR, p.of.at), '@')
	uri = append(append(uri, place...), p.extra...)
	p.sent, p.asked = append(p.sent, string(uri)), append(p.asked, expires)
	line := append(append([]byte("Contact: <"), uri...), ">;expires="...)
	line = append(strconv.AppendInt(line, expires, 10), "\r\n"...)
	return p.replace(c, line)
}

// writeAll writes those of the other modes.
func (p *pending) writeAll(c *proxy.Context, scheme string, place []byte) error {
	var lines []byte
	it := c.Msg.Values(sipframe.HeaderContact)
	for i := 0; i < len(p.r.Bindings); i++ {
		v, ok := it.Next()
		var a sipframe.NameAddr
		if !ok || c.Msg.NameAddr(v, &a) != nil {
			return errContacts
		}
		uri := p.ownURI(scheme, place, &p.r.Bindings[i])
		expires := p.r.Wanted[i]
		if left := p.r.Bindings[i].Expires - p.r.Now; p.of.mode == byContact && left > 0 {
			expires = max(left, p.outgoing)
		}
		p.sent, p.asked = append(p.sent, string(uri)), append(p.asked, expires)
		lines = append(append(append(lines, "Contact: <"...), uri...), '>')
		params := sipframe.Params(c.Msg.Bytes(a.Params))
		for q, ok := params.Next(); ok; q, ok = params.Next() {
			if !oneOf(q.Name, "expires", "reg-id") {
				lines = appendParam(lines, q)
			}
		}
		if expires >= 0 {
			lines = strconv.AppendInt(append(lines, ";expires="...), expires, 10)
		}
		lines = append(lines, "\r\n"...)
	}
	return p.replace(c, lines)
}

// errContacts is of Contacts that the script has changed behind mid_registrar_save().
var errContacts = errors.New("they are not those that were saved")

func (p *pending) replace(c *proxy.Context, lines []byte) error {
	if err := c.SetHeaders(sipframe.HeaderContact, lines); err != nil {
		return err
	}
	return c.SetHeaders(sipframe.HeaderExpires, nil)
}

// ownURI writes the URI of a contact as the main registrar gets it: its user and parameters, at our place, with its ID.
func (p *pending) ownURI(scheme string, place []byte, b *location.Binding) []byte {
	m := p.of
	out := []byte(scheme)
	var u sipframe.URI
	_ = sipframe.ParseURI(b.URI, &u) // it is one
	switch {
	case m.insertion == inUser:
		out = append(strconv.AppendUint(out, b.ID, 16), '@')
	case u.User.Len > 0:
		out = append(append(out, u.User.In(b.URI)...), '@')
	}
	out = append(out, place...)
	params := sipframe.Params(u.Params.In(b.URI))
	for q, ok := params.Next(); ok; q, ok = params.Next() {
		if !oneOf(q.Name, "transport", "maddr", "ob", "lr", "ttl", m.idParam) {
			out = appendParam(out, q)
		}
	}
	if m.insertion == inParam {
		out = strconv.AppendUint(append(append(append(out, ';'), m.idParam...), '='), b.ID, 16)
	}
	return append(out, p.extra...)
}

func oneOf(name []byte, list ...string) bool {
	for _, s := range list {
		if sipframe.EqualFold(name, s) {
			return true
		}
	}
	return false
}

func appendParam(dst []byte, p sipframe.Param) []byte {
	dst = append(append(dst, ';'), p.Name...)
	if p.Value != nil {
		dst = append(append(dst, '='), p.Value...)
	}
	return dst
}

// accepted does what the 2xx in c says, and has that tell the phone of its own contacts.
func (p *pending) accepted(c *proxy.Context) {
	r, m := p.r, p.of
	m.relayed.Add(1)
	p.begin(time.Now().Unix())
	if !r.Query && !r.All {
		p.grant(c)
	}
	if r.Query {
		m.core.List(p.table, r)
	} else if bad := p.store(c); bad != nil {
		m.env.Log.Warn("mid_registrar: the main registrar has a contact that is not kept here", "why", bad, "aor", string(r.AOR))
	}
	list := append([]byte(nil), r.Contacts()...)
	if m.mode == mirroring {
		list = p.appendOthers(list, c)
	}
	var line []byte
	if len(list) > 0 {
		line = append(append(append(line, "Contact: "...), list...), "\r\n"...)
	}
	_ = c.SetHeaders(sipframe.HeaderContact, line)
	_ = c.SetHeaders(sipframe.HeaderExpires, nil)
	if more := m.core.AppendAccepted(nil, r, p.flags); len(more) > 0 {
		_ = c.SetHeaders(sipframe.HeaderPath, nil) // that of the main registrar
		_ = c.AppendHeader(more)
	}
}

// begin has the phone's time begin with its answer (RFC 3261 10.3, step 8): the main registrar may have taken longer than
// that for its own.
func (p *pending) begin(now int64) {
	r := p.r
	for i := range r.Bindings {
		if b := &r.Bindings[i]; b.Expires > r.Now {
			b.Expires += now - r.Now
		}
	}
	r.Now = now
}

// store does what was accepted, and has it stored before the phone hears of it where usrloc does that. If too many wait
// for the database it is stored a little later.
func (p *pending) store(c *proxy.Context) *registrar.Refusal {
	bad, err := p.of.core.WriteStored(c, p.table, p.r)
	if errors.Is(err, usrloc.ErrBusy) {
		bad = p.of.core.Write(p.table, p.r)
	}
	return bad
}

// grant gives bindings the time that the 2xx in c says, and none to those that it does not have.
func (p *pending) grant(c *proxy.Context) {
	r, m := p.r, p.of
	bare := c.Msg.Find(sipframe.HeaderContact) < 0 // as no registrar should answer: then what was asked for is granted
	keep := r.Bindings[:0]
	for i := range r.Bindings {
		b := r.Bindings[i]
		k := i
		if m.mode == byAOR {
			k = 0
		}
		if k >= len(p.sent) {
			return // the request was not written: nothing can be said
		}
		if r.Wanted[i] == 0 {
			keep = append(keep, b) // it goes
			continue
		}
		left, ok := granted(c.Msg, p.sent[k])
		if bare {
			left, ok = p.asked[k], true
			if left < 0 {
				left = b.Expires - p.r.Now
			}
		}
		if !ok || left <= 0 {
			b.Expires = r.Now // it is not there: so it is not here
			keep = append(keep, b)
			continue
		}
		until := r.Now + left
		if m.mode == mirroring || until < b.Expires {
			b.Expires = until
		}
		state := kept{until: until, sent: p.sent[k], uri: p.uri, hop: p.hop, to: p.to}
		if m.mode != mirroring {
			b.Kept = state.text()
		}
		keep = append(keep, b)
	}
	r.Bindings = keep
	r.Reckon()
}

// granted finds our Contact in a 2xx, and how many seconds it is registered for.
func granted(msg *sipframe.Message, uri string) (int64, bool) {
	it := msg.Values(sipframe.HeaderContact)
	for v, ok := it.Next(); ok; v, ok = it.Next() {
		var a sipframe.NameAddr
		if msg.NameAddr(v, &a) != nil || a.Star || !sipframe.EqualURI([]byte(uri), msg.Bytes(a.URI)) {
			continue
		}
		text, has := sipframe.FindParam(msg.Bytes(a.Params), "expires")
		if !has {
			text = msg.Value(sipframe.HeaderExpires)
		}
		n, ok := sipframe.ParseUint(text, 1<<31-1)
		return int64(n), ok
	}
	return 0, false
}

// appendOthers appends the Contacts of a 2xx that are none of ours.
func (p *pending) appendOthers(dst []byte, c *proxy.Context) []byte {
	it := c.Msg.Values(sipframe.HeaderContact)
	for v, ok := it.Next(); ok; v, ok = it.Next() {
		var a sipframe.NameAddr
		if c.Msg.NameAddr(v, &a) != nil || a.Star || p.of.ours(c, c.Msg.Bytes(a.URI)) {
			continue
		}
		if len(dst) > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(dst, c.Msg.Bytes(v)...)
	}
	return dst
}

// ours reports whether a URI leads to us.
func (m *module) ours(c *proxy.Context, uri []byte) bool {
	var u sipframe.URI
	return sipframe.ParseURI(uri, &u) == nil && c.IsMyself(u.Host.In(uri), int(u.Port))
}

// appendUser appends an address of record as the user of a URI; at stands for its @.
func appendUser(dst, aor []byte, at string) []byte {
	for _, b := range aor {
		switch {
		case b == '@':
			dst = append(dst, at...)
		case bytes.IndexByte([]byte(alphanumeric+"-_.!~*'()&=+$,;?/"), b) >= 0:
			dst = append(dst, b)
		default:
			const hex = "0123456789ABCDEF"
			dst = append(dst, '%', hex[b>>4], hex[b&15])
		}
	}
	return dst
}
