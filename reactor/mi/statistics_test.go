package mi

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestStatistics(t *testing.T) {
	n, e := fakeNode()
	d := commandsOf(t, n)
	const none = `{"code":404,"message":"Statistics Not Found"}`
	for _, c := range []struct{ method, params, want string }{
		{"get_statistics", `["tls:"]`, `{"tls:handshakes":5,"tls:handshakes_in_tlsv1_2":1,"tls:handshakes_in_tlsv1_3":4,"tls:handshakes_failed":3,` +
			`"tls:failed_in_handshake_timeout":3,"tls:failed_in_handshake_failed":0,"tls:failed_in_rejected_by_domain":0,` +
			`"tls:failed_out_handshake_timeout":0,"tls:failed_out_handshake_failed":0,"tls:failed_out_rejected_by_domain":0,` +
			`"tls:resumed":0,"tls:resumed_in":2,"tls:resumed_out":0,"tls:handshakes_waiting":0,"tls:parked_handshakes":0,` +
			`"tls:unparked_handshakes":0,"tls:handshake_microseconds_in":2500000,"tls:handshake_microseconds_out":0,` +
			`"tls:defect_alert_received_unknown_ca":1,"tls:defect_no_certificate":2,"tls:days_left_server_in":0,` +
			`"tls:tls_trace_sent":5,"tls:tls_trace_dropped":3,"tls:tls_trace_redials":7,"tls:tls_trace_queued":2}`},
		{"get_statistics", `["core:rcv_requests","accepted","nothing:","net:nothing"]`, `{"core:rcv_requests":1,"net:accepted":7}`},
		{"get_statistics", `{"statistics":["close:idle_timeout"]}`, `{"close:idle_timeout":3}`},
		{"get_statistics", `["bad_URIs_rcvd","proxy:defect_bad_uri_host"]`, `{"core:bad_URIs_rcvd":3,"proxy:defect_bad_uri_host":2}`},
		{"get_statistics", `["dials","dials_done","dials_connect_failed","dials_connect_timeout","dials_shutdown"]`,
			`{"net:dials":9,"net:dials_done":4,"net:dials_connect_failed":0,"net:dials_connect_timeout":2,"net:dials_shutdown":1}`},
		{"get_statistics", `["messages_in_tls","messages_out_tls","bytes_in_tls","bytes_out_tls","messages_in_tcp"]`,
			`{"net:messages_in_tcp":0,"net:messages_in_tls":10,"net:messages_out_tls":11,"net:bytes_in_tls":12,"net:bytes_out_tls":13}`},
		{"get_statistics", `["net:refused_max_connections","net:refused_vanished","malformed_http_on_a_sip_stream","replies_503","refused_400","defect_missing_via"]`,
			`{"proxy:refused_400":2,"proxy:replies_503":4,"proxy:defect_missing_via":8,"net:refused_max_connections":6,"net:refused_vanished":0,"net:malformed_http_on_a_sip_stream":2}`},
		{"get_statistics", `[["sl:"]]`, `{"sl:1xx_replies":0,"sl:2xx_replies":0,"sl:3xx_replies":0,"sl:4xx_replies":0,"sl:5xx_replies":4,"sl:6xx_replies":0,"sl:sent_replies":6,"sl:received_ACKs":19}`},
		{"statistics:get", `["nothing"]`, none},
		{"get_statistics", `[]`, `{"code":-32602,"message":"Invalid params","data":"statistics is missing"}`},
		{"list_statistics", `["net:connections","net:accepted"]`, `{"net:connections":"non-incremental","net:accepted":"incremental"}`},
		{"list_statistics", `["nothing"]`, none},
		{"reset_statistics", `["nothing"]`, none},
		{"reset_statistics", `["net:","tls:handshakes"]`, `"OK"`},
		{"get_statistics", `["net:accepted","net:connections","tls:handshakes","core:rcv_requests"]`,
			`{"core:rcv_requests":1,"net:connections":2,"net:accepted":0,"tls:handshakes":0}`},
	} {
		if got := ask(t, d, c.method, c.params); got != c.want {
			t.Errorf("%s %s\ngot  %s\nwant %s", c.method, c.params, got, c.want)
		}
	}
	e.stats.Accepted += 2
	if got := ask(t, d, "get_statistics", `["net:accepted"]`); got != `{"net:accepted":2}` {
		t.Errorf("after a reset: %s", got)
	}
	ask(t, d, "reset_statistics", `["all"]`)
	e.stats.Accepted++
	if got := ask(t, d, "get_statistics", `["net:accepted"]`); got != `{"net:accepted":1}` {
		t.Errorf("after the second: %s", got)
	}
	e.stats.Accepted = 1 // another engine: what was hidden is not subtracted from less
	if got := ask(t, d, "get_statistics", `["net:accepted"]`); got != `{"net:accepted":1}` {
		t.Errorf("after a new start: %s", got)
	}
}

