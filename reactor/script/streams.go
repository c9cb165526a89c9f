package script

import "bytes"

// streamFunctions of sipmsgops look at the streams of the SDP as it stands.
func streamFunctions() map[string]*Function {
	return map[string]*Function{
		"stream_exists": {module: "sipmsgops", Usage: `stream_exists("regular expression")`, Args: []ArgKind{RegexArg}, Min: 1, Routes: Messages, Build: func(a *Args) Action {
			re := a.expression(0)
			return func(m *Machine) int {
				r := re(m)
				return Yes(r != nil && m.anySDP(func(sdp []byte) bool {
					for piece, rest := sdpStreams(sdp); piece != nil; piece, rest = sdpNext(rest) {
						if isStream(piece) && r.Match(media(piece)) {
							return true
						}
					}
					return false
				}))
			}
		}},
		"stream_delete": {module: "sipmsgops", Usage: `stream_delete("regular expression")`, Args: []ArgKind{RegexArg}, Min: 1, Routes: Messages, Build: func(a *Args) Action {
			re := a.expression(0)
			return func(m *Machine) int {
				r := re(m)
				if r == nil {
					return -1
				}
				return m.changeSDP(a.at, func(dst, sdp []byte) ([]byte, bool) {
					changed := false
					for piece, rest := sdpStreams(sdp); piece != nil; piece, rest = sdpNext(rest) {
						if isStream(piece) && r.Match(media(piece)) {
							changed = true
							continue
						}
						dst = append(dst, piece...)
					}
					return dst, changed
				})
			}
		}},
		"is_audio_on_hold": {module: "sipmsgops", Usage: "is_audio_on_hold()", Routes: Messages, Build: func(*Args) Action {
			return func(m *Machine) int {
				hold := noHold
				m.anySDP(func(sdp []byte) bool {
					hold = holdOf(sdp)
					return hold != noHold
				})
				return hold
			}
		}},
	}
}

// What is_audio_on_hold() tells.
const (
	noHold   = -1
	nullHold = 1 // the address of the connection is 0.0.0.0 (RFC 2543)
	wayHold  = 2 // the stream is sendonly or inactive (RFC 3264 8.4)
)

// holdOf tells whether an audio stream of an SDP is on hold.
func holdOf(sdp []byte) int {
	session, rest := sdpStreams(sdp)
	if isStream(session) {
		session, rest = nil, sdp
	}
	for piece, next := sdpNext(rest); piece != nil; piece, next = sdpNext(next) {
		if !bytes.Equal(media(piece), []byte("audio")) {
			continue
		}
		to, ok := sdpAttribute(piece, "c=")
		if !ok {
			to, _ = sdpAttribute(session, "c=")
		}
		if bytes.Equal(bytes.TrimSpace(to), []byte("IN IP4 0.0.0.0")) {
			return nullHold
		}
		switch wayOf(piece) + wayOf(session) {
		case "":
		case "sendonly", "inactive":
			return wayHold
		default: // the stream's own counts
			if w := wayOf(piece); w == "sendonly" || w == "inactive" {
				return wayHold
			}
		}
	}
	return noHold
}

// wayOf gives the direction attribute of a piece, "" if it has none.
func wayOf(piece []byte) string {
	for _, way := range [...]string{"sendonly", "inactive", "sendrecv", "recvonly"} {
		if value, ok := sdpAttribute(piece, "a="+way); ok && len(value) == 0 {
			return way
		}
	}
	return ""
}
