package dialog_test

import (
	"strings"
	"testing"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/rr"
	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/modules/sipmsgops"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/script"
)

// TestTold checks that what a callee was told by the INVITE is known where re-INVITEs are to say it again: a media relay may
// have changed what the caller said.
func TestTold(t *testing.T) {
	var m *dialog.Module
	kept := func(cfg *script.Config) *script.Module {
		all := dialog.New(cfg)
		m, _ = all.Instance.(*dialog.Module)
		return all
	}
	c := &call{t: t, id: "c1", Bench: moduletest.New(t, head+`
route { create_dialog("reinvite-ping-callee"); record_route(); t_relay(); }
`, tm.New, sl.New, signaling.New, rr.New, sipmsgops.New, kept)}
	c.Context.Receive([]byte(strings.Join([]string{"INVITE sip:bob@192.0.2.9;transport=tls SIP/2.0", "Via: SIP/2.0/TLS 10.0.0.9:40000;branch=z9hG4bKtold",
		"Max-Forwards: 70", "From: <sip:alice@example.net>;tag=a", "To: <sip:bob@example.net>", "Call-ID: c1", "CSeq: 1 INVITE",
		"Contact: <sip:alice@10.0.0.9:40000;transport=tls>", "Content-Type: application/sdp", "Content-Length: 9", "", "v=caller\n"}, "\r\n")), c.Source)
	if len(c.Sent) == 0 {
		t.Fatal(c.Log)
	}
	c.answer(c.Sent[len(c.Sent)-1].Text, "200 OK", "b")
	found := false
	m.Dialogs().Each(func(d *core.Dialog) bool {
		s := d.Summary()
		found = len(s.Callees) == 1
		if found && string(s.Callees[0].Told) != "v=caller\n" {
			t.Errorf("the callee was told %q", s.Callees[0].Told)
		}
		return true
	})
	if !found {
		t.Error("there is no dialog with a callee")
	}
}
