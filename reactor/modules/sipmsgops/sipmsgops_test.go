package sipmsgops_test

import (
	"encoding/json"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/sipmsgops"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/tm"
)

var head = moduletest.Head("sipmsgops")

func TestQuestions(t *testing.T) {
	moduletest.Codes(t, head, map[string]string{
		`is_method("INVITE|ACK")`: "1", `is_method("BYE | ACK")`: "-1", `is_method("invite")`: "1", `$var(m) = "BYE|INVITE"; is_method($var(m))`: "1", `is_method("X-OWN")`: "-1",
		`has_totag()`: "-1", `has_body()`: "1", `has_body("application/SDP")`: "1", `has_body("text/plain")`: "-1",
		`is_present_hf("P-Note")`: "1", `is_present_hf("i")`: "1", `is_present_hf("None")`: "-1", `is_present_hf($hdr(None))`: "-1",
		`is_privacy("id")`: "-1", `list_hdr_has_option("Supported", "path")`: "-1", `is_uri_user_e164($ru)`: "1", `ruri_has_param("user", "phone")`: "1",
		`has_body_part()`: "1", `has_body_part("application/sdp")`: "1", `has_body_part("application/isup")`: "-1", `has_body_part($hdr(None))`: "-1",
		`stream_exists("audio")`: "-1", `is_audio_on_hold()`: "-1", `codec_exists("PCMU")`: "-1", `codec_exists($hdr(None))`: "-1",
		`sipmsg_validate()`: "1", `sipmsg_validate("s")`: "-6", `sipmsg_validate("hrftc", $var(why))`: "1",
	}, sipmsgops.New)
}

func TestHeaders(t *testing.T) {
	for call, want := range map[string]string{
		`append_hf("X-A: 1\r\n")`: "1", `append_hf("X-A: 1", "Via")`: "1", `insert_hf("X-A: 1\r\n")`: "1", `insert_hf("X-A: $hdr(None)", "To")`: "<null>",
		`append_hf("X-A: 1\r\n"); append_hf("X-A: 2")`: "1|2", `append_hf("no $var(x) header")`: "", `append_urihf("X-A: <", ">\r\n")`: "<sip:+4930123@example.net:5070;transport=tls;user=phone>",
		`$var(h) = "X-A: " + $(hdr(P-Note)[1]); append_hf($var(h))`: "two, three",
	} {
		b := moduletest.New(t, head+"route { "+call+"; forward(\"tls:127.0.0.1:5081\"); }", sipmsgops.New)
		b.Receive(moduletest.Invite)
		if len(b.Sent) != 1 || b.Sent[0].Header("X-A") != want {
			t.Errorf("%s: %+v %v", call, b.Sent, b.Log)
		}
	}
	for call, want := range map[string]string{
		`remove_hf("P-Note")`: "", `remove_hf_glob("Q-*")`: "one|two, three|last", `remove_hf_re("^p-n")`: "",
		`list_hdr_add_option("P-Note", "new")`: "one, new|two, three|last", `list_hdr_remove_option("P-Note", "THREE")`: "one|two|last", `list_hdr_remove_option("P-Note", "one")`: "two, three|last",
	} {
		b := moduletest.New(t, head+"route { "+call+"; forward(\"tls:127.0.0.1:5081\"); }", sipmsgops.New)
		b.Receive(moduletest.Invite)
		if len(b.Sent) != 1 || b.Sent[0].Header("P-Note") != want {
			t.Errorf("%s: %+v %v", call, b.Sent, b.Log)
		}
	}
}

// SDP and parts of the body are found and changed in what is sent.
func TestBody(t *testing.T) {
	const sdp = "v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendonly\r\nm=video 4002 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n"
	first, _, _ := strings.Cut(string(moduletest.Invite), "Content-Length")
	invite := []byte(first + "Content-Length: " + strconv.Itoa(len(sdp)) + "\r\n\r\n" + sdp)
	for call, want := range map[string]string{
		`codec_delete("PCMA")`:                                                 "m=audio 4000 RTP/AVP 0 101\r\n",
		`codec_move_up("telephone-event", "8000")`:                             "m=audio 4000 RTP/AVP 101 0 8\r\n",
		`codec_move_down_re("^PCMU")`:                                          "m=audio 4000 RTP/AVP 8 101 0\r\n",
		`codec_delete_except_re("^PCM")`:                                       "m=audio 4000 RTP/AVP 0 8\r\na=sendonly\r\nm=video 0 RTP/AVP 96\r\n",
		`stream_delete("video")`:                                               "a=sendonly\r\n|end",
		`stream_delete("video|audio", "SAVP|AVP")`:                             "t=0 0\r\n|end",
		`if (stream_delete("video", "SAVP")) exit; is_method("INVITE");`:       "a=rtpmap:96 VP8/90000\r\n|end",
		`get_updated_body_part(, $var(b)); append_hf("X-A: $(var(b){s.len})")`: "X-A: " + strconv.Itoa(len(sdp)) + "\r\n",
		`remove_body_part()`:                                                   "Content-Length: 0\r\n\r\n|end",
		`remove_body_part("application/sdp")`:                                  "Content-Length: 0\r\n\r\n|end",
		`add_body_part("hello", "text/plain")`:                                 "Content-Type: multipart/mixed;boundary=\"part-boundary-1\"\r\n",
		`codec_delete("PCMA"); get_updated_body_part("application/sdp", $var(b)); append_hf("X-A: $(var(b){sdp.line,m})")`:                                "X-A: m=audio 4000 RTP/AVP 0 101\r\n",
		`add_body_part("hello", "text/plain"); get_updated_body_part("text/plain", $var(b)); append_hf("X-A: $var(b)")`:                                   "X-A: hello\r\n",
		`if (!get_updated_body_part("text/plain", $var(b))) get_updated_body_part("", $var(b)); append_hf("X-A: $(var(b){s.len})"); is_method("INVITE");`: "X-A: " + strconv.Itoa(len(sdp)) + "\r\n",
	} {
		b := moduletest.New(t, head+"route { "+call+"; xlog(\"$rc\"); forward(\"tls:127.0.0.1:5081\"); }", sipmsgops.New)
		b.Receive(invite)
		end, atEnd := strings.CutSuffix(want, "|end")
		if len(b.Sent) != 1 || b.Log[0] != "1" || !strings.Contains(b.Sent[0].Text, end) || atEnd && !strings.HasSuffix(b.Sent[0].Text, end) {
			t.Errorf("%s: %v\n%+v", call, b.Log, b.Sent)
		}
	}
	b := moduletest.New(t, head+`route { is_audio_on_hold(); xlog("$rc"); stream_exists("video"); xlog("$rc"); stream_exists("audio", "SAVP"); xlog("$rc"); stream_exists("audio", "^RTP/AVP$"); xlog("$rc"); sipmsg_validate("s"); xlog("$rc"); }`, sipmsgops.New)
	b.Receive(invite)
	if got := strings.Join(b.Log, " "); got != "2 1 -1 1 1" {
		t.Error(got)
	}
}

