package sipmsgops

import (
	"bytes"

	"sipreactor/reactor/script"
	"sipreactor/sipframe/body"
)

// streamMatching builds what finds streams by their media and, where a second expression is given, their transport.
func streamMatching(a *script.Args) func(m *script.Machine) func(piece []byte) bool {
	media, transport, given := a.Regex(0), a.Regex(1), a.Given(1)
	return func(m *script.Machine) func(piece []byte) bool {
		re := media(m)
		if re == nil {
			return nil
		}
		if !given {
			return func(piece []byte) bool { return body.IsStream(piece) && re.Match(body.Media(piece)) }
		}
		by := transport(m)
		if by == nil {
			return nil
		}
		return func(piece []byte) bool {
			return body.IsStream(piece) && re.Match(body.Media(piece)) && by.Match(transportOf(piece))
		}
	}
}

// transportOf returns the third word of the line of a stream: m=audio 4000 RTP/AVP 0.
func transportOf(piece []byte) []byte {
	line, _, _ := bytes.Cut(piece, []byte{'\n'})
	if words := bytes.Fields(line); len(words) > 2 {
		return words[2]
	}
	return nil
}

func streamExists(a *script.Args) script.Action {
	matching := streamMatching(a)
	return func(m *script.Machine) int {
		match := matching(m)
		return script.Yes(match != nil && anySDP(m, func(sdp []byte) bool {
			for piece, rest := body.Streams(sdp); piece != nil; piece, rest = body.Next(rest) {
				if match(piece) {
					return true
				}
			}
			return false
		}))
	}
}

func streamDelete(a *script.Args) script.Action {
	matching, at := streamMatching(a), a.Site()
	return func(m *script.Machine) int {
		match := matching(m)
		if match == nil {
			return -1
		}
		return changeSDP(m, at, func(dst, sdp []byte) ([]byte, bool) {
			changed := false
			for piece, rest := body.Streams(sdp); piece != nil; piece, rest = body.Next(rest) {
				if match(piece) {
					changed = true
					continue
				}
				dst = append(dst, piece...)
			}
			return dst, changed
		})
	}
}

func isAudioOnHold(*script.Args) script.Action {
	return func(m *script.Machine) int {
		hold := noHold
		anySDP(m, func(sdp []byte) bool {
			hold = holdOf(sdp)
			return hold != noHold
		})
		return hold
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
	session, rest := body.Streams(sdp)
	if body.IsStream(session) {
		session, rest = nil, sdp
	}
	for piece, next := body.Next(rest); piece != nil; piece, next = body.Next(next) {
		if !bytes.Equal(body.Media(piece), []byte("audio")) {
			continue
		}
		to, ok := body.Attribute(piece, "c=")
		if !ok {
			to, _ = body.Attribute(session, "c=")
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
		if value, ok := body.Attribute(piece, "a="+way); ok && len(value) == 0 {
			return way
		}
	}
	return ""
}
