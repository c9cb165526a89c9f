package proxy

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"sipreactor/reactor"
	"sipreactor/reactor/names"
)

// keeper is a Transactions that knows one handle.
type keeper struct {
	handle             uint64
	responses, returns int
}

func (k *keeper) Response(_ *Context, h uint64) bool {
	if h == k.handle {
		k.responses++
	}
	return h == k.handle
}
func (k *keeper) Request(c *Context, r Router) { r.Request(c) }
func (k *keeper) Returned(_ *Context, h uint64, _ *reactor.Error) {
	if h == k.handle {
		k.returns++
	}
}
func (k *keeper) ResponseReturned(*Context, *reactor.Error) bool { return false }
func (k *keeper) Acknowledges(*Context) bool                     { return false }

// TestSendBranch sends a request by a branch that leads to a transaction: responses and what comes back go there, and
// when nobody knows the transaction a young response goes on by its Via.
func TestSendBranch(t *testing.T) {
	k := &keeper{handle: 0x1234_0000_0007}
	b := newBed(t, funcs{request: func(c *Context) {
		var w Way
		var text []byte
		if err := c.Aim(nil, &w); err != nil || !w.Reliable() || !w.More() {
			t.Errorf("aim: %v, %+v", err, w)
		}
		if err := c.SendBranch(k.handle, 0, &w, &text); err != nil || w.More() || len(text) == 0 {
			t.Errorf("send: %v, %+v", err, w)
		}
		if w.Target().Addr != netip.MustParseAddrPort("203.0.113.9:5061") {
			t.Errorf("went to %v", w.Target())
		}
	}})
	b.proxy.SetTransactions(k)
	out := b.one(invite(), overTLS)
	if n := len(headers(t, out.text, "Via")); n != 2 {
		t.Fatalf("%d Vias", n)
	}
	ok := answer(t, out.text, "200 OK")
	if list := b.pass(ok, fromUAS); len(list) != 0 || k.responses != 1 {
		t.Errorf("%d responses, %+v sent", k.responses, list)
	}
	b.ctx.Return(&reactor.Undelivered{Data: []byte(out.text), Err: gone})
	if k.returns != 1 {
		t.Errorf("%d came back", k.returns)
	}
	k.handle++
	b.time += 31e6
	if got := b.one(ok, fromUAS); firstLine(got.text) != "SIP/2.0 200 OK" {
		t.Error(got)
	}
	b.time += 2e6
	if list := b.pass(ok, fromUAS); len(list) != 0 {
		t.Errorf("a late response went on: %+v", list)
	}
	if n := b.proxy.Count(ResponsesLate); n != 1 {
		t.Errorf("%d late", n)
	}
}

// TestSendBranchOnward tries the addresses of a destination until one takes the request.
func TestSendBranchOnward(t *testing.T) {
	refused := 0
	b := newBed(t, funcs{request: func(c *Context) {
		var w Way
		var text []byte
		err := c.Aim([]byte("tls:two.example.com"), &w)
		if err == nil {
			err = c.SendBranch(1, 0, &w, &text)
		}
		if err != nil || w.More() {
			t.Errorf("%v, %+v", err, w)
		}
		if err = c.SendBranch(1, 0, &w, &text); !errors.Is(err, names.ErrUnresolved) {
			t.Errorf("nothing is left to try: %v", err)
		}
		if err = c.Aim([]byte("sip:x@203.0.113.9;transport=sctp"), &w); !errors.Is(err, ErrTransport) {
			t.Errorf("sctp: %v", err)
		}
	}}, func(c *Config) { c.Resolver = addresses("192.0.2.8:5061", "192.0.2.9:5061") })
	b.refuse = func(*reactor.Target) error {
		if refused++; refused == 1 {
			return gone
		}
		return nil
	}
	out := b.one(invite(), overTLS)
	if out.to.Addr != netip.MustParseAddrPort("192.0.2.9:5061") || !strings.HasPrefix(out.text, "INVITE ") {
		t.Errorf("%+v", out)
	}
}
