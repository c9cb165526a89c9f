package script

import (
	"log/slog"
	"strings"
	"testing"
)

const plainHead = `socket=tcp:127.0.0.1:5060
loadmodule "proto_tcp.so"
xlog_level=4
xlog_print_level=3
route { exit; }
`

// recorded compiles routes behind plainHead and gives what they log.
func recorded(t *testing.T, routes string) (*Config, *[]string) {
	t.Helper()
	cfg, err := compile("cfg", []byte(plainHead+routes))
	if err != nil {
		t.Fatal(err)
	}
	log := new([]string)
	cfg.Program.SetLogger(slog.New(lines{log, slog.LevelDebug}))
	return cfg, log
}

func TestEvent(t *testing.T) {
	cfg, log := recorded(t, `
event_route[E_CORE_TCP_DISCONNECT] {
	xlog("$param(src_ip):$param(src_port) $param(dst_ip):$param(6) $(param(proto){s.len}) $ru $si");
	if ($param(src_port) == 5060 && $param(dst_port) == NULL) route(told, $param(reason));
}
event_route[E_TLS_HANDSHAKE_FAILED, async] { drop; }
route[told] { xlog("told $param(1)"); }
`)
	p := cfg.Program
	p.Event(EventDisconnect, NumberParam("src_port", 5060), TextParam("src_ip", "192.0.2.1"), TextParam("reason", "idle timeout"),
		TextParam("proto", "tls"), TextParam("colour", "red"), TextParam("dst_ip", ""))
	if got := strings.Join(*log, "|"); got != "192.0.2.1:5060 :idle timeout 3 <null> <null>|told idle timeout" {
		t.Error(got)
	}
	*log = nil
	p.Event(EventDisconnect)
	if got := strings.Join(*log, "|"); got != "<null>:<null> <null>:<null> <null> <null> <null>" {
		t.Error("nothing of the event before may be left:", got)
	}
	*log = nil
	p.Event(EventHandshakeFailed)
	p.Event(EventConnectFailed)
	p.Event("E_NO_SUCH")
	if len(*log) != 0 || !p.hasEvent(EventHandshakeFailed) || p.hasEvent(EventConnectFailed) || p.hasEvent("E_NO_SUCH") {
		t.Error(*log)
	}
	if len(cfg.Notes) != 0 {
		t.Error(cfg.Notes)
	}
}

// Events of other programs' modules load with a note, whatever they ask for.
func TestForeignEvent(t *testing.T) {
	cfg, _ := recorded(t, `event_route[E_DISPATCHER_STATUS] { xlog("$param(group) $param(address)"); }`)
	if len(cfg.Notes) != 1 || !strings.Contains(cfg.Notes[0].Msg, "there is no such event here; there are E_CORE_SR_STATUS_CHANGED, E_CORE_TCP_DISCONNECT, ") {
		t.Error(cfg.Notes)
	}
	cfg.Program.Event("E_DISPATCHER_STATUS")
}

func TestEventErrors(t *testing.T) {
	for routes, want := range map[string]string{
		`event_route[E_CORE_TCP_DISCONNECT] { xlog("$param(srcip)"); }`:                                   "has no parameter srcip (did you mean src_ip?)",
		`event_route[E_CORE_TCP_DISCONNECT] { exit; } event_route[E_CORE_TCP_DISCONNECT] { exit; }`:       "event_route[E_CORE_TCP_DISCONNECT] is defined at line 6 already",
		`startup_route { exit; } startup_route { exit; }`:                                                 "startup_route is defined at line 6 already",
		`timer_route[t, 1] { exit; } timer_route[t, 2] { exit; }`:                                         "timer_route[t] is defined at line 6 already",
		`route[a] { exit; } route[a] { exit; }`:                                                           "route[a] is defined at line 6 already",
		`event_route[E_CORE_TCP_DISCONNECT, later] { exit; }`:                                             "expected sync or async",
		`timer_route[t, 1] { forward(); }`:                                                                "forward() cannot be used in timer_route",
		`timer_route[t, 1] { $du = "sip:h"; }`:                                                            "$du cannot be assigned to in timer_route, which has no message",
		`startup_route { if ($var(x) == myself) exit; }`:                                                  "myself cannot be used in startup_route, which has no message",
		`startup_route { if (is_myself("h")) exit; }`:                                                     "is_myself() cannot be used in startup_route",
		`event_route[E_CORE_TCP_DISCONNECT] { $var(x) = 1; while ($var(x) != myself) tcp_close_conn(); }`: "tcp_close_conn() cannot be used in event_route",
	} {
		_, err := compile("cfg", []byte(plainHead+routes))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\n%v", routes, err)
		}
	}
}
