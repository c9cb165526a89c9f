package script

import (
	"bytes"

	"sipreactor/sipframe"
)

// codecMatch tells whether a codec is meant.
type codecMatch func(name, clock []byte) bool

// codecFunctions of sipmsgops look for codecs in the SDP as it stands, and change
// it.
func codecFunctions() map[string]*Function {
	fs := make(map[string]*Function)
	for name, change := range map[string]func(dst, stream []byte, match codecMatch) ([]byte, bool){
		"codec_exists": nil, "codec_delete": deleteCodecs, "codec_move_up": moveCodecsUp, "codec_move_down": moveCodecsDown,
	} {
		fs[name] = &Function{module: "sipmsgops", Usage: name + `("name"[, "clock"])`, Args: []ArgKind{TextArg, TextArg}, Min: 1, Routes: Messages,
			Build: func(a *Args) Action {
				want, clock := a.list[0].text, a.list[1]
				return func(m *Machine) int {
					n, ok := want(m)
					var rate []byte
					if ok && clock.given {
						rate, ok = clock.text(m)
					}
					if !ok {
						return -1
					}
					return m.codecs(a.at, change, func(name, clock []byte) bool {
						return sipframe.EqualFoldBytes(name, n) && (rate == nil || sipframe.EqualFoldBytes(clock, rate))
					})
				}
			}}
		fs[name+"_re"] = codecExpression(name+"_re", change, false)
	}
	fs["codec_delete_except_re"] = codecExpression("codec_delete_except_re", deleteCodecs, true)
	return fs
}

// codecExpression makes a function that means codecs by a regular expression, or
// with except all others.
func codecExpression(name string, change func(dst, stream []byte, match codecMatch) ([]byte, bool), except bool) *Function {
	return &Function{module: "sipmsgops", Usage: name + `("regular expression")`, Args: []ArgKind{RegexArg}, Min: 1, Routes: Messages,
		Build: func(a *Args) Action {
			re := a.expression(0)
			return func(m *Machine) int {
				r := re(m)
				if r == nil {
					return -1
				}
				return m.codecs(a.at, change, func(name, _ []byte) bool { return r.Match(name) != except })
			}
		}}
}

// codecs looks for codecs in all streams, and changes those that have them.
func (m *Machine) codecs(at *Site, change func(dst, stream []byte, match codecMatch) ([]byte, bool), match codecMatch) int {
	if change == nil {
		return Yes(m.anySDP(func(sdp []byte) bool {
			for piece, rest := sdpStreams(sdp); piece != nil; piece, rest = sdpNext(rest) {
				if isStream(piece) && hasCodec(piece, match) {
					return true
				}
			}
			return false
		}))
	}
	return m.changeSDP(at, func(dst, sdp []byte) ([]byte, bool) {
		changed := false
		for piece, rest := sdpStreams(sdp); piece != nil; piece, rest = sdpNext(rest) {
			this := false
			if isStream(piece) {
				dst, this = change(dst, piece, match)
			} else {
				dst = append(dst, piece...)
			}
			changed = changed || this
		}
		return dst, changed
	})
}

// sdpNext is sdpStreams for what it left, which may be nothing.
func sdpNext(rest []byte) (piece, next []byte) {
	if rest == nil {
		return nil, nil
	}
	return sdpStreams(rest)
}

// payloads calls f with each payload type of a stream of RTP, and whether it is
// meant.
func payloads(stream []byte, match codecMatch, f func(payload []byte, meant bool)) {
	line, _ := sdpLine(stream)
	_, formats, ok := mediaFields(line)
	for ok && len(formats) > 0 {
		var payload []byte
		payload, formats, _ = bytes.Cut(formats, []byte{' '})
		if len(payload) > 0 {
			f(payload, match(codec(stream, payload)))
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
	line, rest := sdpLine(stream)
	head, _, _ := mediaFields(line)
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
		line, after := sdpLine(rest)
		if payload := payloadOf(line); payload == nil || !listed(stream, payload) || !match(codec(stream, payload)) {
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
	line, _ := sdpLine(stream)
	head, _, ok := mediaFields(line)
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
