package proxy

import (
	"strings"
	"testing"

	"go.uber.org/goleak"

	"sipreactor/reactor"
	"sipreactor/sipframe"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// gnet has a pool that lives as long as the process.
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).purgeStaleWorkers"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).ticktock"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*goWorker).run.func1"),
	)
}

func TestConfig(t *testing.T) {
	for name, cfg := range map[string]Config{
		"MaxForwards":      {MaxForwards: -1},
		"MaxForwards high": {MaxForwards: 256},
		"Server":           {ServerHeader: "x\r\nY: z"},
		"alias":            {MyDomains: []string{"good", "a:b:c"}},
	} {
		if _, err := New(cfg, funcs{}); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	p, err := New(Config{}, funcs{})
	if err != nil {
		t.Fatal(err)
	}
	q, err := New(Config{}, funcs{})
	if err != nil {
		t.Fatal(err)
	}
	if *p.keys == *q.keys {
		t.Error("two proxies have the same key")
	}
}

// Messages go by the Router that is set when they come.
func TestSetRouter(t *testing.T) {
	b := newBed(t, responder(404, ""))
	b.proxy.SetRouter(responder(486, ""))
	if s := b.one(invite(), overTLS); !strings.HasPrefix(s.text, "SIP/2.0 486") {
		t.Errorf("got %s", firstLine(s.text))
	}
}

// A worker keeps its Context; a call within a call gets another.
func TestContextOfWorker(t *testing.T) {
	b := newBed(t, funcs{})
	w := new(reactor.Worker)
	c := b.proxy.context(w)
	if w.Local != c || b.proxy.context(w) != c || c.W != w {
		t.Error("not kept")
	}
	c.busy = true
	if other := b.proxy.context(w); other == c || w.Local != c {
		t.Error("a busy Context is given away")
	}
	c.busy = false
	other := newBed(t, funcs{})
	if d := other.proxy.context(w); d == c || d.proxy != other.proxy {
		t.Error("a Context of another proxy is used")
	}
	w = &reactor.Worker{Local: "somebody else's"}
	if d := b.proxy.context(w); d == nil || w.Local != d {
		t.Error("no Context")
	}
}

// The Handler's methods lead to those of the Context.
func TestHandler(t *testing.T) {
	b := newBed(t, responder(200, ""))
	w := &reactor.Worker{Local: b.ctx}
	frame := &reactor.Frame{Data: []byte(invite()), Src: overTLS}
	b.proxy.Message(w, frame)
	b.proxy.Overload(w, frame)
	b.proxy.Malformed(w, frame, sipframe.Defect{Code: 400, Reason: "x", Answerable: true})
	b.proxy.Undelivered(w, &reactor.Undelivered{Data: []byte("x"), Err: lateFailure})
	var got []string
	for _, s := range b.sent {
		got = append(got, s.text[8:11])
	}
	if strings.Join(got, " ") != "200 503 400" {
		t.Errorf("sent %q", got)
	}
}

func TestFlags(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) {
		c.SetFlag(0)
		c.SetFlag(63)
		c.ResetFlag(0)
		c.SetBranchFlag(5)
		c.SetBranchFlag(6)
		c.ResetBranchFlag(5)
		if c.IsFlagSet(0) || !c.IsFlagSet(63) || c.IsBranchFlagSet(5) || !c.IsBranchFlagSet(6) || c.IsFlagSet(6) {
			t.Error("flags")
		}
		if c.Proxy() == nil || c.SendSocket() != nil {
			t.Error("accessors")
		}
		c.User = "mine"
	}})
	b.pass(invite(), overTLS)
	if b.ctx.User != "mine" {
		t.Error("User is not kept")
	}
}

func TestOwes(t *testing.T) {
	b := newBed(t, funcs{})
	if n := b.proxy.Owes(); n != 0 {
		t.Errorf("a stateless proxy owes %d", n)
	}
	b.proxy.SetOwes(func() int { return 3 })
	if n := b.proxy.Owes(); n != 3 {
		t.Errorf("%d owed", n)
	}
}
