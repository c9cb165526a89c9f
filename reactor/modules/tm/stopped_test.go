package tm_test

import (
	"strings"
	"testing"
)

// TestStoppedByABound: a request whose script ends by one of its bounds is answered, by its transaction if
// it has one, and only if nothing else was: an ACK never.
func TestStoppedByABound(t *testing.T) {
	const (
		routes = `
route[a] { route(b); }
route[b] { route(a); }
route[long] { $var(i) = 0; while ($var(i) < 99) { $var(i) += 1; route(wide); } }
route[wide] { $var(j) = 0; while ($var(j) < 99) { $var(j) += 1; route(inner); } }
route[inner] { $var(k) = 0; while ($var(k) < 99) { $var(k) += 1; route(none); } }
route[none] { $var(n) = 0; while ($var(n) < 99) { $var(n) += 1; $var(n) += 0; } }
route[large] { $var(x) = "0123456789abcdef"; $var(i) = 0;
	while ($var(i) < 11) { $var(i) += 1; $var(x) = $var(x) + $var(x); }
	$var(i) = 0; while ($var(i) < 99) { $var(i) += 1; $var(j) = 0; while ($var(j) < 99) { $var(j) += 1; $var(y) = "x" + $var(x); } } }
route[down] { $var(d) += 1; if ($var(d) < 99) route(down); else { t_on_branch("far"); t_relay(); } }
branch_route[far] { xlog("seen"); }
`
		deep, long = "routes call each other too deep", "it takes too long for one message"
	)
	for _, tt := range []struct{ method, text, sent, why string }{
		{"OPTIONS", `route(a);`, "500", deep},
		{"OPTIONS", `if (route(a)) sl_send_reply(200, "OK"); sl_send_reply(200, "OK");`, "500", deep},
		{"OPTIONS", `route(long);`, "500", long},
		{"OPTIONS", `route(large);`, "500", long},
		{"INVITE", `t_newtran(); route(a);`, "100 500", deep},
		{"INVITE", `t_relay(); route(a);`, "100 INVITE", deep},
		{"INVITE", `forward(); route(a);`, "INVITE", deep},
		{"OPTIONS", `sl_send_reply(486, "Busy"); route(a);`, "486", deep},
		{"INVITE", `t_reply(486, "Busy"); route(a);`, "100 486", deep},
		{"ACK", `route(a);`, "", deep},
		{"INVITE", `$var(d) = 0; route(down);`, "100 500", deep},
	} {
		b := start(t, routes+"route { "+tt.text+" }")
		b.send(t, tt.method)
		if got := b.Status(); got != tt.sent || !strings.Contains(strings.Join(b.Log, "|"), tt.why) {
			t.Errorf("%s, %s: sent %q, want %q; log %q", tt.method, tt.text, got, tt.sent, b.Log)
		}
	}
	b := start(t, routes+"error_route { sl_send_reply(503, \"Ours\"); exit; } route { route(a); }")
	b.send(t, "OPTIONS")
	b.want(t, "503")
}
