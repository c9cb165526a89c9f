package rtpproxy

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/sl"
)

// relayStub is an rtpproxy that answers as a test says.
type relayStub struct {
	url    string
	mu     sync.Mutex
	got    []string
	answer func(command string) string // "" is silence
}

// newStub starts one that has the ports 40000, 40002, ... at 192.0.2.7.
func newStub(t *testing.T) *relayStub {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.Close() })
	r := &relayStub{url: "udp:" + pc.LocalAddr().String(), answer: places("192.0.2.7")}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			cookie, command, _ := strings.Cut(strings.TrimSpace(string(buf[:n])), " ")
			r.mu.Lock()
			if command != "V" {
				r.got = append(r.got, command)
			}
			answer := r.answer(command)
			r.mu.Unlock()
			if answer != "" {
				_, _ = pc.WriteTo([]byte(cookie+" "+answer+"\n"), from)
			}
		}
	}()
	return r
}

// places answers U and L with ports at an address, and the rest with 0.
func places(addr string) func(string) string {
	return func(command string) string {
		switch {
		case command == "V":
			return "20040107"
		case command[0] == 'Q':
			return "55 10 11 21 2"
		case command[0] != 'U' && command[0] != 'L':
			return "0"
		case strings.Contains(command, ";2"):
			return "40002 " + addr
		}
		return "40000 " + addr
	}
}

func (r *relayStub) set(f func(string) string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = f
}

// take gives the commands since the last take.
func (r *relayStub) take() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := strings.Join(r.got, "|")
	r.got = nil
	return all
}

func head(socks string, more ...string) string {
	text := moduletest.Head("rtpproxy", "sl")
	if socks != "" {
		text += fmt.Sprintf("modparam(\"rtpproxy\", \"rtpproxy_sock\", %q)\n", socks)
	}
	for _, p := range append(more, `"rtpproxy_retr", 0`) {
		text += "modparam(\"rtpproxy\", " + p + ")\n"
	}
	return text
}

const offer = "v=0\r\no=- 1 1 IN IP4 10.1.1.1\r\ns=-\r\nc=IN IP4 10.1.1.1\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0 8\r\na=rtcp:5001 IN IP4 10.1.1.1\r\na=sendrecv\r\nm=video 5002 RTP/AVP 96\r\nc=IN IP4 10.1.1.2\r\nm=audio 0 RTP/AVP 0\r\nm=message 7654 TCP/MSRP *\r\n"

