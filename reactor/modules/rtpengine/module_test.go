package rtpengine

import (
	"fmt"
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/rtpengine/ng"
	"sipreactor/reactor/modules/sl"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, New) }

// head is a configuration with nodes, and parameters that end waits soon.
func head(socks string, more ...string) string {
	text := moduletest.Head("rtpengine", "sl")
	if socks != "" {
		text += fmt.Sprintf("modparam(\"rtpengine\", \"rtpengine_sock\", %q)\n", socks)
	}
	for _, p := range append(more, `"rtpengine_retr", 0`) {
		text += "modparam(\"rtpengine\", " + p + ")\n"
	}
	return text
}

const offered = `{"command":"offer","call-id":"a84b4c76e66710@pc33","from-tag":"1928301774",FLAGS"received-from":["IP4","10.0.0.9"],"sdp":"v=0\r\no=- 1 1 x"}`

// TestFlags checks what rtpengine is asked for by the flags of the documentation.
func TestFlags(t *testing.T) {
	e := newEngine(t)
	for flags, want := range map[string]string{
		"": "",
		"replace-origin replace-session-connection trust-address ICE=remove": `"flags":["trust-address"],"replace":["origin","session-connection"],"ICE":"remove",`,

		"RTP/SAVPF":                     `"transport-protocol":"RTP/SAVPF",`,
		"SRTP AVPF":                     `"transport-protocol":"RTP/SAVPF",`,
		"RTP AVP":                       `"transport-protocol":"RTP/AVP",`,
		"UDP/TLS/RTP/SAVPF":             `"transport-protocol":"UDP/TLS/RTP/SAVPF",`,
		"in-iface=priv out-iface=pub":   `"direction":["priv","pub"],`,
		"internal external":             `"direction":["internal","external"],`,
		"rtcp-mux-demux rtcp-mux-offer": `"rtcp-mux":["demux","offer"],`,
		"to-tag=there":                  `"to-tag":"there",`,
		"via-branch=1":                  `"via-branch":"z9hG4bK776asdhds",`,
		"via-branch=auto":               `"via-branch":"z9hG4bK776asdhds",`,
		"via-branch=extra":              `"via-branch":"alice",`,
		"via-branch-param=mine":         `"via-branch":"mine",`,
		"address-family=IP6 record-call=yes metadata=7b7d":                    `"address-family":"IP6","record-call":"yes","metadata":"7b7d",`,
		"codec-mask-PCMA transcode-opus":                                      `"flags":["codec-mask-PCMA","transcode-opus"],`,
		"sdp-media-remove=[video message image]":                              `"sdp-media-remove":["video","message","image"],`,
		"codec=[transcode=[PCMA PCMU] accept=[AMR-WB AMR] strip=[EVS]]":       `"codec":{"transcode":["PCMA","PCMU"],"accept":["AMR-WB","AMR"],"strip":["EVS"]},`,
		"x sdp-attr=[audio=[add=[fmtp:96..useinbandfec--1 a.b-c]]] ICE=force": `"flags":["x"],"sdp-attr":{"audio":{"add":["fmtp:96 useinbandfec=1","a.b-c"]}},"ICE":"force",`,
	} {
		log := moduletest.Logs(t, head(e.url, `"extra_id_pv", "$fU"`), `rtpengine_offer("`+flags+`"); xlog("$rc");`, New, sl.New)
		if got, want := e.take(), strings.Replace(offered, "FLAGS", want, 1); got != want {
			t.Errorf("%s:\n got %s\nwant %s", flags, got, want)
		}
		if len(log) != 1 || log[0] != "1" {
			t.Errorf("%s: %q", flags, log)
		}
	}
	moduletest.Logs(t, head(e.url), `rtpengine_offer("call-id=c from-tag=f received-from=2001:db8::1");`, New, sl.New)
	if got := e.take(); !strings.Contains(got, `"call-id":"c","from-tag":"f","received-from":["IP6","2001:db8::1"]`) {
		t.Error(got)
	}
}

