package proxy

import (
	"strings"
	"testing"

	"sipreactor/sipframe"
)

// TestChanges puts a Router's changes upon the same request in another Context: it leaves as it left before.
func TestChanges(t *testing.T) {
	var kept Changes
	change := func(c *Context) {
		_ = c.AppendHeader([]byte("X-New: 1\r\n"))
		c.RemoveHeader([]byte("Subject"))
		_ = c.RecordRoute([]byte(";x=1"))
		_ = c.SetRequestURI([]byte("sip:carol@203.0.113.9:5061;transport=tls"))
		_ = c.SetBody([]byte("text/plain"), []byte("hello"))
		_ = c.AddRRParam([]byte(";y=2"))
		c.SetFlag(5)
		c.SetBranchFlag(6)
		c.MaxForwards(10)
	}
	b := newBed(t, funcs{request: func(c *Context) {
		change(c)
		c.Save(&kept)
		_ = c.Forward(nil)
	}})
	text := invite("+Subject: none")
	first := b.one(text, overTLS).text

	other := b.proxy.NewContext(b.recorder)
	for range 2 { // the memory is used again
		b.sent = nil
		if err := other.Begin([]byte(text), overTLS); err != nil {
			t.Fatal(err)
		}
		_ = other.AppendHeader([]byte("X-Other: 1\r\n"))
		other.Restore(&kept)
		if !other.IsFlagSet(5) || !other.IsBranchFlagSet(6) {
			t.Error("flags are lost")
		}
		_ = other.Forward(nil)
		other.End()
		if len(b.sent) != 1 || b.sent[0].text != first {
			t.Errorf("sent %+v\nwant %s", b.sent, first)
		}
	}
	_ = other.Begin([]byte(text), overTLS)
	other.Restore(&kept)
	other.ResetDestination()
	if got := string(other.RequestURI()); got != string(other.Msg.RequestURI()) || other.IsBranchFlagSet(6) {
		t.Errorf("the destination stays: %s", got)
	}
	other.End()
	if got := parse(t, first); got.Method() != sipframe.INVITE || !strings.Contains(first, "X-New: 1") || strings.Contains(first, "Subject") {
		t.Error(first)
	}
}
