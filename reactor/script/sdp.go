package script

import (
	"bytes"

	"sipreactor/sipframe"
)

// The texts of an SDP body (RFC 8866) are found in place: nothing of it is made
// for a message that nobody changes.

// sdpLine cuts off the first line of b: without its end, and what follows.
func sdpLine(b []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(b, []byte{'\n'})
	return bytes.TrimSuffix(line, []byte{'\r'}), rest
}

// sdpStreams cuts b before each m= line: the session first, then the streams.
// next gives what follows a piece, nil behind the last one.
func sdpStreams(b []byte) (piece, next []byte) {
	rest := b
	for first := true; len(rest) > 0; first = false {
		if !first && bytes.HasPrefix(rest, mediaLine) {
			return b[:len(b)-len(rest)], rest
		}
		_, rest = sdpLine(rest)
	}
	return b, nil
}

var mediaLine = []byte("m=")

// isStream tells whether a piece of an SDP is a stream.
func isStream(piece []byte) bool { return bytes.HasPrefix(piece, mediaLine) }

// media gives the media name of a stream, such as audio.
func media(stream []byte) []byte {
	line, _ := sdpLine(stream)
	name, _, _ := bytes.Cut(bytes.TrimPrefix(line, mediaLine), []byte{' '})
	return name
}

// sdpAttribute gives the first line of a piece that begins with a prefix, such
// as "c=", without it.
func sdpAttribute(piece []byte, prefix string) (value []byte, ok bool) {
	for rest := piece; len(rest) > 0; {
		var line []byte
		if line, rest = sdpLine(rest); len(line) >= len(prefix) && string(line[:len(prefix)]) == prefix {
			return line[len(prefix):], true
		}
	}
	return nil, false
}

// stock names the payload types that need no rtpmap (RFC 3551 6).
var stock = map[string]struct{ name, clock string }{
	"0": {"PCMU", "8000"}, "3": {"GSM", "8000"}, "4": {"G723", "8000"}, "5": {"DVI4", "8000"}, "6": {"DVI4", "16000"},
	"7": {"LPC", "8000"}, "8": {"PCMA", "8000"}, "9": {"G722", "8000"}, "10": {"L16", "44100"}, "11": {"L16", "44100"},
	"12": {"QCELP", "8000"}, "13": {"CN", "8000"}, "14": {"MPA", "90000"}, "15": {"G728", "8000"}, "16": {"DVI4", "11025"},
	"17": {"DVI4", "22050"}, "18": {"G729", "8000"}, "25": {"CelB", "90000"}, "26": {"JPEG", "90000"}, "28": {"nv", "90000"},
	"31": {"H261", "90000"}, "32": {"MPV", "90000"}, "33": {"MP2T", "90000"}, "34": {"H263", "90000"},
}

// codec tells which codec a payload type of a stream is: by its rtpmap, else by
// RFC 3551. Both are empty if nothing tells it.
func codec(stream, payload []byte) (name, clock []byte) {
	for rest := stream; len(rest) > 0; {
		var line []byte
		line, rest = sdpLine(rest)
		value, ok := bytes.CutPrefix(line, rtpmap)
		if !ok {
			continue
		}
		number, encoding, _ := bytes.Cut(value, []byte{' '})
		if !bytes.Equal(number, payload) {
			continue
		}
		name, clock, _ = bytes.Cut(bytes.TrimSpace(encoding), []byte{'/'})
		clock, _, _ = bytes.Cut(clock, []byte{'/'})
		return name, clock
	}
	s := stock[string(payload)]
	return []byte(s.name), []byte(s.clock)
}

var rtpmap = []byte("a=rtpmap:")

// payloadOf gives the payload type that an attribute line is about, nil if it is
// about none: rtpmap, fmtp and rtcp-fb.
func payloadOf(line []byte) []byte {
	for _, name := range [...]string{"a=rtpmap:", "a=fmtp:", "a=rtcp-fb:"} {
		if len(line) > len(name) && string(line[:len(name)]) == name {
			payload, _, _ := bytes.Cut(line[len(name):], []byte{' '})
			return payload
		}
	}
	return nil
}

// mediaFields parts an m= line into what stands before its formats, up to and
// with the blank, and the formats. ok is false if it is no line of RTP.
func mediaFields(line []byte) (head, formats []byte, ok bool) {
	at := 0
	for range 3 {
		n := bytes.IndexByte(line[at:], ' ')
		if n < 0 {
			return nil, nil, false
		}
		at += n + 1
	}
	proto := line[:at-1]
	proto = proto[bytes.LastIndexByte(proto, ' ')+1:]
	return line[:at], line[at:], bytes.Contains(proto, []byte("RTP/"))
}

// isSDP tells whether a Content-Type is that of an SDP body.
func isSDP(typ []byte) bool { return isType(typ, []byte("application/sdp")) }

// isType compares a Content-Type with a media type, without regard to
// parameters and case.
func isType(typ, want []byte) bool {
	typ, _, _ = bytes.Cut(typ, []byte{';'})
	return sipframe.EqualFoldBytes(bytes.TrimSpace(typ), bytes.TrimSpace(want))
}

// anySDP tells whether f holds for an SDP of the message: its body, or a part of
// it.
func (m *Machine) anySDP(f func(sdp []byte) bool) bool {
	body, typ := m.c.Body(), m.c.BodyType()
	boundary, multi := boundaryOf(typ)
	if !multi {
		return isSDP(typ) && f(body)
	}
	for parts := (partIter{body: body, boundary: boundary}); parts.next(); {
		if isSDP(parts.typ()) && f(parts.content()) {
			return true
		}
	}
	return false
}

// changeSDP has f write each SDP of the message anew: it appends to dst what
// takes the place of sdp and tells whether that differs. It gives 1 if any does.
func (m *Machine) changeSDP(at *Site, f func(dst, sdp []byte) (out []byte, changed bool)) int {
	body, typ := m.c.Body(), m.c.BodyType()
	boundary, multi := boundaryOf(typ)
	out, changed := m.work[:0], false
	switch {
	case !multi && isSDP(typ):
		out, changed = f(out, body)
	case multi:
		done := 0
		for parts := (partIter{body: body, boundary: boundary}); parts.next(); {
			if !isSDP(parts.typ()) {
				continue
			}
			out = append(out, body[done:parts.head]...)
			var this bool
			out, this = f(out, parts.content())
			changed = changed || this
			done = parts.end
		}
		out = append(out, body[done:]...)
	}
	m.work = out
	if !changed {
		return -1
	}
	return m.Reported(at, m.c.SetBody(nil, out))
}
