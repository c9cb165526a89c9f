package rtpproxy

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"sipreactor/reactor/internal/waittest"
	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/rr"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/ports"
)

// TestNotificationElsewhere: the flag n may say where rtpproxy is to tell that.
func TestNotificationElsewhere(t *testing.T) {
	r := newStub(t)
	b := moduletest.New(t, head(r.url)+`route { rtpproxy_offer("rn<tcp:192.0.2.1:9>o"); xlog("$rc"); }`, New, sl.New)
	b.Receive(withBody(string(moduletest.Invite), offer))
	if got := r.take(); !strings.HasSuffix(got, " tcp:192.0.2.1:9 a84b4c76e66710%40pc33") || b.Log[0] != "1" {
		t.Errorf("%s, log %q", got, b.Log)
	}
	for _, flags := range []string{"n<", "n<>", "n<tcp:x", "n<a b>"} {
		if _, err := parseFlags(flags); err == nil {
			t.Errorf("%s is taken", flags)
		}
	}
}

// TestNotification: with the flag n an offer tells rtpproxy where to say that no media
// comes any more, and which call that is; a line from there ends the call.
func TestNotification(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			at := "/" + strings.TrimPrefix(filepath.Join(t.TempDir(), "notify"), "/")
			if network == "tcp" {
				free, err := ports.Address()
				if err != nil {
					t.Fatal(err)
				}
				at = "tcp:" + free
			}
			r := newStub(t)
			text := moduletest.Head("rtpproxy", "sl", "tm", "rr", "dialog") + fmt.Sprintf(`modparam("rtpproxy", "rtpproxy_sock", %q)
modparam("rtpproxy", "rtpp_notify_socket", %q)
route { create_dialog(); rtpproxy_offer("ron"); t_relay(); }
`, r.url, at)
			b := moduletest.New(t, text, New, sl.New, tm.New, rr.New, dialog.New)
			b.Receive(withBody(string(moduletest.Invite), offer))
			callID := b.Sent[len(b.Sent)-1].Header("Call-ID")
			if got, want := r.take(), " "+at+" "+url.QueryEscape(callID); !strings.Contains(got+"|", want+"|") {
				t.Fatalf("commands %s, want %q behind them", got, want)
			}
			if list := b.Command(t, "dlg_list", nil); !strings.Contains(list, callID) {
				t.Fatalf("no dialog: %s", list)
			}
			c, err := net.Dial(network, strings.TrimPrefix(at, "tcp:"))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := fmt.Fprintf(c, "nothing\n%s\n", callID); err != nil {
				t.Fatal(err)
			}
			waittest.For(t, "the call has ended", func() bool { return !strings.Contains(b.Command(t, "dlg_list", nil), callID) })
		})
	}
}
