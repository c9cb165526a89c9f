package transaction

import (
	"strings"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
)

// A 2xx of ours to an INVITE goes out again until its ACK has come, over any transport, or for 64*T1 (RFC 3261 13.3.1.4).
func TestOwnAnswer(t *testing.T) {
	for _, reliable := range []bool{false, true} {
		r := newRig(t, true, reliable)
		r.tx.Respond(r.now, 200)
		r.pass(4 * time.Second)
		r.tx.Repeated(r.now) // RFC 6026 7.1: absorbed
		r.want("0s answer ours 200", "500ms again", "1.5s again", "3.5s again")
		r.tx.Acknowledged(r.now)
		r.tx.Acknowledged(r.now)
		r.pass(40 * time.Second)
		r.want("32s gone")
		r.wantGone(true)

		r = newRig(t, true, reliable)
		r.tx.Respond(r.now, 202)
		r.pass(40 * time.Second)
		r.want("0s answer ours 202", "500ms again", "1.5s again", "3.5s again", "7.5s again", "11.5s again", "15.5s again",
			"19.5s again", "23.5s again", "27.5s again", "31.5s again", "32s lost 1", "32s gone")
	}
	r := newRig(t, false, true)
	r.tx.Respond(r.now, 200)
	r.want("0s answer ours 200", "0s gone")
}

// The ACK to a 2xx of ours is found by its dialog: it has a branch of its own. The script sees it, and t_relay() sends
// nothing. An ACK to another 2xx goes on.
func TestOwnAnswerAcknowledged(t *testing.T) {
	for _, src := range []*reactor.Source{overUDP, overTLS} {
		b := newBed(t)
		b.routes.request = func(c *proxy.Context) {
			if c.Msg.MethodName() != nil && string(c.Msg.MethodName()) == "INVITE" {
				b.layer.Respond(c, 200, nil, nil)
				return
			}
			b.relay(c)
		}
		b.take(request("INVITE", bob, "1"), src)
		ok := b.want("SIP/2.0 100 Giving it a try", "SIP/2.0 200 OK")[1]
		b.pass(1600 * time.Millisecond)
		if again := b.want("SIP/2.0 200 OK", "SIP/2.0 200 OK"); again[1].text != ok.text {
			t.Error("it differs from what went out first")
		}
		b.take(request("ACK", bob, "2", "To: <sip:bob@example.com>;tag=another"), src)
		b.want("ACK " + bob + " SIP/2.0")
		b.pass(2 * time.Second)
		b.want("SIP/2.0 200 OK")
		for _, branch := range []string{"3", "4"} {
			b.take(request("ACK", bob, branch, "To: "+header(t, ok.text, "To")), src)
			b.want()
			if rc := b.rc[len(b.rc)-1]; rc != Relayed {
				t.Errorf("t_relay of the ACK returned %d", rc)
			}
		}
		b.pass(10 * time.Second)
		b.want()
		b.pass(30 * time.Second)
		if n := b.layer.answers.live.Load(); n != 0 || b.layer.Live() != 0 {
			t.Errorf("%d answers, %d transactions are left", n, b.layer.Live())
		}
	}
}

// An answer from outside has the To tag that it is given, unless the request has one.
func TestRespondTag(t *testing.T) {
	for _, c := range []struct{ to, tag, want string }{
		{"To: <sip:bob@example.com>", "given", "<sip:bob@example.com>;tag=given"},
		{"To: <sip:bob@example.com>;tag=was", "given", "<sip:bob@example.com>;tag=was"},
		{"To: <sip:bob@example.com>", "", ";tag="},
	} {
		b := newBed(t)
		b.routes.request = func(c *proxy.Context) {
			if x, err := b.layer.Begin(c); err == nil {
				x.KeepOpen()
			}
		}
		b.take(request("INVITE", bob, "1", c.to), overUDP)
		b.want("SIP/2.0 100 Giving it a try")
		b.layer.Do(b.ctx, b.layer.FindInvite([]byte("c1"), 1), func(x *Exchange, _ *proxy.Context) {
			x.Respond(480, nil, nil, []byte("X-More: 1\r\n"), []byte(c.tag))
		})
		got := b.want("SIP/2.0 480 Temporarily Unavailable")[0]
		if !strings.Contains(header(t, got.text, "To"), c.want) || header(t, got.text, "X-More") != "1" {
			t.Errorf("%+v: %s", c, got.text)
		}
		b.take(request("ACK", bob, "1", "To: "+header(t, got.text, "To")), overUDP)
	}
}
