package nathelper

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// sdpFlags are those of fix_nated_sdp().
type sdpFlags uint8

const (
	addActive sdpFlags = 1 << iota
	mediaIP
	addMark
	originIP
	nullIPs
)

var sdpFlagNames = []string{"add-dir-active", "rewrite-media-ip", "add-no-rtpproxy", "rewrite-origin-ip", "rewrite-null-ips"}

func parseSDPFlags(text string) (f sdpFlags, err error) {
	if n, err := strconv.ParseUint(strings.TrimSpace(text), 0, 8); err == nil {
		return sdpFlags(n), nil
	}
	for w := range strings.SplitSeq(text, ",") {
		if w = strings.TrimSpace(w); w == "" {
			continue
		}
		found := false
		for i, name := range sdpFlagNames {
			if name == w {
				f, found = f|1<<i, true
			}
		}
		if !found {
			return 0, fmt.Errorf("unknown flag %q: %s", w, strings.Join(sdpFlagNames, ", "))
		}
	}
	return f, nil
}

// sdpOf finds the session description in the body: the body itself, or the first part of that type. The span is empty
// without one.
func sdpOf(msg *sipframe.Message) sipframe.Span {
	body := msg.Body()
	off := msg.BodyOffset()
	whole := sipframe.Span{Off: off, Len: uint32(len(body))}
	typ := msg.Value(sipframe.HeaderContentType)
	if len(typ) == 0 || isType(typ, "application/sdp") {
		return whole
	}
	if !isType(typ, "multipart/") {
		return sipframe.Span{}
	}
	_, params, _ := bytes.Cut(typ, []byte{';'})
	boundary, ok := sipframe.FindParam(params, "boundary")
	if boundary = bytes.Trim(boundary, `"`); !ok || len(boundary) == 0 {
		return sipframe.Span{}
	}
	mark := append([]byte("--"), boundary...)
	for at := bytes.Index(body, mark); at >= 0; {
		at += len(mark)
		next := bytes.Index(body[at:], mark)
		if next < 0 {
			return sipframe.Span{}
		}
		part := body[at : at+next]
		if head := bytes.Index(part, []byte("\r\n\r\n")); head >= 0 && bytes.Contains(bytes.ToLower(part[:head]), []byte("application/sdp")) {
			text := bytes.TrimSuffix(part[head+4:], []byte("\r\n"))
			return sipframe.Span{Off: off + uint32(at+head+4), Len: uint32(len(text))}
		}
		at += next
	}
	return sipframe.Span{}
}

func isType(value []byte, prefix string) bool {
	return len(value) >= len(prefix) && sipframe.EqualFold(value[:len(prefix)], prefix)
}

// eachLine calls f for each line of the session description, without its end, until that returns false.
func eachLine(msg *sipframe.Message, f func(line sipframe.Span) bool) {
	s := sdpOf(msg)
	text := msg.Bytes(s)
	for pos := 0; pos < len(text); {
		line := text[pos:]
		n := bytes.IndexByte(line, '\n')
		if n >= 0 {
			line = line[:n]
		} else {
			n = len(line)
		}
		trimmed := bytes.TrimSuffix(line, []byte{'\r'})
		if !f(sipframe.Span{Off: s.Off + uint32(pos), Len: uint32(len(trimmed))}) {
			return
		}
		pos += n + 1
	}
}

// addressSpan finds the address in a line c= or o=.
func addressSpan(msg *sipframe.Message, line sipframe.Span, kind byte) (sipframe.Span, bool) {
	b := msg.Bytes(line)
	if len(b) < 3 || b[0] != kind || b[1] != '=' {
		return sipframe.Span{}, false
	}
	i := bytes.LastIndexByte(b, ' ')
	if i < 0 || !bytes.Contains(b[:i+1], []byte("IN IP")) {
		return sipframe.Span{}, false
	}
	addr := b[i+1:]
	if slash := bytes.IndexByte(addr, '/'); slash >= 0 {
		addr = addr[:slash]
	}
	return sipframe.Span{Off: line.Off + uint32(i+1), Len: uint32(len(addr))}, len(addr) > 0
}

