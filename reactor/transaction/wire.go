package transaction

import (
	"bytes"
	"errors"
	"strconv"

	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

// What is written by hand: the CANCEL and the ACK that a client transaction sends (RFC 3261 9.1, 17.1.1.3), from the
// bytes of the request that they belong to.

var errNothing = errors.New("transaction: the request is not kept")

// Reasons of CANCELs of ours (RFC 3326).
var (
	elsewhereReason = []byte("Reason: SIP ;cause=200 ;text=\"Call completed elsewhere\"\r\n")
	noAnswerReason  = []byte("Reason: SIP;cause=480;text=\"NO_ANSWER\"\r\n")
	callerReason    = []byte("Reason: SIP;cause=487;text=\"ORIGINATOR_CANCEL\"\r\n")
)

// appendCancel writes the CANCEL for a request that was sent, by another Via if one is given. m is scratch.
func appendCancel(dst []byte, m *sipframe.Message, sent, via, reason, more []byte) []byte {
	if !parsed(m, sent) {
		return dst
	}
	dst = appendHopByHop(dst, m, "CANCEL", via, nil)
	dst = append(append(dst, reason...), more...)
	return append(dst, "Content-Length: 0\r\n\r\n"...)
}

// appendAck writes the ACK for the final response to a request that was sent, by another Via if one is given. m is
// scratch.
func appendAck(dst []byte, m *sipframe.Message, sent, via []byte, response *sipframe.Message, more []byte) []byte {
	if !parsed(m, sent) {
		return dst
	}
	dst = appendHopByHop(dst, m, "ACK", via, response.Value(sipframe.HeaderTo))
	dst = append(dst, more...)
	return append(dst, "Content-Length: 0\r\n\r\n"...)
}

// appendRoot writes of a request that is sent what its CANCEL and its ACK are made of: the first line and the headers
// that appendHopByHop reads, of the Vias the topmost. It takes lines as they are and reads none.
func appendRoot(dst, text []byte) []byte {
	kept, vias := true, 0
	for first := true; len(text) > 0; first = false {
		n := bytes.IndexByte(text, '\n') + 1
		if n <= 0 {
			n = len(text)
		}
		line := text[:n]
		text = text[n:]
		switch {
		case first:
		case n <= 2: // the end of the head
			return append(dst, "\r\n"...)
		case line[0] == ' ' || line[0] == '\t': // of the line before
		default:
			colon := bytes.IndexByte(line, ':')
			switch sipframe.HeaderKindOf(bytes.TrimRight(line[:max(colon, 0)], " \t")) {
			case sipframe.HeaderVia:
				vias++
				kept = vias == 1
			case sipframe.HeaderRoute, sipframe.HeaderFrom, sipframe.HeaderTo, sipframe.HeaderCallID, sipframe.HeaderCSeq:
				kept = true
			default:
				kept = false
			}
		}
		if kept {
			dst = append(dst, line...)
		}
	}
	return dst
}

// parsed reads the head of a request, which may be cut off behind it.
func parsed(m *sipframe.Message, sent []byte) bool {
	_ = m.Parse(sent)
	return m.IsRequest()
}

// appendHopByHop writes what a CANCEL and an ACK have in common: the request's Request-URI, topmost Via, Routes, From,
// Call-ID and CSeq number. via and to are the values of Via and To; nil: the request's.
func appendHopByHop(dst []byte, m *sipframe.Message, method string, via, to []byte) []byte {
	dst = append(append(append(append(dst, method...), ' '), m.RequestURI()...), " SIP/2.0\r\n"...)
	vias := m.Values(sipframe.HeaderVia)
	if v, ok := vias.Next(); ok && via == nil {
		via = m.Bytes(v)
	}
	if via != nil {
		dst = append(append(append(dst, "Via: "...), via...), "\r\n"...)
	}
	for i := m.Find(sipframe.HeaderRoute); i >= 0; i = m.FindNext(sipframe.HeaderRoute, i) {
		dst = append(append(append(dst, "Route: "...), m.Bytes(m.Header(i).Value)...), "\r\n"...)
	}
	dst = append(append(append(dst, "From: "...), m.Value(sipframe.HeaderFrom)...), "\r\n"...)
	if to == nil {
		to = m.Value(sipframe.HeaderTo)
	}
	dst = append(append(append(dst, "To: "...), to...), "\r\n"...)
	dst = append(append(append(dst, "Call-ID: "...), m.CallID()...), "\r\n"...)
	n, _, _ := m.CSeq()
	dst = strconv.AppendUint(append(dst, "CSeq: "...), uint64(n), 10)
	dst = append(append(append(dst, ' '), method...), "\r\n"...)
	return append(dst, "Max-Forwards: 70\r\n"...)
}

// appendVia writes the topmost Via of a response as it was in the request: without what the peer has noted in it (RFC 3261
// 18.2.1, RFC 3581).
func appendVia(dst []byte, m *sipframe.Message, via *sipframe.Via) []byte {
	dst = append(dst, m.Raw()[via.Span.Off:via.SentBy.End()]...)
	params := sipframe.Params(m.Bytes(via.Params))
	for p, ok := params.Next(); ok; p, ok = params.Next() {
		switch {
		case sipframe.EqualFold(p.Name, "received"):
		case sipframe.EqualFold(p.Name, "rport"):
			dst = append(dst, ";rport"...)
		default:
			dst = append(append(dst, ';'), p.Span.In(m.Bytes(via.Params))...)
		}
	}
	return dst
}

// head returns the message without its body.
func head(b []byte) []byte {
	for i := 0; i+4 <= len(b); i++ {
		if b[i] == '\r' && b[i+1] == '\n' && b[i+2] == '\r' && b[i+3] == '\n' {
			return b[:i+4]
		}
	}
	return b
}

// gather writes the answer that was kept of a branch: a challenge with those of the other branches (RFC 3261 16.7 item
// 7). m is scratch.
func (x *Exchange) gather(dst []byte, m *sipframe.Message, best *Leg) []byte {
	text := best.response.Bytes()
	if best.status != 401 && best.status != 407 || x.single() {
		return append(dst, text...)
	}
	head := head(text)
	dst = append(dst, head[:len(head)-2]...)
	for _, leg := range x.Legs()[x.Transaction.fork:] {
		if leg == best || leg.response == nil || leg.status != 401 && leg.status != 407 {
			continue
		}
		if m.Parse(leg.response.Bytes()) != nil {
			continue
		}
		for i := range m.NumHeaders() {
			h := m.Header(i)
			if name := m.Bytes(h.Name); sipframe.EqualFold(name, "WWW-Authenticate") || sipframe.EqualFold(name, "Proxy-Authenticate") {
				from := len(dst)
				dst = append(append(append(dst, name...), ": "...), m.Bytes(h.Value)...)
				proxy.OneLine(dst[from:])
				dst = append(dst, "\r\n"...)
			}
		}
	}
	return append(append(dst, "\r\n"...), text[len(head):]...)
}

// single reports whether the last fork is a single branch.
func (x *Exchange) single() bool { return len(x.branches)-int(x.Transaction.fork) < 2 }
