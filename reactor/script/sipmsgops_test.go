package script

import (
	"fmt"
	"strings"
	"testing"
)

const offer = `v=0
o=- 1 1 IN IP4 10.0.0.9
s=-
c=IN IP4 10.0.0.9
t=0 0
m=audio 40000 RTP/AVP 8 0 96 97 101
a=rtpmap:96 speex/8000
a=fmtp:96 mode=any
a=rtpmap:97 speex/16000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
m=video 40002 RTP/AVP 98
a=rtpmap:98 H264/90000
`

// withBody gives an INVITE that has a body of a type, and more headers.
func withBody(typ, body string, headers ...string) []byte {
	body = string(crlf(body))
	head := `
INVITE sip:+4930123@example.net:5070;transport=tls;user=phone;ob SIP/2.0
Via: SIP/2.0/TLS 10.0.0.9:5061;branch=z9hG4bK776asdhds;rport
Max-Forwards: 69
From: "Alice A." <sip:alice@atlanta.example>;tag=1928301774
To: <sip:+4930123@example.net>
Call-ID: a84b4c76e66710@pc33
CSeq: 314159 INVITE
Contact: <sip:alice@10.0.0.9:5061;transport=tls>
`
	for _, h := range headers {
		head += h + "\n"
	}
	if typ != "" {
		head += "Content-Type: " + typ + "\n"
	}
	return append(crlf(head+fmt.Sprintf("Content-Length: %d\n\n", len(body))), body...)
}

// mixed is a body of two parts.
const mixed = `preamble
--b1
Content-Type: application/sdp

v=0
o=- 1 1 IN IP4 10.0.0.9
s=-
m=audio 40000 RTP/AVP 8 0
--b1
Content-Type: application/isup;version=x
Content-Disposition: signal

ISUP
--b1--
`

// changed runs statements over a message, forwards it and gives what was sent;
// the code of the last call is logged.
func changed(t *testing.T, message []byte, statements string) (sent, string) {
	t.Helper()
	b := newBench(t, allModules+"route {\n"+statements+"\nxlog(\"code $rc\");\nforward(\"tls:127.0.0.1:5081\");\n}")
	b.receive(message)
	if len(b.peer.sent) != 1 {
		t.Fatalf("%s: sent %d, log %v", statements, len(b.peer.sent), b.log)
	}
	s := b.peer.sent[0]
	_, body, _ := strings.Cut(s.text, "\r\n\r\n")
	if got := s.header("Content-Length"); got != fmt.Sprint(len(body)) {
		t.Errorf("%s: Content-Length %s of %d bytes", statements, got, len(body))
	}
	for _, l := range b.log {
		if code, ok := strings.CutPrefix(l, "code "); ok {
			return s, code
		}
	}
	return s, ""
}

func bodyOf(s sent) string {
	_, body, _ := strings.Cut(s.text, "\r\n\r\n")
	return strings.ReplaceAll(body, "\r\n", "\n")
}