func TestErrors(t *testing.T) {
	for call, want := range map[string]string{
		`is_method("A B")`:                     `"A B" is no method: methods are joined by |`,
		`sipmsg_validate("x")`:                 "sipmsg_validate() has the flag x",
		`remove_body_part("text/plain", "no")`: `the second argument of remove_body_part() is "revert"`,
		`remove_hf_re("(")`:                    `"(" is no regular expression`,
		`change_reply_status(200, "x")`:        "change_reply_status() cannot be used in route",
	} {
		if got := moduletest.Wrong(t, head+"route { "+call+"; }", sipmsgops.New); !strings.Contains(got, want) {
			t.Errorf("%s: %s", call, got)
		}
	}
}

// TestReplies: what is for our responses is in them and not in what is sent on, of a transaction that waits, too.
func TestReplies(t *testing.T) {
	const own = `append_to_reply("Content-Type: text/plain\r\n"); append_body_to_reply("first"); append_body_to_reply("why $rm"); append_time(); `
	for _, route := range []string{
		"route { " + own + `sl_send_reply(480, "Not Now"); }`,
		"route { " + own + `t_newtran(); t_reply(480, "Not Now"); }`,
		"route { " + own + "t_on_failure(\"f\"); $T_fr_timeout = 1; if (!t_relay(\"no-auto-477\", \"tls:127.0.0.1:5081\")) exit; }\nfailure_route[f] { t_reply(480, \"Not Now\"); }",
	} {
		b := moduletest.New(t, moduletest.Head("tm", "sl", "sipmsgops")+route, tm.New, sl.New, sipmsgops.New)
		b.Receive(moduletest.Invite)
		if i := len(b.Sent) - 1; i >= 0 && strings.HasPrefix(b.Sent[i].Text, "INVITE") {
			if b.Sent[i].Header("Date") != "" || b.Sent[i].Header("Content-Type") != "application/sdp" {
				t.Errorf("what is for responses is sent on: %s", b.Sent[i].Text)
			}
			b.Context.Receive(b.Sent[i].Answer(t, "486 Busy Here"), moduletest.Callee(netip.MustParseAddrPort("127.0.0.1:5081")))
		}
		out := b.Sent[len(b.Sent)-1]
		if !strings.HasPrefix(out.Text, "SIP/2.0 480 ") || out.Header("Date") == "" || out.Header("Content-Type") != "text/plain" ||
			out.Header("Content-Length") != "10" || !strings.HasSuffix(out.Text, "\r\n\r\nwhy INVITE") {
			t.Errorf("%s:\n%s\n%v", route, out.Text, b.Log)
		}
		for _, s := range b.Sent {
			if strings.HasPrefix(s.Text, "SIP/2.0 100 ") && s.Header("Content-Length") != "0" {
				t.Errorf("the 100 has the body: %s", s.Text)
			}
		}
	}
}

// TestWhole: all headers of a pattern, and the message as JSON.
func TestWhole(t *testing.T) {
	b := moduletest.New(t, head+`route {
	get_glob_headers_values("p-*", $avp(n), $avp(v)); xlog("$rc $(avp(n)[*]) $(avp(v)[0])");
	get_glob_headers_values("Q-*", $avp(n), $avp(v)); xlog("$rc");
	sip_to_json($var(j)); xlog("$var(j)");
}`, sipmsgops.New)
	b.Receive(moduletest.Invite)
	if len(b.Log) != 3 || !strings.HasPrefix(b.Log[0], "1 P-Note") || !strings.HasSuffix(b.Log[0], " one") || b.Log[1] != "-1" {
		t.Errorf("%q", b.Log)
	}
	var got struct {
		FirstLine string `json:"first_line"`
		Headers   map[string][]string
		Body      *string
	}
	if err := json.Unmarshal([]byte(b.Log[len(b.Log)-1]), &got); err != nil || !strings.HasPrefix(got.FirstLine, "INVITE sip:") || got.Headers["P-Note"][0] != "one" || got.Body == nil {
		t.Errorf("%v %+v", err, got)
	}
}
