package sipmsgops

import (
	"bytes"

	"sipreactor/reactor/script"
	"sipreactor/sipframe"
	"sipreactor/sipframe/body"
)

// codecMatch tells whether a codec is meant.
type codecMatch func(name, clock []byte) bool

// codecChange appends a stream to dst with codecs changed, and reports whether that
// differs; nil: they are looked for only.
type codecChange func(dst, stream []byte, match codecMatch) ([]byte, bool)

// codecNamed builds a function that means codecs by their name, and by their clock if
// that is given.
func codecNamed(change codecChange) func(*script.Args) script.Action {
	return func(a *script.Args) script.Action {
		want, clock, given, at := a.Text(0), a.Text(1), a.Given(1), a.Site()
		return func(m *script.Machine) int {
			n, ok := want(m)
			var rate []byte
			if ok && given {
				rate, ok = clock(m)
			}
			if !ok {
				return -1
			}
			return codecs(m, at, change, func(name, clock []byte) bool {
				return sipframe.EqualFoldBytes(name, n) && (rate == nil || sipframe.EqualFoldBytes(clock, rate))
			})
		}
	}
}

// codecMatching builds a function that means codecs by a regular expression, or with
// except all others.
func codecMatching(change codecChange, except bool) func(*script.Args) script.Action {
	return func(a *script.Args) script.Action {
		re, at := a.Regex(0), a.Site()
		return func(m *script.Machine) int {
			r := re(m)
			if r == nil {
				return -1
			}
			return codecs(m, at, change, func(name, _ []byte) bool { return r.Match(name) != except })
		}
	}
}

// codecs looks for codecs in all streams, and changes those that have them.
func codecs(m *script.Machine, at *script.Site, change codecChange, match codecMatch) int {
	if change == nil {
		return script.Yes(anySDP(m, func(sdp []byte) bool {
			for piece, rest := body.Streams(sdp); piece != nil; piece, rest = body.Next(rest) {
				if body.IsStream(piece) && hasCodec(piece, match) {
					return true
				}
			}
			return false
		}))
	}
	return changeSDP(m, at, func(dst, sdp []byte) ([]byte, bool) {
		changed := false
		for piece, rest := body.Streams(sdp); piece != nil; piece, rest = body.Next(rest) {
			this := false
			if body.IsStream(piece) {
				dst, this = change(dst, piece, match)
			} else {
				dst = append(dst, piece...)
			}
			changed = changed || this
		}
		return dst, changed
	})
}

// payloads calls f with each payload type of a stream of RTP, and whether it is
// meant.
func payloads(stream []byte, match codecMatch, f func(payload []byte, meant bool)) {
	line, _ := body.Line(stream)
	_, formats, ok := body.MediaFields(line)
	for ok && len(formats) > 0 {
		var payload []byte
		payload, formats, _ = bytes.Cut(formats, []byte{' '})
		if len(payload) > 0 {
			f(payload, match(body.Codec(stream, payload)))
		}
	}
}

func hasCodec(stream []byte, match codecMatch) (found bool) {
	payloads(stream, match, func(_ []byte, meant bool) { found = found || meant })
	return found
}

// deleteCodecs leaves codecs out of a stream: of the m= line, and the attributes
// that are about them. A stream that would have none left is refused, by port 0
// (RFC 3264 6), as an m= line has at least one format.
func deleteCodecs(dst, stream []byte, match codecMatch) ([]byte, bool) {
	left, gone := 0, 0
	payloads(stream, match, func(_ []byte, meant bool) {
		if meant {
			gone++
		} else {
			left++
		}
	})
	if gone == 0 {
		return append(dst, stream...), false
	}
	line, rest := body.Line(stream)
	head, _, _ := body.MediaFields(line)
	if left == 0 {
		return append(refuse(dst, line), stream[len(line):]...), true
	}
	dst = append(dst, head[:len(head)-1]...)
	payloads(stream, match, func(payload []byte, meant bool) {
		if !meant {
			dst = append(append(dst, ' '), payload...)
		}
	})
	dst = append(dst, stream[len(line):len(stream)-len(rest)]...)
	for len(rest) > 0 {
		line, after := body.Line(rest)
		if payload := body.PayloadOf(line); payload == nil || !listed(stream, payload) || !match(body.Codec(stream, payload)) {
			dst = append(dst, rest[:len(rest)-len(after)]...)
		}
		rest = after
	}
	return dst, true
}

// listed tells whether a payload type stands in the m= line of a stream.
func listed(stream, payload []byte) (found bool) {
	payloads(stream, func(_, _ []byte) bool { return true }, func(p []byte, _ bool) { found = found || bytes.Equal(p, payload) })
	return found
}

// refuse writes an m= line with the port 0.
func refuse(dst, line []byte) []byte {
	name, rest, _ := bytes.Cut(line, []byte{' '})
	_, rest, _ = bytes.Cut(rest, []byte{' '})
	return append(append(append(dst, name...), " 0 "...), rest...)
}

func moveCodecsUp(dst, stream []byte, match codecMatch) ([]byte, bool) {
	return moveCodecs(dst, stream, match, true)
}

func moveCodecsDown(dst, stream []byte, match codecMatch) ([]byte, bool) {
	return moveCodecs(dst, stream, match, false)
}

// moveCodecs puts the codecs that are meant first or last in the m= line; among
// themselves they and the others keep their order.
func moveCodecs(dst, stream []byte, match codecMatch, first bool) ([]byte, bool) {
	line, _ := body.Line(stream)
	head, _, ok := body.MediaFields(line)
	if !ok {
		return append(dst, stream...), false
	}
	from := len(dst)
	dst = append(dst, head[:len(head)-1]...)
	for _, meantNow := range []bool{first, !first} {
		payloads(stream, match, func(payload []byte, meant bool) {
			if meant == meantNow {
				dst = append(append(dst, ' '), payload...)
			}
		})
	}
	changed := !bytes.Equal(dst[from:], bytes.TrimRight(line, " "))
	return append(dst, stream[len(line):]...), changed
}
