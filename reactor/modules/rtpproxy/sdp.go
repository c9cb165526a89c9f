package rtpproxy

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"

	"sipreactor/sipframe/body"
)

// stream is a stream of an SDP that passes the relay.
type stream struct {
	addr string // as the SDP says
	port uint64
	own  bool // it has a c= of its own
	to   netip.AddrPort
}

// maxStreams bounds the streams of an SDP that are relayed, each of which is a command.
const maxStreams = 32

// streamsOf lists the streams that can be relayed: RTP and UDPTL with a port.
func streamsOf(sdp []byte) (list []stream, ok bool) {
	piece, next := body.Streams(sdp)
	session := address(piece)
	for len(next) > 0 {
		piece, next = body.Next(next)
		port, relayed := mediaPort(piece)
		if !relayed {
			continue
		}
		s := stream{addr: address(piece), port: port, own: true}
		if s.addr == "" {
			s.addr, s.own = session, false
		}
		if s.addr == "" || len(list) == maxStreams {
			return nil, false
		}
		list = append(list, s)
	}
	return list, true
}

// address gives the address of a piece's c=, "" without one.
func address(piece []byte) string {
	value, ok := body.Attribute(piece, "c=")
	words := strings.Fields(string(value))
	if !ok || len(words) != 3 {
		return ""
	}
	addr, _, _ := strings.Cut(words[2], "/")
	return addr
}

// mediaPort gives the port of a stream; false: it is not relayed.
func mediaPort(piece []byte) (uint64, bool) {
	line, _ := body.Line(piece)
	words := strings.Fields(string(line))
	if len(words) < 3 || !strings.HasPrefix(words[0], "m=") {
		return 0, false
	}
	transport := strings.ToUpper(words[2])
	text, _, _ := strings.Cut(words[1], "/")
	port, err := strconv.ParseUint(text, 10, 16)
	return port, err == nil && port != 0 && !strings.HasPrefix(transport, "TCP") && (strings.Contains(transport, "RTP/") || transport == "UDPTL")
}

// isNull reports whether an address is that of hold, which stays.
func isNull(addr string) bool { return addr == "0.0.0.0" || addr == "::" }

// rewrite has the streams of an SDP be where the relay has them; list is that of streamsOf
// with its places. mark is a line that is added.
func rewrite(sdp []byte, list []stream, f *flags, mark string) []byte {
	out := make([]byte, 0, len(sdp)+64)
	shared := f.session
	for _, s := range list {
		shared = shared || !s.own
	}
	piece, next := body.Streams(sdp)
	for rest := piece; len(rest) > 0; {
		var line []byte
		line, rest = cutLine(rest)
		switch {
		case bytes.HasPrefix(line, []byte("o=")) && f.origin && len(list) > 0,
			bytes.HasPrefix(line, []byte("c=")) && shared && len(list) > 0:
			line = withAddress(line, list[0].to.Addr())
		}
		out = append(out, line...)
	}
	for len(next) > 0 {
		piece, next = body.Next(next)
		if _, relayed := mediaPort(piece); !relayed || len(list) == 0 {
			out = append(out, piece...)
			continue
		}
		s := &list[0]
		list = list[1:]
		for rest := piece; len(rest) > 0; {
			var line []byte
			line, rest = cutLine(rest)
			switch {
			case bytes.HasPrefix(line, []byte("m=")):
				line = withPort(line, s.to.Port())
			case bytes.HasPrefix(line, []byte("c=")):
				line = withAddress(line, s.to.Addr())
			case bytes.HasPrefix(line, []byte("a=rtcp:")):
				line = append(strconv.AppendUint([]byte("a=rtcp:"), uint64(s.to.Port())+1, 10), lineEnd(line)...)
			}
			out = append(out, line...)
		}
	}
	if mark != "" {
		if !bytes.HasSuffix(out, []byte("\n")) {
			out = append(out, "\r\n"...)
		}
		out = append(out, mark...)
	}
	return out
}

// cutLine cuts the first line off, with its end.
func cutLine(b []byte) (line, rest []byte) {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return b[:i+1], b[i+1:]
	}
	return b, nil
}

func lineEnd(line []byte) []byte { return line[len(bytes.TrimRight(line, "\r\n")):] }

// withAddress replaces what ends an o= or c= line, IN IP4 address, unless that is on hold.
func withAddress(line []byte, addr netip.Addr) []byte {
	end := lineEnd(line)
	words := strings.Fields(string(line))
	n := len(words)
	if n < 3 || isNull(words[n-1]) {
		return line
	}
	words[n-2], words[n-1] = "IP4", addr.String()
	if addr.Is6() {
		words[n-2] = "IP6"
	}
	return append([]byte(strings.Join(words, " ")), end...)
}

// withPort replaces the port of an m= line.
func withPort(line []byte, port uint16) []byte {
	media, rest, _ := bytes.Cut(line, []byte{' '})
	_, rest, _ = bytes.Cut(rest, []byte{' '})
	out := append(strconv.AppendUint(append(bytes.Clone(media), ' '), uint64(port), 10), ' ')
	return append(out, rest...)
}
