package topology_hiding

import (
	"bytes"
	"strings"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

// A request may name another call: by Replaces (RFC 3891), Join (RFC 3911) or Target-Dialog (RFC 4538), and in a Refer-To by a
// Replaces that whoever is referred is to send. Where the parties of that call know it by different Call-IDs (flag C), the
// request leaves with the one that its receiver knows, of the call that is meant.

// naming are the headers that name a call of whoever gets them, with the parameters that are the tags of the other party and
// of the receiver.
var naming = []struct {
	header   []byte
	from, to string
}{{[]byte("Replaces"), "from-tag", "to-tag"}, {[]byte("Join"), "from-tag", "to-tag"}, {[]byte("Target-Dialog"), "local-tag", "remote-tag"}}

// nameCalls does that for the request at hand, which goes one way. What cannot be read, or names no call of ours, stays.
func (m *module) nameCalls(c *proxy.Context, dir core.Direction) {
	if m.dialog == nil || m.dialog.Dialogs() == nil {
		return
	}
	for _, n := range naming {
		for i := c.Msg.FindName(n.header); i >= 0; i = c.Msg.FindNameNext(n.header, i) {
			value := c.Msg.Header(i).Value
			text := c.Msg.Bytes(value)
			id := callIDIn(text)
			d, way := m.callNamed(text, n.from, n.to)
			if known := knownAs(d, way); known != "" && known != string(id) {
				_ = c.Replace(sipframe.Span{Off: value.Off, Len: uint32(len(id))}, []byte(known))
			}
		}
	}
	if i := c.Msg.Find(sipframe.HeaderReferTo); i >= 0 {
		m.referTo(c, c.Msg.Header(i).Value, dir)
	}
}

// callIDIn is the Call-ID that a value begins with.
func callIDIn(value []byte) []byte {
	id, _, _ := bytes.Cut(value, []byte{';'})
	return bytes.TrimRight(id, " \t\r\n")
}

// callNamed finds the call that a value names, as either side knows it, and which way a request with its tags goes.
func (m *module) callNamed(value []byte, from, to string) (*core.Dialog, core.Direction) {
	id := callIDIn(value)
	f, _ := sipframe.FindParam(value[len(id):], from)
	t, _ := sipframe.FindParam(value[len(id):], to)
	d, dir := m.dialog.Dialogs().ByTags(id, f, t)
	if raw, ok := m.callIDs.decode(id); d == nil && ok {
		d, dir = m.dialog.Dialogs().ByTags(raw, f, t)
	}
	return d, dir
}

// knownAs is the Call-ID of a call as the receiver of its requests of one direction knows it; "" where both parties know the
// same one.
func knownAs(d *core.Dialog, dir core.Direction) string {
	if d == nil {
		return ""
	}
	v, ok := d.Get(dialog.CalleeCallID)
	switch {
	case !ok:
		return ""
	case dir == core.Downstream:
		return v.Text
	default:
		return d.CallID
	}
}

// referTo has the Replaces within a Refer-To name its call as the side knows it that is referred.
func (m *module) referTo(c *proxy.Context, value sipframe.Span, dir core.Direction) {
	text := c.Msg.Bytes(value)
	var a sipframe.NameAddr
	var u sipframe.URI
	if sipframe.ParseNameAddr(text, &a) != nil || sipframe.ParseURI(a.URI.In(text), &u) != nil {
		return
	}
	off := a.URI.Off + u.Headers.Off
	for header := range bytes.SplitSeq(u.Headers.In(a.URI.In(text)), []byte{'&'}) {
		name, escaped, _ := bytes.Cut(header, []byte{'='})
		begin := off + uint32(len(name)) + 1
		off += uint32(len(header)) + 1
		if !strings.EqualFold(string(name), "Replaces") {
			continue
		}
		what := sipframe.UnescapeURI(nil, escaped)
		id := callIDIn(what)
		d, _ := m.callNamed(what, "from-tag", "to-tag")
		if known := knownAs(d, dir); known != "" && known != string(id) {
			named := escapeHeader(append([]byte(known), what[len(id):]...))
			_ = c.Replace(sipframe.Span{Off: value.Off + begin, Len: uint32(len(escaped))}, named)
		}
	}
}

// escapeHeader writes a header's value as a URI has it.
func escapeHeader(value []byte) (out []byte) {
	const plain, hex = "-_.!~*'()", "0123456789ABCDEF"
	for _, b := range value {
		switch {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', strings.IndexByte(plain, b) >= 0:
			out = append(out, b)
		default:
			out = append(out, '%', hex[b>>4], hex[b&15])
		}
	}
	return out
}
