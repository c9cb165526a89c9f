package body

import (
	"bytes"

	"sipreactor/sipframe"
)

// The texts of an SDP body (RFC 8866) are found in place: nothing of it is made
// for a message that nobody changes.

// Line cuts off the first line of b: without its end, and what follows.
func Line(b []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(b, []byte{'\n'})
	return bytes.TrimSuffix(line, []byte{'\r'}), rest
}

// Streams cuts b before each m= line: the session first, then the streams.
// next gives what follows a piece, nil behind the last one.
func Streams(b []byte) (piece, next []byte) {
	rest := b
	for first := true; len(rest) > 0; first = false {
		if !first && bytes.HasPrefix(rest, mediaLine) {
			return b[:len(b)-len(rest)], rest
		}
		_, rest = Line(rest)
	}
	return b, nil
}

var mediaLine = []byte("m=")

// IsStream tells whether a piece of an SDP is a stream.
func IsStream(piece []byte) bool { return bytes.HasPrefix(piece, mediaLine) }

// Media gives the media name of a stream, such as audio.
func Media(stream []byte) []byte {
	line, _ := Line(stream)
	name, _, _ := bytes.Cut(bytes.TrimPrefix(line, mediaLine), []byte{' '})
	return name
}

// Attribute gives the first line of a piece that begins with a prefix, such
// as "c=", without it.
func Attribute(piece []byte, prefix string) (value []byte, ok bool) {
	for rest := piece; len(rest) > 0; {
		var line []byte
		if line, rest = Line(rest); len(line) >= len(prefix) && string(line[:len(prefix)]) == prefix {
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

// Codec tells which codec a payload type of a stream is: by its rtpmap, else by
// RFC 3551. Both are empty if nothing tells it.
func Codec(stream, payload []byte) (name, clock []byte) {
	for rest := stream; len(rest) > 0; {
		var line []byte
		line, rest = Line(rest)
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

// PayloadOf gives the payload type that an attribute line is about, nil if it is
// about none: rtpmap, fmtp and rtcp-fb.
func PayloadOf(line []byte) []byte {
	for _, name := range [...]string{"a=rtpmap:", "a=fmtp:", "a=rtcp-fb:"} {
		if len(line) > len(name) && string(line[:len(name)]) == name {
			payload, _, _ := bytes.Cut(line[len(name):], []byte{' '})
			return payload
		}
	}
	return nil
}

// MediaFields parts an m= line into what stands before its formats, up to and
// with the blank, and the formats. ok is false if it is no line of RTP.
func MediaFields(line []byte) (head, formats []byte, ok bool) {
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

// IsSDP tells whether a Content-Type is that of an SDP body.
func IsSDP(typ []byte) bool { return IsType(typ, []byte("application/sdp")) }

// IsType compares a Content-Type with a media type, without regard to
// parameters and case.
func IsType(typ, want []byte) bool {
	typ, _, _ = bytes.Cut(typ, []byte{';'})
	return sipframe.EqualFoldBytes(bytes.TrimSpace(typ), bytes.TrimSpace(want))
}

// Next is Streams for what it left, which may be nothing.
func Next(rest []byte) (piece, next []byte) {
	if rest == nil {
		return nil, nil
	}
	return Streams(rest)
}

// FindSDP finds the SDP in a body of a type: the whole, or the first part that is one.
func FindSDP(b, typ []byte) (begin, end int, there bool) {
	boundary, multi := Boundary(typ)
	if !multi {
		return 0, len(b), len(b) > 0 && IsSDP(typ)
	}
	for parts := NewParts(b, boundary); parts.Next(); {
		if IsSDP(parts.Type()) {
			return parts.Head, parts.End, true
		}
	}
	return 0, 0, false
}
