package rtpproxy

import (
	"errors"
	"fmt"
	"strings"
)

// flags are those of a call of rtpproxy_offer() or rtpproxy_answer().
type flags struct {
	lookup  bool   // as an answer
	keep    bool   // the SDP stays as it is
	again   bool   // although a relay has marked it
	trust   bool   // the address in the SDP is right
	origin  bool   // o= is changed, too
	session bool   // the session's c= is changed though all streams have one
	notify  bool   // rtpproxy tells when no media comes any more
	tell    string // where to; "": to rtpp_notify_socket
	command string
}

// parseFlags reads flags, each a letter.
func parseFlags(text string) (f flags, err error) {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case 'l':
			f.lookup = true
		case 'k':
			f.keep = true
		case 'f':
			f.again = true
		case 'r':
			f.trust = true
		case 'o':
			f.origin = true
		case 'c':
			f.session = true
		case 'n':
			f.notify = true
			if rest, ok := strings.CutPrefix(text[i+1:], "<"); ok {
				to, _, closed := strings.Cut(rest, ">")
				if !closed || to == "" || strings.ContainsAny(to, " \t\r\n\x00") {
					return f, errors.New("n has no socket between < and > behind it")
				}
				f.tell = to
				i += len(to) + 2
			}
		case 'a', 'i', 'e', 's', 'w':
			f.command += string(c - 'a' + 'A')
		case 'z':
			from := i
			for i+1 < len(text) && text[i+1] >= '0' && text[i+1] <= '9' {
				i++
			}
			if i == from || i-from > 4 {
				return f, fmt.Errorf("z has no number of milliseconds behind it")
			}
			f.command += "Z" + text[from+1:i+1]
		case 'd', 't', 'T':
			return f, fmt.Errorf("the flag %c is not supported: DTMF is not told, and times are rtpproxy's", c)
		case ' ':
		default:
			return f, fmt.Errorf("unknown flag %q: a, l, k, i, e, f, r, o, c, s, w, n, n<socket> and zNN are there", c)
		}
	}
	return f, nil
}