func TestWrongFlags(t *testing.T) {
	e := newEngine(t)
	for call, want := range map[string]string{
		`rtpengine_offer("via-branch=3")`:                                              "is none of 1, 2, auto and extra",
		`rtpengine_offer("via-branch=extra")`:                                          "extra_id_pv, which is not set",
		`rtpengine_offer("in-iface=a")`:                                                "go together",
		`rtpengine_offer("codec=[a")`:                                                  "a bracket is open",
		`rtpengine_offer("codec=a]")`:                                                  "a bracket is open",
		`rtpengine_offer("codec=[a]b")`:                                                "a bracket is open",
		`rtpengine_offer("codec=[a=b c]")`:                                             "no key=value",
		`rtpengine_offer("command=delete")`:                                            "is no flag",
		`rtpengine_offer("x=` + strings.Repeat("[", 9) + strings.Repeat("]", 9) + `")`: "nested more than 8",
		`rtpengine_offer("x=[` + strings.Repeat("a", 4096) + `]")`:                     "longer than 4096",
		`rtpengine_use_set(7)`:                                                         "there is no set 7: rtpengine_sock defines [0]",
		`rtpengine_play_dtmf("12")`:                                                    "is none of 0 to 9",
		`xlog("$rtpstat(MOS)")`:                                                        "is none of MOS",
		`xlog("$rtpstat(MOS-average-at)")`:                                             "is none of MOS",
	} {
		if got := moduletest.Wrong(t, head(e.url)+"route { "+call+"; }", New, sl.New); !strings.Contains(got, want) {
			t.Errorf("%s: %s", call, got)
		}
	}
	for param, want := range map[string]string{
		`"rtpengine_sock", "udp:localhost"`:           "is no udp:host:port",
		`"rtpengine_sock", "/var/run/rtpengine.sock"`: "is no udp:host:port",
		`"rtpengine_sock", "x == udp:localhost:1"`:    "is no number of a set",
		`"rtpengine_sock", "udp:localhost:1=x"`:       "is no weight",
		`"rtpengine_sock", "udp:h:1 udp:h:1"`:         "twice in set 0",
		`"db_url", "x"`:                               "is wrong",
		`"notification_sock", "localhost"`:            "is no address and port",
		`"extra_failover_error", "("`:                 "is no regular expression",
	} {
		if got := moduletest.Wrong(t, head("", param)+"route { exit; }", New, sl.New); !strings.Contains(got, want) {
			t.Errorf("%s: %s", param, got)
		}
	}
}

// TestFunctions checks what the other functions ask for, and what becomes of the answer.
func TestFunctions(t *testing.T) {
	e := newEngine(t)
	const call = `"call-id":"a84b4c76e66710@pc33"`
	const from = call + `,"from-tag":"1928301774"`
	for text, want := range map[string]string{
		`rtpengine_delete();`:                             `{"command":"delete",` + from + `}`,
		`rtpengine_delete("to-tag=b");`:                   `{"command":"delete",` + from + `,"to-tag":"b"}`,
		`rtpengine_start_recording();`:                    `{"command":"start recording",` + call + `}`,
		`rtpengine_stop_recording("call-id=other");`:      `{"command":"stop recording","call-id":"other"}`,
		`rtpengine_pause_recording();`:                    `{"command":"pause recording",` + call + `}`,
		`rtpengine_play_media("from-tag=x file=/a.wav");`: `{"command":"play media",` + call + `,"from-tag":"x","file":"/a.wav"}`,
		`rtpengine_stop_media();`:                         `{"command":"stop media",` + from + `}`,
		`rtpengine_block_media();`:                        `{"command":"block media",` + from + `}`,
		`rtpengine_unblock_media();`:                      `{"command":"unblock media",` + from + `}`,
		`rtpengine_block_dtmf();`:                         `{"command":"block DTMF",` + from + `}`,
		`rtpengine_unblock_dtmf();`:                       `{"command":"unblock DTMF",` + from + `}`,
		`rtpengine_start_forwarding();`:                   `{"command":"start forwarding",` + call + `}`,
		`rtpengine_stop_forwarding();`:                    `{"command":"stop forwarding",` + call + `}`,
		`$var(d) = "#"; rtpengine_play_dtmf($var(d));`:    `{"command":"play DTMF",` + from + `,"code":"#"}`,
		`rtpengine_manage();`:                             strings.Replace(offered, "FLAGS", "", 1),
	} {
		log := moduletest.Logs(t, head(e.url), text+` xlog("$rc");`, New, sl.New)
		if got := e.take(); got != want || len(log) != 1 || log[0] != "1" {
			t.Errorf("%s: %q\n got %s\nwant %s", text, log, got, want)
		}
	}
	// sock_var, sdp_var and body.
	log := moduletest.Logs(t, head(e.url), `rtpengine_offer("", $var(s), $var(sdp), "v=1"); xlog("$var(s) $var(sdp)"); rtpengine_offer("", $var(s)); xlog("$var(s)");`, New, sl.New)
	if want := []string{e.url + " V=1", e.url}; strings.Join(log, "|") != strings.Join(want, "|") {
		t.Errorf("%q", log)
	}
	log = moduletest.Logs(t, head(e.url), `$var(s) = "udp:127.0.0.1:9"; rtpengine_offer("", $var(s)); xlog("$rc");`, New, sl.New)
	if log[len(log)-1] != "-1" {
		t.Errorf("%q", log)
	}
	e.set(func(ng.Dict) ng.Dict {
		return ng.Dict{{Key: "result", Value: "ok"}, {Key: "duration", Value: int64(1500)}}
	})
	log = moduletest.Logs(t, head(e.url), `rtpengine_play_media("file=/a", $var(d), $var(s)); xlog("$rc $var(d) $var(s)"); rtpengine_stop_media("", , $var(f)); xlog("$var(f)");`, New, sl.New)
	if strings.Join(log, "|") != "1 1500 "+e.url+"|-1" {
		t.Errorf("%q", log)
	}
}

