package proxy

import (
	"strings"
	"testing"

	"sipreactor/reactor"
)

// A Router that panics over a request answers it 500, over a response costs that
// alone; the connections live and carry on.
func TestRouterPanics(t *testing.T) {
	l := run(t, funcs{request: func(c *Context) {
		if strings.Contains(string(c.Msg.CallID()), "bad") {
			panic("a fault")
		}
		_ = c.Forward(nil)
	}, response: func(c *Context) {
		if c.Msg.StatusCode() == 486 {
			panic("another")
		}
	}})
	s := l.serve()
	p := l.dial()
	p.say(request("OPTIONS", s.uri(), "Call-ID: bad"))
	p.expect("SIP/2.0 500 ")
	p.say(request("ACK", s.uri(), "Call-ID: bad-ack"))
	p.say(request("OPTIONS", s.uri()))
	up := s.accept()
	req := up.expect("OPTIONS ")
	up.say(answer(t, req, "486 Busy") + answer(t, req, "200 OK"))
	p.expect("SIP/2.0 200 ")
	if st := l.engine.Stats(); st.Panics != 3 || st.Closed[reactor.HandlerFailed] != 0 {
		t.Errorf("%d panics, %d connections ended by them", st.Panics, st.Closed[reactor.HandlerFailed])
	}
}