// TestStatisticsNames: all is everything, each name stands once and holds no
// character that another interface would have to change.
func TestStatisticsNames(t *testing.T) {
	n, _ := fakeNode()
	n.Extra = []Source{func(add func(Value)) { add(Value{Group: "trace", Name: "dropped", N: 9}) }}
	seen := map[string]bool{}
	n.Statistics().Each(func(v Value) {
		name := v.Group + ":" + v.Name
		if seen[name] || strings.ContainsAny(name, " -.") || v.Group == "" || v.Name == "" {
			t.Errorf("name %q", name)
		}
		seen[name] = true
	})
	var all map[string]uint64
	if err := json.Unmarshal([]byte(ask(t, commandsOf(t, n), "get_statistics", `["all"]`)), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != len(seen) || all["trace:dropped"] != 9 || all["proxy:responses_undelivered"] == 0 {
		t.Errorf("%d of %d: %v", len(all), len(seen), all)
	}
	for _, name := range []string{"net:waiting_udp", "net:waiting_tcp", "net:waiting_tls", "core:timestamp", "close:closed_by_management", "close:shutdown"} {
		if !seen[name] {
			t.Errorf("%s is missing", name)
		}
	}
	var listed map[string]string
	if err := json.Unmarshal([]byte(ask(t, commandsOf(t, n), "list_statistics", `[]`)), &listed); err != nil || len(listed) != len(seen) {
		t.Errorf("listed %d of %d: %v", len(listed), len(seen), err)
	}
}

// TestOneStatistic is what a script asks for.
func TestOneStatistic(t *testing.T) {
	n, e := fakeNode()
	calls, reset := uint64(4), 0
	n.Script = func(add func(Value)) {
		add(Value{Group: "dynamic", Name: "calls", N: calls, Reset: func() { calls = 0; reset++ }})
		add(Value{Group: "dynamic", Name: "active", N: 1, Gauge: true})
	}
	s := n.Statistics()
	if s != n.Statistics() {
		t.Error("two of them")
	}
	for name, want := range map[string]int{"net:accepted": 7, "accepted": 7, "dynamic:calls": 4, "active": 1, "net:nothing": -1, "all": -1, "net:": -1, "": -1} {
		if got, ok := s.Statistic(name); ok != (want >= 0) || ok && got != uint64(want) {
			t.Errorf("%q: %d, %v", name, got, ok)
		}
	}
	for name, want := range map[string]bool{"net:accepted": true, "calls": true, "active": false, "net:connections": false, "nothing": false, "net:": false} {
		if s.ResetStatistic(name) != want {
			t.Errorf("reset of %q: not %v", name, want)
		}
	}
	e.stats.Accepted++
	if got, _ := s.Statistic("accepted"); got != 1 || calls != 0 || reset != 1 {
		t.Errorf("after the resets: %d accepted, %d calls, reset %d times", got, calls, reset)
	}
	if got := ask(t, commandsOf(t, n), "get_statistics", `["dynamic:"]`); got != `{"dynamic:calls":0,"dynamic:active":1}` {
		t.Error(got)
	}
}