// TestCodecs looks for and changes codecs; each call sees what those before did.
func TestCodecs(t *testing.T) {
	const audio = "m=audio 40000 RTP/AVP 8 0 96 97 101"
	for _, tt := range []struct{ call, code, media string }{
		{`codec_exists("speex");`, "1", audio}, {`codec_exists("SPEEX", "16000");`, "1", audio}, {`codec_exists("speex", "32000");`, "-1", audio},
		{`codec_exists("PCMA");`, "1", audio}, {`codec_exists("pcmu", "8000");`, "1", audio}, {`codec_exists("h264");`, "1", audio}, {`codec_exists("GSM");`, "-1", audio},
		{`codec_exists_re("sp[a-z]*");`, "1", audio}, {`codec_exists_re("^G7");`, "-1", audio}, {`$var(re) = "^PCM"; codec_exists_re($var(re));`, "1", audio},
		{`codec_delete("speex");`, "1", "m=audio 40000 RTP/AVP 8 0 101"}, {`codec_delete("speex", "8000");`, "1", "m=audio 40000 RTP/AVP 8 0 97 101"},
		{`codec_delete("GSM");`, "-1", audio}, {`codec_delete_re("PCMA|PCMU");`, "1", "m=audio 40000 RTP/AVP 96 97 101"},
		{`codec_delete_except_re("PCMA|PCMU|H264");`, "1", "m=audio 40000 RTP/AVP 8 0"},
		{`codec_move_up("speex");`, "1", "m=audio 40000 RTP/AVP 96 97 8 0 101"}, {`codec_move_up("speex", "16000");`, "1", "m=audio 40000 RTP/AVP 97 8 0 96 101"},
		{`codec_move_up("PCMA");`, "-1", audio}, {`codec_move_down("PCMA");`, "1", "m=audio 40000 RTP/AVP 0 96 97 101 8"},
		{`codec_move_down_re("^PC");`, "1", "m=audio 40000 RTP/AVP 96 97 101 8 0"}, {`codec_move_up_re("tele");`, "1", "m=audio 40000 RTP/AVP 101 8 0 96 97"},
		{`codec_move_down("speex","8000"); codec_delete("PCMU"); codec_move_up("speex");`, "1", "m=audio 40000 RTP/AVP 97 96 8 101"},
		{`codec_delete("speex"); codec_exists("speex");`, "-1", "m=audio 40000 RTP/AVP 8 0 101"},
		{`codec_delete_re("PC|speex|tele");`, "1", "m=audio 0 RTP/AVP 8 0 96 97 101"},
		{`subst_body('/8 0 96/0 8 96/'); codec_delete("speex");`, "1", "m=audio 40000 RTP/AVP 0 8 101"},
		{`codec_delete("speex"); subst_body('/8 0/0 8/');`, "1", "m=audio 40000 RTP/AVP 0 8 101"},
	} {
		s, code := changed(t, withBody("application/sdp", offer), tt.call)
		body := bodyOf(s)
		if code != tt.code || !strings.Contains(body, tt.media+"\n") {
			t.Errorf("%s: code %s, want %s and %s in\n%s", tt.call, code, tt.code, tt.media, body)
		}
		if tt.code == "-1" && tt.media == audio && body != offer {
			t.Errorf("%s changed the body:\n%s", tt.call, body)
		}
	}
	s, _ := changed(t, withBody("application/sdp", offer), `codec_delete("speex");`)
	if body := bodyOf(s); strings.Contains(body, ":96") || strings.Contains(body, ":97") || !strings.Contains(body, "a=fmtp:101 0-15\nm=video") {
		t.Errorf("the attributes of what was deleted are left, or others are not:\n%s", body)
	}
	s, code := changed(t, withBody("multipart/mixed;boundary=b1", mixed), `codec_delete("PCMU");`)
	if want := strings.Replace(mixed, "AVP 8 0", "AVP 8", 1); code != "1" || bodyOf(s) != want {
		t.Errorf("multipart: code %s\n%s", code, bodyOf(s))
	}
	for _, m := range [][]byte{withBody("text/plain", offer), withBody("", "")} {
		if _, code := changed(t, m, `codec_delete("PCMU");`); code != "-1" {
			t.Errorf("no SDP: code %s", code)
		}
	}
}

