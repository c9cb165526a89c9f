package rtpproxy

import (
	"errors"
	"strconv"
	"strings"

	"sipreactor/reactor/script"
)

// maxPrompt bounds the name of a prompt.
const maxPrompt = 255

var (
	errPrompt = errors.New("the name of a prompt is a path of at most 255 characters without blanks")
	errCount  = errors.New("a prompt is played once or more often, or -1: until it is stopped")
)

// stream builds rtpproxy_stream2uac() and rtpproxy_stream2uas().
func (m *module) stream(uas bool) func(a *script.Args) script.Action {
	return func(a *script.Args) script.Action {
		f := m.newAct(a, 2, 3)
		prompt, count := a.Text(0), a.Int(1)
		return func(x *script.Machine) int {
			name, _ := prompt(x)
			n, ok := count(x)
			switch {
			case len(name) == 0 || len(name) > maxPrompt || strings.ContainsAny(string(name), " \t\r\n\x00"):
				return f.failed(x, errPrompt)
			case !ok || n < -1 || n == 0 || n > 1<<31-1:
				return f.failed(x, errCount)
			}
			// "session" is the codecs that the parties have agreed on.
			return f.play(x, uas, "P"+strconv.FormatInt(n, 10), string(name)+" session ")
		}
	}
}

// stopStream builds rtpproxy_stop_stream2uac() and rtpproxy_stop_stream2uas().
func (m *module) stopStream(uas bool) func(a *script.Args) script.Action {
	return func(a *script.Args) script.Action {
		f := m.newAct(a, 0, 1)
		return func(x *script.Machine) int { return f.play(x, uas, "S", "") }
	}
}

// play sends a command about the first stream of the call. The tag of who hears it stands first.
func (f *act) play(x *script.Machine, uas bool, command, what string) int {
	s, err := f.session(x, uas)
	if err == nil {
		err = f.with(x, f.m.newQuestion(s, command+" "+s.callID+" "+what+s.words(1)))
	}
	if err != nil {
		return f.failed(x, err)
	}
	return 1
}