// fixSDP builds fix_nated_sdp(): 1 if there is a session description, else -1.
func (m *module) fixSDP(a *script.Args) script.Action {
	flagText, ip, fields, at := a.Text(0), a.Text(1), a.Text(2), a.Site()
	if text, ok := a.Fixed(0); ok {
		if _, err := parseSDPFlags(text); err != nil {
			a.Errorf(0, "%v", err)
			return nil
		}
	}
	return func(x *script.Machine) int {
		b, _ := flagText(x)
		f, err := parseSDPFlags(string(b))
		if err != nil {
			return x.Fail(at, err.Error())
		}
		addr, ok := ip(x)
		if !ok || len(addr) == 0 {
			addr = x.Keep(x.Context().Src.Remote.Addr().Unmap().AppendTo(nil))
		}
		extra, _ := fields(x)
		return m.rewriteSDP(x, at, f, addr, extra)
	}
}

func (m *module) rewriteSDP(x *script.Machine, at *script.Site, f sdpFlags, addr, extra []byte) int {
	msg, c := x.Message(), x.Context()
	s := sdpOf(msg)
	if s.Len == 0 {
		return -1
	}
	text := msg.Bytes(s)
	if m.mark != "" && f&addMark != 0 && bytes.Contains(text, []byte(strings.TrimSpace(m.mark))) {
		return -1 // somebody has been here
	}
	family := []byte("IP4")
	if bytes.IndexByte(addr, ':') >= 0 {
		family = []byte("IP6")
	}
	var tail []byte
	var failed error
	replace := func(kind byte, note string) {
		noted := false
		eachLine(msg, func(line sipframe.Span) bool {
			old, ok := addressSpan(msg, line, kind)
			if !ok || isNull(msg.Bytes(old)) && f&nullIPs == 0 {
				return true
			}
			if note != "" && !noted {
				tail = append(append(append(tail, note...), msg.Bytes(old)...), "\r\n"...)
				noted = true
			}
			b := msg.Bytes(line)
			if i := bytes.Index(b, []byte("IN IP")); i >= 0 && len(b) > i+6 {
				failed = c.Replace(sipframe.Span{Off: line.Off + uint32(i+3), Len: 3}, family)
			}
			if failed == nil {
				failed = c.Replace(old, addr)
			}
			return failed == nil
		})
	}
	if f&mediaIP != 0 {
		note := "a=oldcip:"
		if strings.Contains(m.skipOld, "c") {
			note = ""
		}
		replace('c', note)
	}
	if f&originIP != 0 && failed == nil {
		note := "a=oldoip:"
		if strings.Contains(m.skipOld, "o") {
			note = ""
		}
		replace('o', note)
	}
	var lines []byte
	if f&addActive != 0 {
		lines = append(lines, "a=direction:active\r\n"...)
	}
	if f&addMark != 0 {
		lines = append(lines, m.mark...)
	}
	lines = append(append(lines, tail...), bytes.TrimPrefix(extra, []byte("\r\n"))...)
	if len(lines) > 0 && failed == nil {
		if !bytes.HasSuffix(lines, []byte("\r\n")) {
			lines = append(lines, "\r\n"...)
		}
		if !bytes.HasSuffix(text, []byte("\n")) {
			lines = append([]byte("\r\n"), bytes.TrimSuffix(lines, []byte("\r\n"))...)
		}
		failed = c.Replace(sipframe.Span{Off: s.End()}, lines)
	}
	return x.Reported(at, failed)
}

// isNull reports whether an address is that of hold.
func isNull(addr []byte) bool { return string(addr) == "0.0.0.0" || string(addr) == "::" }
