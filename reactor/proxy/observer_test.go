package proxy

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor"
)

// peerDiary is an Observer that writes down what it is told.
type peerDiary []string

func (d *peerDiary) Forwarded(t *reactor.Target) {
	*d = append(*d, fmt.Sprintf("forwarded to %v:%v %s", t.Proto, t.Addr, t.Name))
}

func (d *peerDiary) Failed(proto reactor.Proto, addr netip.AddrPort, name string, cause error) {
	*d = append(*d, fmt.Sprintf("failed %v:%v %s: %v", proto, addr, name, cause))
}

func (d *peerDiary) Received(from *reactor.Source) {
	*d = append(*d, fmt.Sprintf("received from %v", from.Remote))
}

func (d *peerDiary) Refused(addr netip.AddrPort, name string) {
	*d = append(*d, fmt.Sprintf("refused for %v %s", addr, name))
}

func (d *peerDiary) Answered(a *Answer) {
	*d = append(*d, fmt.Sprintf("%v %v:%v %d after %v", a.Method, a.From.Proto, a.From.Remote, a.Code, a.After))
}

func TestObserver(t *testing.T) {
	var d peerDiary
	b := newBed(t, funcs{}, func(c *Config) { c.Observer = &d })
	b.time = clockMask - 10 // it starts over meanwhile
	req := b.one(invite(), overTLS).text
	b.time += 2500
	b.one(answer(t, req, "180 Ringing"), fromUAS)
	b.time += uint64(maxRoundTrip.Microseconds())
	b.one(answer(t, req, "200 OK"), fromUAS)
	b.one(strings.Replace(answer(t, req, "486 No"), ";at=", ";at=a", 1), fromUAS)
	b.pass(strings.Replace(answer(t, req, "486 No"), "call1", "call2", 1), fromUAS)
	b.back(req)
	b.refuse = func(to *reactor.Target) error {
		if to.Conn != 0 {
			return nil
		}
		return gone
	}
	b.pass(invite(), overTLS)
	want := []string{
		"received from 198.51.100.7:40000",
		"forwarded to tls:203.0.113.9:5061 203.0.113.9",
		"INVITE tls:203.0.113.9:5061 180 after 2.5ms",
		"INVITE tls:203.0.113.9:5061 200 after 0s",
		"INVITE tls:203.0.113.9:5061 486 after 0s",
		fmt.Sprintf("failed tls:invalid AddrPort : %v", lateFailure),
		"received from 198.51.100.7:40000",
		fmt.Sprintf("failed tls:203.0.113.9:5061 203.0.113.9: %v", gone),
		"refused for 203.0.113.9:5061 203.0.113.9",
	}
	if got := strings.Join(d, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("told\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

// The time is not part of the branch, and nobody but us can write it.
func TestClock(t *testing.T) {
	k := newKeys(testKey)
	for _, want := range []clock{{}, {bits: 1}, {bits: clockMask}, {bits: 12345, edited: true}} {
		text := string(k.appendClock(nil, want, &testToken))
		if len(text) != clockText {
			t.Errorf("%q", text)
		}
		if got, ok := k.readClock([]byte("branch=x"+strings.ToUpper(text)), &testToken); !ok || got != want {
			t.Errorf("%q is %+v, want %+v", text, got, want)
		}
		other := testToken
		other.trans++
		if _, ok := k.readClock([]byte(text), &other); ok {
			t.Error("it is good for another branch")
		}
		if _, ok := k.readClock([]byte(flip(text)), &testToken); ok {
			t.Error("it is good when changed")
		}
	}
	now := ticking()
	if at := now(); time.Since(time.UnixMicro(int64(at))).Abs() > time.Minute || now() < at {
		t.Error("no time")
	}
}
