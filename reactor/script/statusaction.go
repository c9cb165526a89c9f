package script

import (
	"errors"

	"sipreactor/reactor/proxy"
)

// StatusAction makes the Build of a function of a status code and a reason phrase, as
// send_reply(code, "reason") is. A reason that is NULL is nil.
func StatusAction(do func(m *Machine, at *Site, code int, reason []byte) int) func(a *Args) Action {
	return func(a *Args) Action {
		code, reason, at := a.Int(0), a.Text(1), a.at
		if text, fixed := a.Fixed(0); fixed {
			if n, _ := code(nil); n < 100 || n > 699 {
				a.Errorf(0, "a status code is 100 to 699, not %s", clip(text))
				return nil
			}
		}
		return func(m *Machine) int {
			n, ok := code(m)
			if !ok || n < 100 || n > 699 {
				return m.Fail(at, "the code is no number from 100 to 699")
			}
			b, _ := reason(m)
			return do(m, at, int(n), b)
		}
	}
}

// Responded gives the code of a response. To answer an ACK, or to answer twice, is a
// common slip of scripts and only noted.
func (m *Machine) Responded(at *Site, err error) int {
	switch {
	case err == nil:
		return 1
	case errors.Is(err, proxy.ErrACK):
		return -1
	default:
		at.say(m, LevelWarn, "script: "+at.what+" failed", "error", err)
		return -1
	}
}
