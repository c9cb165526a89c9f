package dialog_test

import (
	"strings"
	"testing"
)

// TestPRACK has a reliable 183 acknowledged in the place of the caller, and later requests renumbered behind that.
func TestPRACK(t *testing.T) {
	c := newCall(t, strings.Replace(routes, `create_dialog("B")`, `create_dialog("bye-on-timeout,auto-prack")`, 1))
	out := c.request("INVITE", "1", false)
	for i, want := range []int{1, 0, 1} { // the second one was sent again
		rseq := []string{"7", "7", "8"}[i]
		c.answer(out, "183 Session Progress", "b", "Require: 100rel", "RSeq: "+rseq)
		var pracks []string
		for _, s := range c.responses {
			if strings.HasPrefix(s.Text, "PRACK ") {
				pracks = append(pracks, s.Text)
			} else if strings.Contains(s.Text, "RSeq") || strings.Contains(s.Text, "100rel") {
				t.Errorf("the caller is to acknowledge it, too:\n%s", s.Text)
			}
		}
		if len(pracks) != want {
			t.Fatalf("%d: %d requests", i, len(pracks))
		}
		if want == 1 && (!strings.HasPrefix(pracks[0], "PRACK sip:bob@192.0.2.9;transport=tls SIP/2.0\r\n") || !strings.Contains(pracks[0], "RAck: "+rseq+" 1 INVITE\r\n") ||
			!strings.Contains(pracks[0], ";tag=b\r\n")) {
			t.Errorf("%s", pracks[0])
		}
		for _, p := range pracks {
			c.answer(p, "200 OK", "b")
			c.toTag = ""
		}
	}
	c.answer(out, "200 OK", "b")
	if ack := c.request("ACK", "1", false); !strings.Contains(ack, "CSeq: 1 ACK\r\n") {
		t.Errorf("%s", ack)
	}
	if bye := c.request("BYE", "2", false); !strings.Contains(bye, "CSeq: 4 BYE\r\n") {
		t.Errorf("%s", bye)
	}
}

// TestPRACKFails: with auto_prack_hangup_on_failure the call ends.
func TestPRACKFails(t *testing.T) {
	c := newCall(t, "modparam(\"dialog\", \"auto_prack_hangup_on_failure\", 1)\n"+strings.Replace(routes, `create_dialog("B")`, `create_dialog("auto-prack")`, 1))
	out := c.request("INVITE", "1", false)
	c.answer(out, "183 Session Progress", "b", "Require: 100rel", "RSeq: 7")
	for _, s := range c.responses {
		if strings.HasPrefix(s.Text, "PRACK ") {
			c.answer(s.Text, "481 No", "b")
		}
	}
	got := ""
	for _, s := range c.responses {
		got += s.Text[:11] + "|"
	}
	if !strings.Contains(got, "SIP/2.0 502") || !strings.Contains(got, "CANCEL ") {
		t.Errorf("%s %v", got, c.Log)
	}
}

// TestIncCSeq has the numbers of a side grow.
func TestIncCSeq(t *testing.T) {
	c := newCall(t, strings.Replace(routes, `t_relay();
		exit;`, `if (is_method("INFO")) { dlg_inc_cseq(); $var(a) = $rc; dlg_inc_cseq("a", 3); $var(b) = $rc; dlg_inc_cseq("x"); xlog("$var(a) $var(b) $rc"); }
		t_relay();
		exit;`, 1))
	c.up()
	c.request("INFO", "2", false)
	if got := c.Log[len(c.Log)-1]; got != "1 1 -1" {
		t.Error(got)
	}
	if out := c.request("UPDATE", "3", false); !strings.Contains(out, "CSeq: 4 UPDATE") {
		t.Errorf("%s", out)
	}
	if out := c.request("UPDATE", "3", true); !strings.Contains(out, "CSeq: 6 UPDATE") {
		t.Errorf("%s", out)
	}
}

// TestRAck has a PRACK name its INVITE by the number that it got on the way, whatever went of ours since.
func TestRAck(t *testing.T) {
	c := newCall(t, strings.Replace(routes, `t_relay();
		exit;`, `if (is_method("INFO")) { dlg_inc_cseq(); dlg_inc_cseq("a", 3); }
		t_relay();
		exit;`, 1))
	c.up()
	c.request("INFO", "2", false)
	for _, back := range []bool{false, true} {
		info, invite, prack, other := "4", "CSeq: 4 INVITE\r\n", "CSeq: 7 PRACK\r\n", "RAck: 9 4 INVITE\r\n"
		if back {
			info, invite, prack, other = "6", "CSeq: 9 INVITE\r\n", "CSeq: 14 PRACK\r\n", "RAck: 9 9 INVITE\r\n"
		}
		if out := c.request("INVITE", "3", back); !strings.Contains(out, invite) {
			t.Errorf("%v: %s", back, out)
		}
		c.request("INFO", info, false)
		if out := c.request("PRACK", "5", back, "RAck: 9 3 INVITE"); !strings.Contains(out, prack) || !strings.Contains(out, other) {
			t.Errorf("%v: %s", back, out)
		}
	}
	if out := c.request("PRACK", "7", false, "RAck: 9 1 INVITE"); !strings.Contains(out, "RAck: 9 1 INVITE\r\n") {
		t.Errorf("the first INVITE: %s", out)
	}
}
