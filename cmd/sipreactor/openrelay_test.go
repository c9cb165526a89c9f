package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// relayHead loads what scripts that relay by transactions have.
var relayHead = strings.Join([]string{
	"socket=udp:127.0.0.1:5060\nalias=example.com", `loadmodule "proto_udp.so"`, `loadmodule "signaling.so"`, `loadmodule "sl.so"`, `loadmodule "tm.so"`,
	`loadmodule "rr.so"`, `loadmodule "maxfwd.so"`, `loadmodule "sipmsgops.so"`, `loadmodule "usrloc.so"`, `loadmodule "registrar.so"`, `loadmodule "dialog.so"`,
	`loadmodule "topology_hiding.so"`, `loadmodule "auth.so"`, `loadmodule "auth_db.so"`, `loadmodule "db_mysql.so"`, `loadmodule "sqlops.so"`, `loadmodule "dispatcher.so"`,
	`loadmodule "permissions.so"`, `loadmodule "acc.so"`, `loadmodule "b2b_entities.so"`, `loadmodule "b2b_logic.so"`,
	`modparam("usrloc", "working_mode_preset", "single-instance-no-db")`,
	`modparam("auth_db|sqlops|dispatcher|permissions", "db_url", "mysql://u:p@127.0.0.1/nowhere")`, "",
}, "\n")