func TestStreams(t *testing.T) {
	for _, tt := range []struct{ call, code, body string }{
		{`stream_exists("video");`, "1", offer}, {`stream_exists("image|message");`, "-1", offer},
		{`stream_delete("video");`, "1", offer[:strings.Index(offer, "m=video")]}, {`stream_delete("image");`, "-1", offer},
		{`stream_delete("audio|video");`, "1", offer[:strings.Index(offer, "m=audio")]},
	} {
		if s, code := changed(t, withBody("application/sdp", offer), tt.call); code != tt.code || bodyOf(s) != tt.body {
			t.Errorf("%s: code %s\n%s", tt.call, code, bodyOf(s))
		}
	}
	for edit, want := range map[string]string{
		"": "-1", "m=audio": "c=IN IP4 0.0.0.0|1",
		"s=-\nc=IN IP4 10.0.0.9":     "s=-\nc=IN IP4 0.0.0.0|1",
		"t=0 0\n":                    "t=0 0\na=inactive\n|2",
		"a=fmtp:101 0-15\n":          "a=fmtp:101 0-15\na=sendonly\n|2",
		"a=fmtp:96 mode=any\n":       "a=recvonly\n|-1",
		"a=rtpmap:98 H264/90000\n":   "a=sendonly\n|-1",
		"a=fmtp:96 mode=any":         "a=sendrecv|-1",
		"a=rtpmap:97 speex/16000":    "a=sendonly\nc=IN IP4 0.0.0.0|1",
		"m=audio 40000 RTP/AVP 8 0 ": "m=image 40000 RTP/AVP 8 0 |-1",
	} {
		to, code, ok := strings.Cut(want, "|")
		if !ok {
			code = want
		}
		sdp := offer
		if ok && edit != "m=audio" {
			sdp = strings.Replace(offer, edit, to, 1)
		} else if ok {
			sdp = strings.Replace(offer, "a=rtpmap:96", to+"\na=rtpmap:96", 1)
		}
		if _, got := changed(t, withBody("application/sdp", sdp), `is_audio_on_hold();`); got != code {
			t.Errorf("%q: code %s, want %s", edit, got, code)
		}
	}
}

func TestBodyParts(t *testing.T) {
	sdp := "v=0\no=- 1 1 IN IP4 10.0.0.9\ns=-\nm=audio 40000 RTP/AVP 8 0"
	const multi = "multipart/mixed;boundary=b1"
	for _, tt := range []struct{ typ, body, call, code, wantType, want string }{
		{multi, mixed, `has_body_part();`, "1", multi, mixed}, {multi, mixed, `has_body_part("application/ISUP");`, "1", multi, mixed},
		{multi, mixed, `has_body_part("text/plain");`, "-1", multi, mixed},
		{"application/sdp", offer, `has_body_part("application/sdp");`, "1", "application/sdp", offer},
		{"", "", `has_body_part();`, "-1", "", ""},
		{multi, mixed, `remove_body_part();`, "1", "", ""}, {multi, mixed, `remove_body_part("application/isup");`, "1", "application/sdp", sdp},
		{multi, mixed, `remove_body_part("text/plain");`, "-1", multi, mixed},
		{multi, mixed, `remove_body_part("application/sdp", "revert");`, "1", "application/sdp", sdp},
		{multi, mixed, `remove_body_part("application/sdp");`, "1", multi, "preamble\n" + mixed[strings.Index(mixed, "--b1\nContent-Type: application/isup"):]},
		{"application/sdp", offer, `remove_body_part("application/sdp");`, "1", "", ""},
		{"application/sdp", offer, `remove_body_part("application/sdp", "revert");`, "-1", "application/sdp", offer},
		{"application/sdp", offer, `remove_body_part("text/plain", "revert");`, "1", "", ""},
		{"", "", `add_body_part("Hello World!", "text/plain");`, "1", "text/plain", "Hello World!"},
		{"application/sdp", "v=0\n", `add_body_part("Hello", "text/plain", "X-A: 1\r\n");`, "1", `multipart/mixed;boundary="part-boundary-1"`,
			"--part-boundary-1\nContent-Type: application/sdp\n\nv=0\n\n--part-boundary-1\nContent-Type: text/plain\nX-A: 1\n\nHello\n--part-boundary-1--\n"},
		{multi, mixed, `add_body_part("Hello", "text/plain");`, "1", multi, strings.Replace(mixed, "--b1--", "--b1\nContent-Type: text/plain\n\nHello\n--b1--", 1)},
		{multi, mixed, `remove_body_part("application/isup"); has_body_part("application/isup");`, "-1", "application/sdp", sdp},
		{multi, mixed, `remove_body_part(); add_body_part("x", "text/plain"); has_body_part("text/plain");`, "1", "text/plain", "x"},
		{multi, mixed, `add_body_part("has b1 in it", "text/plain");`, "-1", multi, mixed},
		{multi, "no delimiter\n", `add_body_part("x", "text/plain");`, "-1", multi, "no delimiter\n"},
		{multi, "--b1\nbroken", `has_body_part();`, "-1", multi, "--b1\nbroken"},
	} {
		s, code := changed(t, withBody(tt.typ, tt.body), tt.call)
		if code != tt.code || s.header("Content-Type") != tt.wantType || bodyOf(s) != tt.want {
			t.Errorf("%s: code %s, Content-Type %q\n%s", tt.call, code, s.header("Content-Type"), bodyOf(s))
		}
	}
}

