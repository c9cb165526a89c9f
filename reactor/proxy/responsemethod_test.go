package proxy

import (
	"strings"
	"testing"
)

// A server that answers another method than it was asked for reaches nobody.
func TestResponseOfAnotherMethod(t *testing.T) {
	l := run(t, funcs{})
	s := l.serve()
	client := l.dial()
	client.say(request("OPTIONS", s.uri()))
	up := s.accept()
	good := answer(t, up.expect("OPTIONS "), "200 OK")
	up.say(strings.Replace(good, "CSeq: 7 OPTIONS", "CSeq: 7 MESSAGE", 1))
	up.say(good)
	if got := client.expect("SIP/2.0 200"); !strings.Contains(got, "CSeq: 7 OPTIONS\r\n") {
		t.Errorf("%q", got)
	}
	l.counted(ResponsesMismatched, 1)
}
