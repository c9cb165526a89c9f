package transaction

import (
	"strings"
	"testing"

	"sipreactor/reactor/proxy"
)

// A transaction that waits is given branches from outside: they leave with what the script
// has made of the request before, its Record-Route and Call-ID's dialog with it.
func TestInjectBranches(t *testing.T) {
	b := newBed(t)
	var handle uint64
	b.request = func(c *proxy.Context) {
		x, err := b.layer.Begin(c)
		if err != nil {
			t.Fatal(err)
		}
		handle = x.Handle()
		x.WaitForBranches(3)
		if err := c.RecordRoute(nil); err != nil {
			t.Error(err)
		}
	}
	b.take(request("INVITE", bob, "1"), overUDP)
	b.want("SIP/2.0 100 Giving it a try")
	inject := func(list ...Injected) (rc int) {
		if !b.layer.Do(b.ctx, handle, func(x *Exchange, _ *proxy.Context) { rc = x.InjectBranches(list, false, false) }) {
			t.Fatal("there is no such transaction")
		}
		return rc
	}
	if rc := inject(); rc >= 0 {
		t.Error("nothing is injected:", rc)
	}
	if rc := inject(Injected{URI: "no uri"}); rc >= 0 {
		t.Error("what is no URI is injected:", rc)
	}
	b.want()
	if rc := inject(Injected{URI: bob + ";x=1"}, Injected{URI: bob + ";x=2", Destination: "sip:203.0.113.10", Path: "<sip:203.0.113.10;lr>"}); rc < 0 {
		t.Fatal(rc)
	}
	out := b.want("INVITE "+bob+";x=1 SIP/2.0", "INVITE "+bob+";x=2 SIP/2.0")
	for i, s := range out {
		if header(t, s.text, "Record-Route") == "" {
			t.Errorf("branch %d has no Record-Route:\n%s", i, s.text)
		}
	}
	if !strings.Contains(out[1].text, "203.0.113.10;lr") {
		t.Errorf("the Path is missing:\n%s", out[1].text)
	}
	b.take(answer(t, out[0], "200 OK"), fromCallee)
	if first := b.wire.sent[0].first(); first != "SIP/2.0 200 OK" {
		t.Error(first)
	}
	b.wire.sent = nil
	b.take(answer(t, out[1], "486 Busy Here"), fromCallee)
}
