package dialog_test

import (
	"log/slog"
	"strings"
	"testing"

	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/modules/proto_tcp"
	"sipreactor/reactor/modules/proto_tls"
	"sipreactor/reactor/modules/proto_udp"
	"sipreactor/reactor/modules/rr"
	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/modules/sipmsgops"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/script"
)

// TestReload: calls are followed over a reload of the script: one that rings, and one that begins behind it.
func TestReload(t *testing.T) {
	c := newCall(t, routes)
	ringing := c.request("INVITE", "1", false)
	c.answer(ringing, "180 Ringing", "b")
	l := script.Loader{Modules: []script.Constructor{tm.New, sl.New, signaling.New, rr.New, sipmsgops.New, dialog.New, proto_tls.New, proto_udp.New, proto_tcp.New}}
	next, err := l.Compile("test.cfg", []byte(head+routes))
	if err != nil {
		t.Fatal(err)
	}
	around := script.Surroundings{Log: slog.New(slog.DiscardHandler), Proxy: c.Proxy, Commands: c.Commands, StateDir: t.TempDir()}
	if err := next.Start(around, c.Config); err != nil {
		t.Fatal(err)
	}
	c.Proxy.SetRouter(next.Router())
	c.Config.Stop(next)
	first := c.Config
	defer func() { c.Config = first }()
	c.Config = next
	t.Cleanup(func() { next.Stop(nil) })
	c.answer(ringing, "200 OK", "b")
	if got := c.states(); got != "3" {
		t.Errorf("a call that rang is in state %s", got)
	}
	c.request("BYE", "2", true)
	if got := c.states(); got != "5" {
		t.Errorf("a call that was ended is in state %s", got)
	}
	c.toTag = ""
	c.answer(c.request("INVITE", "7", false), "200 OK", "b2")
	if got := c.states(); got != "5 3" && got != "3 5" {
		t.Errorf("a call that has begun since: %s", got)
	}
}

// states gives the states of the dialogs.
func (c *call) states() string {
	var all []string
	for _, part := range strings.Split(c.command("dlg_list", "{}"), `"state":`)[1:] {
		all = append(all, part[:1])
	}
	return strings.Join(all, " ")
}
