package page

import (
	"net/netip"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sipreactor/reactor"
)

const (
	// maxTroubles is how many different errors are kept.
	maxTroubles = 64
	// maxBrief is how much is kept of a text that a peer may have written, in
	// bytes.
	maxBrief = 240
)

// trouble is an error, and how often it came: the same one from the same
// address is told once, whatever times its text names.
type trouble struct {
	first, last time.Time
	times       uint64
	conn        reactor.Handle // of the last one; 0 when it was refused
	remote      netip.AddrPort // of the last one
	proto       reactor.Proto
	outbound    bool
	reason      reactor.Reason
	blame       reactor.Blame
	detail      string // of the last one
	fixed       string // detail without what changes from one to the next
}

// same tells whether an error is this one again. Peers that connect to us come
// from another port each time.
func (t *trouble) same(h *happening, fixed string) bool {
	return t.reason == h.reason && t.outbound == h.source.Outbound && t.proto == h.source.Proto &&
		t.remote.Addr() == h.source.Remote.Addr() && (!t.outbound || t.remote.Port() == h.source.Remote.Port()) &&
		t.fixed == fixed
}

// timeless leaves durations and times out of a text: how long a peer took is
// another every time.
func timeless(s string) string {
	var out strings.Builder
	for s != "" {
		n := strings.IndexFunc(s, inTime)
		if n < 0 {
			n = len(s)
		}
		out.WriteString(s[:n])
		if s = s[n:]; s == "" {
			break
		}
		n = strings.IndexFunc(s, func(r rune) bool { return !inTime(r) })
		if n < 0 {
			n = len(s)
		}
		word := strings.TrimRight(s[:n], ".:+-")
		if isTime(word) {
			out.WriteByte('~')
		} else {
			out.WriteString(word)
		}
		out.WriteString(s[len(word):n])
		s = s[n:]
	}
	return out.String()
}

// isTime tells whether a word is a duration or a time.
func isTime(word string) bool {
	if word == "" || word[0] < '0' || word[0] > '9' {
		return false
	}
	_, err := time.ParseDuration(word)
	if err != nil {
		_, err = time.Parse(time.RFC3339, word)
	}
	return err == nil
}

// inTime tells whether a duration or a time may have the character.
func inTime(r rune) bool {
	return '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r == '.' || r == ':' || r == '-' || r == '+' || r == 'µ'
}

// troubles are the errors of late, the last one first.
type troubles struct {
	list  []trouble
	total uint64 // of all that ever came
}

// add takes what is an error: a refusal, or an end that somebody is to blame for.
func (t *troubles) add(h *happening) {
	if h.kind != reactor.ConnRefused && (h.kind != reactor.ConnClosed || h.blame == reactor.BlameNone) {
		return
	}
	t.total++
	detail := brief(h.detail)
	fixed := timeless(detail)
	at := -1
	for i := range t.list {
		if t.list[i].same(h, fixed) {
			at = i
			break
		}
	}
	now := trouble{first: h.time, proto: h.source.Proto, outbound: h.source.Outbound,
		reason: h.reason, fixed: fixed}
	switch {
	case at >= 0:
		now = t.list[at]
	case len(t.list) < maxTroubles:
		t.list = append(t.list, trouble{})
		at = len(t.list) - 1
	default:
		at = maxTroubles - 1 // the oldest makes room
	}
	copy(t.list[1:at+1], t.list[:at])
	now.times++
	now.last, now.conn, now.remote, now.blame, now.detail = h.time, h.source.Conn, h.source.Remote, h.blame, detail
	if h.kind == reactor.ConnRefused {
		now.conn = 0
	}
	t.list[0] = now
}

// brief makes a text fit to be kept and shown: bounded, valid, and without
// characters that are not seen or turn the order of others around.
func brief(s string) string {
	cut := len(s) > maxBrief
	if cut {
		s = strings.Clone(s[:maxBrief])
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return utf8.RuneError
	}, s)
	if cut {
		s += "…"
	}
	return s
}