// withBody puts a session description into a message.
func withBody(text, sdp string) []byte {
	head, _, _ := strings.Cut(text, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	for i, l := range lines {
		if strings.HasPrefix(l, "Content-Length:") {
			lines[i] = fmt.Sprintf("Content-Length: %d", len(sdp))
		}
	}
	return []byte(strings.Join(lines, "\r\n") + "\r\n\r\n" + sdp)
}

func bodyOf(text string) string {
	_, b, _ := strings.Cut(text, "\r\n\r\n")
	return b
}

func TestDocumented(t *testing.T) { moduletest.Documented(t, New) }

// TestOffer checks commands and what becomes of the SDP, by flags.
func TestOffer(t *testing.T) {
	r := newStub(t)
	const changed = "v=0\r\no=- 1 1 IN IP4 10.1.1.1\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0 8\r\na=rtcp:40001\r\na=sendrecv\r\nm=video 40002 RTP/AVP 96\r\nc=IN IP4 192.0.2.7\r\nm=audio 0 RTP/AVP 0\r\nm=message 7654 TCP/MSRP *\r\na=nortpproxy:yes\r\n"
	const call = " a84b4c76e66710@pc33 "
	for _, c := range []struct{ args, commands, sdp string }{
		{``, "U" + call + "10.0.0.9 5000 1928301774;1|U" + call + "10.0.0.9 5002 1928301774;2", changed},
		{`"r"`, "U" + call + "10.1.1.1 5000 1928301774;1|U" + call + "10.1.1.2 5002 1928301774;2", changed},
		{`"rei"`, "UEI" + call + "10.1.1.1 5000 1928301774;1|UEI" + call + "10.1.1.2 5002 1928301774;2", changed},
		{`"rz20s", , , , , , "10.9.9.9"`, "UZ20Sl10.9.9.9" + call + "10.1.1.1 5000 1928301774;1|UZ20Sl10.9.9.9" + call + "10.1.1.2 5002 1928301774;2", changed},
		{`"ro"`, "", strings.Replace(changed, "IN IP4 10.1.1.1", "IN IP4 192.0.2.7", 1)},
		{`"r", "2001:db8::1"`, "", strings.ReplaceAll(strings.Replace(changed, "10.1.1.1", "keep", 1), "IP4 192.0.2.7", "IP6 2001:db8::1")},
		{`"k"`, "", offer},
	} {
		b := moduletest.New(t, head(r.url)+`route { rtpproxy_offer(`+c.args+`); xlog("$rc"); forward("tls:127.0.0.1:5099"); }`, New, sl.New)
		b.Receive(withBody(string(moduletest.Invite), offer))
		want := strings.Replace(c.sdp, "keep", "10.1.1.1", 1)
		if len(b.Sent) != 1 || bodyOf(b.Sent[0].Text) != want || strings.Join(b.Log, "|") != "1" {
			t.Errorf("%s: %v %q", c.args, b.Log, texts(b))
		}
		if got := r.take(); c.commands != "" && got != c.commands {
			t.Errorf("%s:\n got %s\nwant %s", c.args, got, c.commands)
		}
	}
}

// TestSDP checks the session's c=, hold, and what is refused.
func TestSDP(t *testing.T) {
	r := newStub(t)
	const own = "v=0\r\nc=IN IP4 10.1.1.1\r\nm=audio 5000 RTP/AVP 0\r\nc=IN IP4 10.1.1.2\r\n"
	for _, c := range []struct{ flags, sdp, want string }{
		{"", own, "v=0\r\nc=IN IP4 10.1.1.1\r\nm=audio 40000 RTP/AVP 0\r\nc=IN IP4 192.0.2.7\r\na=nortpproxy:yes\r\n"},
		{"c", own, "v=0\r\nc=IN IP4 192.0.2.7\r\nm=audio 40000 RTP/AVP 0\r\nc=IN IP4 192.0.2.7\r\na=nortpproxy:yes\r\n"},
		{"", "v=0\nc=IN IP4 0.0.0.0\nm=audio 5000/2 RTP/AVP 0", "v=0\nc=IN IP4 0.0.0.0\nm=audio 40000 RTP/AVP 0\r\na=nortpproxy:yes\r\n"},
		{"", "v=0\r\nm=image 5000 udptl t38\r\nc=IN IP6 2001:db8::2\r\n", "v=0\r\nm=image 40000 udptl t38\r\nc=IN IP4 192.0.2.7\r\na=nortpproxy:yes\r\n"},
		{"", "v=0\r\na=nortpproxy:yes\r\n" + own[5:], "marked"},
		{"f", "v=0\r\na=nortpproxy:yes\r\nm=audio 1 RTP/AVP 0\r\nc=IN IP4 1.1.1.1\r\n", "v=0\r\na=nortpproxy:yes\r\nm=audio 40000 RTP/AVP 0\r\nc=IN IP4 192.0.2.7\r\na=nortpproxy:yes\r\n"},
		{"", "v=0\r\nm=audio 5000 RTP/AVP 0\r\n", "has no address"},
		{"", "v=0\r\nc=IN IP4 1.1.1.1\r\n" + strings.Repeat("m=audio 5000 RTP/AVP 0\r\n", maxStreams+1), "has no address"},
	} {
		b := moduletest.New(t, head(r.url)+`route { rtpproxy_offer("`+c.flags+`"); forward("tls:127.0.0.1:5099"); }`, New, sl.New)
		b.Receive(withBody(string(moduletest.Invite), c.sdp))
		if strings.HasPrefix(c.want, "v=") {
			if len(b.Sent) != 1 || bodyOf(b.Sent[0].Text) != c.want {
				t.Errorf("%q: %v %q", c.sdp, b.Log, texts(b))
			}
		} else if !strings.Contains(strings.Join(b.Log, "|"), c.want) || bodyOf(b.Sent[0].Text) != c.sdp {
			t.Errorf("%q: %v %q", c.sdp, b.Log, texts(b))
		}
	}
	// In a variable, through an advertised address.
	log := moduletest.Logs(t, head(r.url+"|203.0.113.5=2"), `$var(b) = "v=0\r\nm=audio 6000 RTP/AVP 0\r\nc=IN IP4 10.1.1.2\r\n"; rtpproxy_offer("", , , $var(s), $var(p), $var(b)); xlog("$var(s) $var(p) $var(b)");`, New, sl.New)
	if want := r.url + " 203.0.113.5:40000 v=0\r\nm=audio 40000 RTP/AVP 0\r\nc=IN IP4 203.0.113.5\r\na=nortpproxy:yes\r"; len(log) != 1 || log[0] != want {
		t.Errorf("%q, want %q", log, want)
	}
}

// TestCall has an offer, its answer, an offer in a response and its answer in the ACK, and
// the end.
func TestCall(t *testing.T) {
	r := newStub(t)
	b := moduletest.New(t, head(r.url, `"nortpproxy_str", ""`)+`loadmodule "sipmsgops.so"
route {
	if (is_method("ACK")) { rtpproxy_answer("r"); exit; }
	if (is_method("BYE")) { rtpproxy_stats($var(u), $var(d), $var(s), $var(f)); xlog("$var(u) $var(d) $var(s) $var(f)"); rtpproxy_all_stats($avp(all)); xlog("$(avp(all)[1]) $(avp(all)[4])"); rtpproxy_start_recording(, , "s"); rtpproxy_unforce(); exit; }
	rtpproxy_offer("r"); forward("tls:127.0.0.1:5099"); }
onreply_route { if ($rs == 183) rtpproxy_offer("r"); else rtpproxy_answer("r"); }`, New, sl.New)
	const sdp = "v=0\r\nc=IN IP4 10.1.1.1\r\nm=audio 5000 RTP/AVP 0\r\n"
	invite := string(withBody(string(moduletest.Invite), sdp))
	inDialog := strings.Replace(invite, "To: <sip:+4930123@example.net>", "To: <sip:+4930123@example.net>;tag=callee", 1)
	reply := func(code string) string {
		b.Receive([]byte(invite))
		_, rest, _ := strings.Cut(b.Sent[0].Text, "\r\n")
		r.take()
		return "SIP/2.0 " + code + " X\r\n" + strings.Replace(rest, "To: <sip:+4930123@example.net>", "To: <sip:+4930123@example.net>;tag=callee", 1)
	}
	as := func(m string) string {
		return strings.Replace(strings.Replace(inDialog, "INVITE sip", m+" sip", 1), "314159 INVITE", "314159 "+m, 1)
	}
	const call = " a84b4c76e66710@pc33 "
	for _, c := range []struct{ text, want string }{
		{invite, "U" + call + "10.1.1.1 5000 1928301774;1"},
		{inDialog, "U" + call + "10.1.1.1 5000 1928301774;1 callee;1"},
		{reply("200"), "L" + call + "192.0.2.7 40000 1928301774;1 callee;1"},
		{reply("183"), "U" + call + "192.0.2.7 40000 callee;1 1928301774;1"},
		{as("ACK"), "L" + call + "10.1.1.1 5000 callee;1 1928301774;1"},
		{as("BYE"), "Q" + call + "1928301774 callee|Q" + call + "1928301774 callee|Rs" + call + "1928301774 callee|D" + call + "1928301774 callee"},
		{strings.Replace(as("BYE"), "Call-ID: a84b4c76e66710@pc33", "Call-ID: a84b4c76e66710@pc33 x y", 1), ""},
	} {
		b.Receive([]byte(c.text))
		if got := r.take(); got != c.want {
			t.Errorf("%.30q:\n got %s\nwant %s\n%v", c.text, got, c.want, b.Log)
		}
		if strings.HasPrefix(c.text, "BYE") && c.want != "" && (b.Log[0] != "10 11 21 2" || b.Log[1] != "10 2") {
			t.Error(b.Log)
		}
	}
}

// TestFailover has offers go to another node, and the call stay there.
func TestFailover(t *testing.T) {
	a, c := newStub(t), newStub(t)
	b := moduletest.New(t, head(a.url+" "+c.url, `"rtpproxy_timeout", "2"`)+`route { rtpproxy_offer("r", , , $var(s)); xlog("$rc $var(s)"); rtpproxy_unforce(); xlog("$rc"); }`, New, sl.New)
	run := func() string {
		b.Receive(withBody(string(moduletest.Invite), offer))
		return strings.Join(b.Log, "|")
	}
	first, other := a, c
	if strings.Contains(run(), c.url) {
		first, other = c, a
	}
	for _, answer := range []string{"E8", "0", "x", "40000", "70000 1.1.1.1", "40000 nowhere"} {
		first.set(func(string) string { return answer })
		if got := run(); got != "1 "+other.url+"|1" {
			t.Errorf("%s: %s", answer, got)
		}
	}
	first.set(func(string) string { return "" })
	if got := run(); !strings.HasSuffix(got, "1 "+other.url+"|1") || !strings.Contains(got, "a media relay is inactive") {
		t.Error(got)
	}
	if got := b.Command(t, "rtpproxy_show", nil); strings.Count(got, `"disabled":1`) != 1 {
		t.Error(got)
	}
	if got := b.Command(t, "rtpproxy_enable", map[string]any{"url": other.url, "enable": 0}); got != `"OK"` {
		t.Error(got)
	}
	if got := run(); !strings.Contains(got, "no rtpproxy is there") {
		t.Error(got)
	}
}

func TestSets(t *testing.T) {
	one, two := newStub(t), newStub(t)
	conf := head(one.url, `"default_set", 1`, fmt.Sprintf(`"rtpproxy_sock", "2 == %s"`, two.url))
	for text, want := range map[string]string{
		`rtpproxy_unforce(, $var(s)); xlog("$var(s)");`:                          one.url,
		`rtpproxy_unforce(2, $var(s)); xlog("$var(s)");`:                         two.url,
		`set_rtp_proxy_set(2); rtpproxy_unforce(, $var(s)); xlog("$var(s)");`:    two.url,
		`rtpproxy_unforce(3); xlog("$rc");`:                                      "-1",
		`$var(n) = 3; set_rtp_proxy_set($var(n)); xlog("$rc");`:                  "-1",
		`$var(s) = "udp:127.0.0.1:9"; rtpproxy_unforce(, $var(s)); xlog("$rc");`: "-1",
	} {
		log := moduletest.Logs(t, conf, text, New, sl.New)
		if got := log[len(log)-1]; got != want {
			t.Errorf("%s: %q, want %s", text, log, want)
		}
	}
}

func TestWrong(t *testing.T) {
	for call, want := range map[string]string{
		`rtpproxy_offer("x")`:                                "unknown flag",
		`rtpproxy_offer("z")`:                                "no number of milliseconds",
		`rtpproxy_answer("d")`:                               "flag d is not supported",
		`rtpproxy_engage()`:                                  "it needs the modules tm and dialog",
		`rtpproxy_engage(,,0,$var(n),$var(place))`:           "it needs the modules tm and dialog",
		`set_rtp_proxy_set(4)`:                               "there is no set 4",
		`rtpproxy_start_recording(, , "x")`:                  "unknown flags",
		`rtpproxy_start_recording(, , , "udp:127.0.0.1:60")`: "a destination of rtpproxy_start_recording() is not supported",
	} {
		if got := moduletest.Wrong(t, head("udp:127.0.0.1:9")+"route { "+call+"; }", New, sl.New); !strings.Contains(got, want) {
			t.Errorf("%s: %s", call, got)
		}
	}
	for param, want := range map[string]string{
		`"rtpproxy_sock", "sctp:h:1"`:              "rtpproxy_sock is wrong",
		`"rtpproxy_sock", "udp:h:1|host"`:          "is no address",
		`"rtpproxy_timeout", "0"`:                  "is no number of seconds",
		`"rtpproxy_autobridge", 1`:                 "is not supported",
		`"rtpp_notify_socket", "udp:10.0.0.1:999"`: "is by TCP or a UNIX socket",
		`"rtpp_notify_socket", "tcp:10.0.0.1"`:     "is no tcp:host:port",
		`"db_url", "mysql://x"`:                    "names no database",
	} {
		if got := moduletest.Wrong(t, head("", param)+"route { exit; }", New, sl.New); !strings.Contains(got, want) {
			t.Errorf("%s: %s", param, got)
		}
	}
}

// texts are the messages that were sent.
func texts(b *moduletest.Bench) (all []string) {
	for _, s := range b.Sent {
		all = append(all, s.Text)
	}
	return all
}

// TestHiddenCallID: rtpproxy knows a call by the caller's Call-ID, also where the callee knows another one.
func TestHiddenCallID(t *testing.T) {
	r := newStub(t)
	b := moduletest.New(t, moduletest.Head("rtpproxy", "sl")+fmt.Sprintf("modparam(\"rtpproxy\", \"rtpproxy_sock\", %q)\n", r.url)+`route { rtpproxy_unforce(); }`, New, sl.New)
	b.Proxy.SetCallIDs(func([]byte) []byte { return []byte("callers") })
	b.Receive([]byte(strings.Replace(string(moduletest.Invite), "To: <sip:+4930123@example.net>", "To: <sip:+4930123@example.net>;tag=b", 1)))
	r.mu.Lock()
	defer r.mu.Unlock()
	if got := strings.Join(r.got, "|"); !strings.HasPrefix(got, "D callers ") {
		t.Error(got, b.Log)
	}
}
