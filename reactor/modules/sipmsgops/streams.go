package sipmsgops

import (
	"bytes"

	"sipreactor/reactor/script"
	"sipreactor/sipframe/body"
)

func streamExists(a *script.Args) script.Action {
	re := a.Regex(0)
	return func(m *script.Machine) int {
		r := re(m)
		return script.Yes(r != nil && anySDP(m, func(sdp []byte) bool {
			for piece, rest := body.Streams(sdp); piece != nil; piece, rest = body.Next(rest) {
				if body.IsStream(piece) && r.Match(body.Media(piece)) {
					return true
				}
			}
			return false
		}))
	}
}

func streamDelete(a *script.Args) script.Action {
	re, at := a.Regex(0), a.Site()
	return func(m *script.Machine) int {
		r := re(m)
		if r == nil {
			return -1
		}
		return changeSDP(m, at, func(dst, sdp []byte) ([]byte, bool) {
			changed := false
			for piece, rest := body.Streams(sdp); piece != nil; piece, rest = body.Next(rest) {
				if body.IsStream(piece) && r.Match(body.Media(piece)) {
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