// openRelays gives the places of a script that are noted.
func openRelays(t *testing.T, head, text string) string {
	t.Helper()
	cfg, err := loader().Compile("cfg", []byte(head+text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var at []string
	for _, n := range cfg.Notes {
		if strings.Contains(n.Msg, "sends anything from anybody") {
			at = append(at, fmt.Sprintf("%d:%d", n.Pos.Line()-strings.Count(head, "\n"), n.Pos.Col()))
		}
	}
	return strings.Join(at, " ")
}

func TestOpenRelaysByTransactions(t *testing.T) {
	for text, want := range map[string]string{
		// by transactions
		"route { t_relay(); }":                                                                                          "1:9",
		"route { t_relay(\"udp:10.0.0.1:5060\"); }":                                                                     "",
		"route { t_relay(\"0x01\"); }":                                                                                  "1:9",
		"route { t_relay(, \"udp:10.0.0.1:5060\"); }":                                                                   "",
		"route { loose_route(); t_relay(, \"udp:10.0.0.1:5060\"); }":                                                    "1:24",
		"route { if (has_totag()) { loose_route(); t_relay(); } }":                                                      "1:43",
		"route { if (has_totag() && loose_route() && validate_dialog()) t_relay(); }":                                   "",
		"route { if (loose_route()) { if ($DLG_status == NULL) exit; t_relay(); } }":                                    "",
		"route { if (topology_hiding_match()) t_relay(); }":                                                             "",
		"route { if (is_method(\"CANCEL\")) { if (t_check_trans()) t_relay(); exit; } }":                                "",
		"route { t_check_trans(); t_relay(); }":                                                                         "1:26",
		"route { if (is_myself(\"$fd\")) exit; t_relay(); }":                                                            "1:37",
		"route { if (!proxy_authorize(\"\", \"subscriber\")) { proxy_challenge(\"\"); exit; } t_relay(); }":             "",
		"route { if (lookup(\"location\")) t_relay(); else t_relay(); }":                                                "1:49",
		"route { lookup(\"location\"); $ru = $hdr(X); t_relay(); }":                                                     "1:44",
		"route { loose_route(); if (!ds_select_dst(1, 4)) exit; t_relay(); }":                                           "",
		"route { $ru = \"sip:\" + $rU + \"@10.0.0.1:5070\"; t_relay(); }":                                               "",
		"route { $ru = \"sip:\" + $rU + \"@10.0.0.1\"; loose_route(); t_relay(); }":                                     "1:58",
		"route { $ru = \"sip:10.0.0.1\" + $hdr(X); t_relay(); }":                                                        "1:41",
		"route { sethost(\"10.0.0.1\"); t_relay(); }":                                                                   "",
		"route { $rd = $hdr(X); t_relay(); }":                                                                           "1:24",
		"route { $rd = \"10.0.0.1\"; $du = \"sip:\" + $rd; t_relay(); }":                                                "",
		"route { sql_query(\"select gw from t where ip = '$si'\", \"$avp(gw)\"); t_relay(); }":                          "",
		"route { sql_query(\"select gw from t\", \"$avp(gw)\"); $du = $avp(gw); t_relay(); }":                           "",
		"route { $avp(gw) = $hdr(X); $du = \"sip:\" + $avp(gw); t_relay(); }":                                           "1:54",
		"route { for ($var(h) in $(hdr(X)[*])) $du = $var(h); t_relay(); }":                                             "1:54",
		"route { $du = \"sip:10.0.0.1\"; append_branch($hdr(X)); t_relay(); }":                                          "1:55",
		"route { $du = $hdr(X); $du = NULL; $rd = \"10.0.0.1\"; t_relay(); }":                                           "",
		"route { async(sql_query(\"select 1\"), rest); }\nroute[rest] { t_relay(); }":                                   "2:15",
		"route { async(sql_query(\"select 1 from t where ip='$si'\"), rest); }\nroute[rest] { t_relay(); }":             "",
		"route { t_replicate(\"sip:10.0.0.1\"); t_replicate($ru); }":                                                    "1:38",
		"route { if (!is_myself(\"$rd\")) t_relay(); }":                                                                 "1:32",
		"route { if (!route(ours)) exit; t_relay(); }\nroute[ours] { if (!is_myself(\"$rd\")) return(-1); return(1); }": "",
		"route { route(ours); t_relay(); }\nroute[ours] { if (!is_myself(\"$rd\")) return(-1); return(1); }":            "1:22",
		"route { if (is_method(\"REGISTER\")) { t_relay(); exit; } is_method(\"REGISTER\"); t_relay(); }":               "1:80",
		// each way is safe, one for one reason and one for another
		"route { if ($si != \"10.0.0.1\") $du = \"sip:10.0.0.1\"; t_relay(); }":                                     "",
		"route { if ($proto != \"udp\" || $si != \"10.0.0.1\") $du = \"sip:10.0.0.1\"; t_relay(); }":                "",
		"route { if ($proto != \"udp\" || $si != \"10.0.0.1\") $du = \"sip:10.0.0.1\"; $du = $hdr(X); t_relay(); }": "1:88",
		"route { if ($proto != \"udp\" || $si != \"10.0.0.1\") $du = \"sip:10.0.0.1\"; loose_route(); t_relay(); }": "1:88",
		// rounds
		"route { $du = \"sip:10.0.0.1\"; while (!t_relay(\"no-auto-477\")) { if (!ds_next_dst()) exit; } }":           "",
		"route { $du = \"sip:10.0.0.1\"; while (!t_relay(\"no-auto-477\")) $du = $hdr(X); }":                          "1:39",
		"route { $du = \"sip:10.0.0.1\"; while ($var(i) < 2) { route(r); $du = $hdr(X); } }\nroute[r] { t_relay(); }": "2:12",
		"route { while ($var(i) < 2) { if (is_myself(\"$rd\")) break; } t_relay(); }":                                 "1:62",
		"route { while ($var(i) < 2) { if ($si == \"10.0.0.1\") { t_relay(); return(1); } } }":                        "",
		// what was let through goes on elsewhere
		"route { exit; }\nfailure_route[f] { if (t_check_status(\"5..\")) t_relay(); }":                       "",
		"route { exit; }\nfailure_route[f] { $du = $hdr(X); t_relay(); }":                                     "2:35",
		"route { exit; }\nfailure_route[f] { $ru = \"sip:vm@10.0.0.1\"; route(r); }\nroute[r] { t_relay(); }": "",
		"route { exit; }\nbranch_route[b] { $rU = \"1\" + $rU; }":                                             "",
		"route { exit; }\nbranch_route[b] { $rd = $hdr(X); }":                                                 "2:1",
		// a user agent at both sides
		"route { b2b_init_request(\"top hiding\"); }":                                 "1:9",
		"route { b2b_client_new(\"1\", \"sip:10.0.0.1\"); b2b_init_request(\"x\"); }": "",
		"route { b2b_client_new(\"1\", \"$ru\"); b2b_init_request(\"x\"); }":          "1:9",
	} {
		if got := openRelays(t, relayHead, text+"\n"); got != want {
			t.Errorf("%s\nnoted %q, want %q", text, got, want)
		}
	}
}

// TestExamplesAreNotNoted: what the program carries as closed it does not call open.
func TestExamplesAreNotNoted(t *testing.T) {
	for _, name := range exampleNames {
		text, _ := example(name)
		dir := t.TempDir()
		for path, rows := range filesOf(string(text)) {
			if err := os.WriteFile(strings.Replace(path, "/etc/sipreactor", dir, 1), []byte(rows), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if at := openRelays(t, "", strings.ReplaceAll(string(text), "/etc/sipreactor", dir)); at != "" {
			t.Errorf("%s: noted at %s", name, at)
		}
	}
}

// A home server as most are written is not called open: it asks who its users are,
// where others want to go, and what dialog a request belongs to.
const homeScript = `route{
	if (!mf_process_maxfwd_header(10)) { send_reply(483,"Too Many Hops"); exit; }
	if (has_totag()) {
		if ( is_method("ACK") && t_check_trans() ) { t_relay(); exit; }
		if ( !loose_route() ) { send_reply(404,"Not here"); exit; }
		if ( $DLG_status!=NULL && !validate_dialog() ) { xlog("bad"); }
		if (is_method("BYE")) { do_accounting("log","failed"); }
		route(relay);
		exit;
	}
	if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
	t_check_trans();
	if ( !(is_method("REGISTER")  ) ) {
		if (is_myself("$fd")) {
			if (!proxy_authorize("", "subscriber")) { proxy_challenge("", "auth"); exit; }
			if ($au!=$fU) { send_reply(403,"Forbidden auth ID"); exit; }
			consume_credentials();
		} else {
			if (!is_myself("$rd")) { send_reply(403,"Relay Forbidden"); exit; }
		}
	}
	if (loose_route()) { if (!is_method("ACK")) send_reply(403,"Preload Route denied"); exit; }
	if (!is_method("REGISTER|MESSAGE")) record_route();
	if (is_method("INVITE")) { create_dialog("B"); do_accounting("log"); }
	if (!is_myself("$rd")) { append_hf("P-hint: outbound\r\n"); route(relay); }
	if (is_method("PUBLISH|SUBSCRIBE")) { send_reply(503, "Service Unavailable"); exit; }
	if (is_method("REGISTER")) { if (!save("location")) xlog("failed to register AoR $tu\n"); exit; }
	if ($rU==NULL) { send_reply(484,"Address Incomplete"); exit; }
	if (!lookup("location","method-filtering")) { t_reply(404, "Not Found"); exit; }
	do_accounting("log","missed");
	route(relay);
}
route[relay] {
	if (is_method("INVITE")) { t_on_branch("per_branch_ops"); t_on_reply("handle_nat"); t_on_failure("missed_call"); }
	if (!t_relay()) { send_reply(500,"Internal Error"); }
	exit;
}
branch_route[per_branch_ops] { xlog("new branch at $ru\n"); }
onreply_route[handle_nat] { xlog("incoming reply\n"); }
failure_route[missed_call] { if (t_was_cancelled()) exit; }
`

func TestHomeServerIsNotOpen(t *testing.T) {
	if got := openRelays(t, relayHead, homeScript); got != "" {
		t.Errorf("noted at %s", got)
	}
	for _, asks := range []string{
		`if ( $DLG_status!=NULL && !validate_dialog() ) { xlog("bad"); }`,
		`if (!proxy_authorize("", "subscriber")) { proxy_challenge("", "auth"); exit; }`,
		`if (!is_myself("$rd")) { send_reply(403,"Relay Forbidden"); exit; }`,
	} {
		without := strings.Replace(homeScript, asks, "", 1)
		if without == homeScript {
			t.Fatalf("%s is not there", asks)
		}
		got := openRelays(t, relayHead, without)
		if want := fmt.Sprintf("%d:", 1+strings.Count(homeScript[:strings.Index(homeScript, "if (!t_relay")], "\n")); !strings.HasPrefix(got, want) {
			t.Errorf("without %s\nnoted %q, want line %s", asks, got, want)
		}
	}
}

// An open relay is told at the start, whatever notes the log leaves out.
func TestOpenRelayIsAWarning(t *testing.T) {
	cfg, err := loader().Compile("cfg", []byte(relayHead+"route { t_relay(); }\n"))
	if err != nil {
		t.Fatal(err)
	}
	if n := cfg.Notes[len(cfg.Notes)-1]; !n.Warning || !strings.HasPrefix(n.Msg, "t_relay() sends anything") {
		t.Errorf("%+v", n)
	}
	path := filepath.Join(t.TempDir(), "open.cfg")
	if err := os.WriteFile(path, []byte("log_level=1\nsocket=tcp:127.0.0.1:"+freePort(t)+"\nloadmodule \"proto_tcp.so\"\nstate_dir=\""+t.TempDir()+"\"\nroute { forward(); }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	var log bytes.Buffer
	serve(ctx, options{file: path}, io.Discard, &log)
	if !strings.Contains(log.String(), "forward() sends anything from anybody") {
		t.Errorf("the log has\n%s", log.String())
	}
}