func TestPartVariables(t *testing.T) {
	sdp := "v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nm=audio 40000 RTP/AVP 8 0"
	for text, want := range map[string]string{
		`$(rb[0])`: sdp, `$(rb[1])`: "ISUP", `$(rb[-1])`: "ISUP", `$(rb[2])`: "<null>", `$rb(application/isup)`: "ISUP", `$(rb(application/sdp)[-1])`: sdp,
		`$(rb{s.len})`: fmt.Sprint(len(crlf(mixed))), `$(rb[*])`: strings.TrimSuffix(string(crlf(mixed)), "\n"), `$cT`: "multipart/mixed;boundary=b1", `$(cT[1])`: "application/isup;version=x",
		`$(cT[*])`: "multipart/mixed;boundary=b1,application/sdp,application/isup;version=x", `$rb(text/plain)`: "<null>",
		`$(rb(application/sdp){sdp.line,m})`: "m=audio 40000 RTP/AVP 8 0",
	} {
		b := newBench(t, allModules+"route { xlog(\""+text+"\"); }")
		b.receive(withBody("multipart/mixed;boundary=b1", mixed))
		if got := strings.Join(b.log, "|"); got != want && got != strings.TrimRight(want, "\r\n") {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func TestListHeaders(t *testing.T) {
	headers := []string{"Supported: 100rel, timer", "Supported: path,100REL", "Require: 100rel", "Privacy: id;header", "Privacy: critical, user"}
	for _, tt := range []struct{ call, code, header, want string }{
		{`list_hdr_has_option("Supported", "timer");`, "1", "", ""}, {`list_hdr_has_option("k", "PATH");`, "1", "", ""},
		{`list_hdr_has_option("Supported", "gruu");`, "-1", "", ""}, {`list_hdr_has_option("X-None", "a");`, "-1", "", ""},
		{`list_hdr_add_option("Supported", "gruu");`, "1", "Supported", "100rel, timer, gruu|path,100REL"},
		{`list_hdr_add_option("Supported", "a"); list_hdr_add_option("Supported", "b");`, "1", "Supported", "100rel, timer, a, b|path,100REL"},
		{`list_hdr_add_option("X-None", "a");`, "-1", "X-None", ""},
		{`list_hdr_remove_option("Supported", "100rel");`, "1", "Supported", "timer|path"},
		{`list_hdr_remove_option("Require", "100rel");`, "1", "Require", ""}, {`list_hdr_remove_option("Require", "x");`, "-1", "Require", "100rel"},
		{`list_hdr_remove_option("Supported", "100rel"); list_hdr_add_option("Supported", "x"); list_hdr_has_option("Supported", "x");`, "1", "Supported", "timer, x|path"},
		{`list_hdr_remove_option("Supported", "100rel"); list_hdr_has_option("Supported", "100rel");`, "-1", "Supported", "timer|path"},
		{`list_hdr_add_option("Via", "x");`, "-1", "", ""}, {`list_hdr_add_option("Require", "x\r\nEvil: 1");`, "-1", "Require", "100rel"},
		{`is_privacy("id");`, "1", "", ""}, {`is_privacy("USER");`, "1", "", ""}, {`is_privacy("session");`, "-1", "", ""},
	} {
		s, code := changed(t, withBody("", "", headers...), tt.call)
		if code != tt.code || tt.header != "" && s.header(tt.header) != tt.want {
			t.Errorf("%s: code %s, %s %q; want %s, %q", tt.call, code, tt.header, s.header(tt.header), tt.code, tt.want)
		}
	}
}

func TestRequestURIParameters(t *testing.T) {
	const old = "sip:+4930123@example.net:5070;transport=tls;user=phone;ob"
	for _, tt := range []struct{ call, code, uri string }{
		{`ruri_has_param("ob");`, "1", old}, {`ruri_has_param("user");`, "-1", old}, {`ruri_has_param("user", "phone");`, "1", old}, {`ruri_has_param("user", "ip");`, "-1", old}, {`ruri_has_param("lr");`, "-1", old},
		{`ruri_add_param("nat=yes");`, "1", old + ";nat=yes"}, {`ruri_add_param("lr");`, "1", old + ";lr"}, {`ruri_add_param("a=b c");`, "-1", old},
		{`ruri_del_param("user");`, "1", "sip:+4930123@example.net:5070;transport=tls;ob"},
		{`ruri_tel2sip();`, "1", old}, {`$ru = "tel:+49-30-123;ext=5"; ruri_tel2sip();`, "1", "sip:+49-30-123;ext=5@atlanta.example;user=phone"},
		{`is_uri_user_e164($ru);`, "1", old},
	} {
		s, code := changed(t, withBody("", ""), tt.call)
		if code != tt.code || firstLine(s) != "INVITE "+tt.uri+" SIP/2.0" {
			t.Errorf("%s: code %s, %s", tt.call, code, firstLine(s))
		}
	}
	if s, code := changed(t, withBody("", ""), `append_urihf("CC-Diversion: <", ">\r\n");`); code != "1" || s.header("CC-Diversion") != "<"+old+">" {
		t.Errorf("append_urihf: code %s\n%s", code, s.text)
	}
}

func TestValidate(t *testing.T) {
	whole := string(withBody("application/sdp", offer, "Route: <sip:127.0.0.1:5061;lr>"))
	for _, tt := range []struct{ flags, old, edit, want string }{
		{"shrftc", "", "", "1"}, {"", "", "", "1"},
		{"", "Contact:", "X-Contact:", "-14 No Contact header"},
		{"", "Max-Forwards: 69", "X-M: 1", "-13 No Max-Forwards header"}, {"m", "Max-Forwards: 69", "X-M: 1", "1"},
		{"", "Content-Type:", "X-Type:", "-21 No Content-Type header"},
		{"", "Route:", "Path:", "-15 Path used for non-REGISTER request"},
		{"s", "o=- 1", "p=- 1", "-6 SDP body parsing error"}, {"s", "m=audio 40000", "m=audio 4000x", "-6 SDP body parsing error"},
		{"h", "Route: <sip:127.0.0.1:5061;lr>", "Route: <nothing", "-2 Header Parsing error"},
		{"r", "sip:+4930123@example.net:5070", "sip:+49..30123@exam..ple.net:5070", "-12 Bad hostname in R-URI"},
		{"f", "alice@atlanta.example", "alice@atlanta..example", "-25 Bad hostname in From header"},
		{"t", "<sip:+4930123@example.net>\r\nCall", "<sip:+4930123@.example.net>\r\nCall", "-23 Bad hostname in To header"},
		{"c", "Contact: <sip:alice@10.0.0.9:5061;transport=tls>", "Contact: <sip:alice@10.0.0.9:5061", "-26 Contact header parse error"},
	} {
		b := newBench(t, allModules+`route { if (sipmsg_validate("`+tt.flags+`", $var(why))) xlog("$rc"); else xlog("$rc $var(why)"); }`)
		b.receive([]byte(strings.Replace(whole, tt.old, tt.edit, 1)))
		if got := strings.Join(b.log, "|"); got != tt.want {
			t.Errorf("%q with %q: got %q, want %q (%s)", tt.flags, tt.edit, got, tt.want, b.status())
		}
	}
	_, err := compile("x.cfg", []byte(allModules+`route { sipmsg_validate("x"); sipmsg_validate("s", "text"); sipmsg_validate("s", $si); }`))
	for _, want := range []string{"has the flag x", "expected a variable that can be assigned to", "$si cannot be assigned to"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nlacks %s", err, want)
		}
	}
}

func TestAVPSet(t *testing.T) {
	for call, want := range map[string]string{
		`is_avp_set($avp(a));`: "1", `is_avp_set("$avp(a)");`: "1", `is_avp_set("$avp(a)/n");`: "-1", `is_avp_set("$avp(a)/s");`: "1", `is_avp_set($avp(a), "e");`: "-1",
		`is_avp_set($avp(n), "n");`: "1", `is_avp_set($avp(n), "s");`: "-1", `is_avp_set($avp(e), "e");`: "1", `is_avp_set($avp(none));`: "-1",
	} {
		if _, code := changed(t, invite, `$avp(a) = "x"; $avp(n) = 5; $avp(e) = ""; `+call); code != want {
			t.Errorf("%s: code %s, want %s", call, code, want)
		}
	}
	for _, wrong := range []string{`is_avp_set($var(a));`, `is_avp_set("a");`, `is_avp_set($avp(a), "x");`} {
		if _, err := compile("x.cfg", []byte(allModules+"route { "+wrong+" }")); err == nil {
			t.Errorf("%s is taken", wrong)
		}
	}
}

func TestAdvertised(t *testing.T) {
	s, code := changed(t, invite, `set_advertised_address("nat.example"); set_advertised_port("5099"); record_route();`)
	if code != "1" || !strings.Contains(s.text, "\r\nVia: SIP/2.0/TLS nat.example:5099;") || !strings.HasPrefix(s.header("Record-Route"), "<sip:nat.example:5099;transport=tls;") {
		t.Errorf("code %s\n%s", code, s.text)
	}
	s, code = changed(t, invite, `record_route_preset("1.2.3.4:5090", "10.0.0.1;transport=tls");`)
	if code != "1" || s.header("Record-Route") != "<sip:1.2.3.4:5090;r2=on;lr;ftag=1928301774>|<sip:10.0.0.1;transport=tls;r2=on;lr;ftag=1928301774>" {
		t.Errorf("code %s\n%s", code, s.text)
	}
	if _, code = changed(t, invite, `set_advertised_address("a $var(x)");`); code != "-1" {
		t.Errorf("code %s", code)
	}
}

// TestTextopsOfThere are those that configurations have besides.
func TestTextopsOfThere(t *testing.T) {
	for call, want := range map[string]string{
		`search_append("tester", " SIP");`: "tester SIP 1.0", `replace($var(re), "T");`: "T 1.0", `search_append("nowhere", "x");`: "tester 1.0",
	} {
		if s, _ := changed(t, invite, `$var(re) = "test[er]+"; `+call); s.header("User-Agent") != want {
			t.Errorf("%s: %q", call, s.header("User-Agent"))
		}
	}
	for call, want := range map[string]string{
		`replace_body_atonce("^.+$", "");`: "", `search_append_body("v=0", "0");`: strings.Replace(offer, "v=0", "v=00", 1),
		`$var(a) = "10.0.0.9"; replace_body_all($var(a), "192.0.2.1");`: strings.ReplaceAll(offer, "10.0.0.9", "192.0.2.1"),
	} {
		if s, _ := changed(t, withBody("application/sdp", offer), call); bodyOf(s) != want {
			t.Errorf("%s:\n%s", call, bodyOf(s))
		}
	}
}