// TestParts rewrites the SDP of a multipart body and leaves the rest.
func TestParts(t *testing.T) {
	e := newEngine(t)
	b := moduletest.New(t, head(e.url)+`route { rtpengine_offer(); xlog("$rc"); forward("tls:127.0.0.1:5099"); }`, New, sl.New)
	b.Receive(moduletest.Invite)
	if len(b.Sent) != 1 || !strings.HasSuffix(b.Sent[0].Text, "\r\n\r\nV=0\r\nO=- 1 1 X") || b.Sent[0].Header("Content-Length") != "14" {
		t.Errorf("%v %v", b.Sent, b.Log)
	}
	text := strings.Replace(string(moduletest.Invite), "Content-Type: application/sdp\r\nContent-Length: 14\r\n\r\nv=0\r\no=- 1 1 x\r\n",
		"Content-Type: multipart/mixed;boundary=b\r\nContent-Length: 111\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\ns=x\r\n\r\n--b--\r\n", 1)
	body := text[strings.Index(text, "\r\n\r\n")+4:]
	text = strings.Replace(text, "Content-Length: 111", fmt.Sprintf("Content-Length: %d", len(body)), 1)
	b.Receive([]byte(text))
	if len(b.Sent) != 1 || !strings.HasSuffix(b.Sent[0].Text, strings.Replace(body, "v=0\r\ns=x", "V=0\r\nS=X", 1)) {
		t.Errorf("%v %v", b.Sent, b.Log)
	}
	b.Receive([]byte(strings.Replace(text, "application/sdp", "application/xxx", 1)))
	if got := strings.Join(b.Log, "|"); got != "rtpengine: nothing was done error=there is no SDP|-1" && !strings.HasSuffix(got, "|-1") {
		t.Errorf("%q", b.Log)
	}
}

// TestDirections checks who has which tag where the offer is in the 200 and the answer in
// the ACK.
func TestDirections(t *testing.T) {
	e := newEngine(t)
	b := moduletest.New(t, head(e.url)+`loadmodule "sipmsgops.so"
route { rtpengine_manage(); xlog("$rc"); if (is_method("INVITE")) forward("tls:127.0.0.1:5099"); }
onreply_route { rtpengine_manage(); if (is_method("INVITE") && $rs == 183) rtpengine_offer(); }`, New, sl.New)
	msg := string(moduletest.Invite)
	inDialog := strings.Replace(msg, "To: <sip:+4930123@example.net>", "To: <sip:+4930123@example.net>;tag=callee", 1)
	reply := func(code string) string {
		b.Receive([]byte(msg))
		_, rest, _ := strings.Cut(b.Sent[0].Text, "\r\n")
		e.take()
		return "SIP/2.0 " + code + " X\r\n" + strings.Replace(rest, "To: <sip:+4930123@example.net>", "To: <sip:+4930123@example.net>;tag=callee", 1)
	}
	tagsOf := func(text string) string {
		b.Receive([]byte(text))
		e.mu.Lock()
		defer e.mu.Unlock()
		var all []string
		for _, d := range e.got {
			all = append(all, d.Text("command")+" "+d.Text("from-tag")+" "+d.Text("to-tag"))
		}
		e.got = nil
		return strings.Join(all, "|")
	}
	asMethod := func(m string) string {
		return strings.Replace(strings.Replace(inDialog, "INVITE sip", m+" sip", 1), "314159 INVITE", "314159 "+m, 1)
	}
	for _, c := range []struct{ text, want string }{
		{msg, "offer 1928301774 "},
		{inDialog, "offer 1928301774 callee"},
		{asMethod("ACK"), "answer callee 1928301774"},
		{asMethod("BYE"), "delete 1928301774 "},
		{asMethod("CANCEL"), "delete 1928301774 "},
		{asMethod("INFO"), ""},
		{reply("200"), "answer 1928301774 callee"},
		{reply("183"), "answer 1928301774 callee|offer callee 1928301774"},
		{reply("486"), "delete 1928301774 "},
		{strings.Replace(reply("200"), ";tag=callee", "", 1), ""}, // whose answer it would be nobody knows
	} {
		if got := tagsOf(c.text); got != c.want {
			t.Errorf("%.30q: %q, want %q, %v", c.text, got, c.want, b.Log)
		}
	}
}

// TestRefused checks what a script sees of errors.
func TestRefused(t *testing.T) {
	e := newEngine(t)
	e.set(refuse("Unknown call-id"))
	conf := head(e.url, `"error_pv", "$var(err)"`)
	for text, want := range map[string]string{
		`rtpengine_offer(); xlog("$rc $var(err)");`:                          "-1 Unknown call-id",
		`rtpengine_offer("a=[b"); xlog("$rc");`:                              "",
		`$var(f) = "a=[b"; rtpengine_offer($var(f)); xlog("$rc $var(err)");`: "-1 a bracket is open, or closed twice",
		`rtpengine_answer(); xlog("$rc $var(err)");`:                         "-1 the tag of the party is missing",
		`$var(n) = 9; rtpengine_use_set($var(n)); xlog("$rc");`:              "-1",
		`xlog("$rtpstat");`: "<null>",
	} {
		if want == "" {
			continue
		}
		log := moduletest.Logs(t, conf, text, New, sl.New)
		if got := log[len(log)-1]; got != want {
			t.Errorf("%s: %q", text, log)
		}
	}
}

// TestNothingToAsk: what a message does not have is not asked for, and an answer without an SDP is none.
func TestNothingToAsk(t *testing.T) {
	e := newEngine(t)
	conf := head(e.url, `"error_pv", "$var(err)"`)
	log := moduletest.Logs(t, conf, `rtpengine_offer("via-branch=2"); xlog("$rc $var(err)");`, New, sl.New)
	if got := log[len(log)-1]; got != "-1 there is no such Via" || e.take() != "" {
		t.Errorf("%q", log)
	}
	e.set(func(ng.Dict) ng.Dict { return ng.Dict{{Key: "result", Value: "ok"}} })
	log = moduletest.Logs(t, conf, `rtpengine_offer(); xlog("$rc $var(err)");`, New, sl.New)
	if got := log[len(log)-1]; got != "-1 there is no SDP" {
		t.Errorf("%q", log)
	}
}

// TestHiddenCallID: rtpengine knows a call by the caller's Call-ID, also where the callee knows another one.
func TestHiddenCallID(t *testing.T) {
	e := newEngine(t)
	b := moduletest.New(t, head(e.url)+`route { rtpengine_offer(); rtpengine_delete(); }`, New, sl.New)
	b.Proxy.SetCallIDs(func([]byte) []byte { return []byte("callers") })
	b.Receive([]byte(strings.Replace(string(moduletest.Invite), "To: <sip:+4930123@example.net>", "To: <sip:+4930123@example.net>;tag=b", 1)))
	if got := e.take(); strings.Count(got, `"call-id":"callers"`) != 2 {
		t.Error(got, b.Log)
	}
}

// TestWithoutMessage: where there is no message, flags name the call.
func TestWithoutMessage(t *testing.T) {
	e := newEngine(t)
	b := moduletest.New(t, head(e.url)+`
route { exit; }
timer_route[t, 60] {
	rtpengine_stop_media("call-id=c1 from-tag=a"); xlog("$rc");
	rtpengine_play_dtmf("5", "call-id=c1 from-tag=a"); xlog("$rc");
	rtpengine_delete("call-id=c1 from-tag=a"); xlog("$rc");
	rtpengine_offer("call-id=c2 from-tag=a", , $var(sdp), "v=0"); xlog("$rc $var(sdp)");
	rtpengine_delete(); xlog("$rc");
	rtpengine_manage(); xlog("$rc");
}
`, New, sl.New)
	b.Config.Program.Timers()[0].Run()
	const call = `"call-id":"c1","from-tag":"a"`
	got := e.take()
	for _, want := range []string{`{"command":"stop media",` + call, `{"command":"play DTMF",` + call + `,"code":"5"}`, `{"command":"delete",` + call + `}`, `{"command":"offer","call-id":"c2","from-tag":"a"`} {
		if !strings.Contains(got, want) {
			t.Errorf("asked %s, want %s", got, want)
		}
	}
	if log := strings.Join(b.Log, "|"); !strings.HasPrefix(log, "1|1|1|1 V=0|") || strings.Count(log, "-1") != 2 || strings.Count(got, "\n") != 3 {
		t.Errorf("%q, asked %s", b.Log, got)
	}
}
