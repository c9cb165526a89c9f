package auth_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sipreactor/reactor/digest"
	"sipreactor/reactor/modules/auth"
	"sipreactor/reactor/modules/auth_db"
	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/script"
)

var all = []script.Constructor{auth.New, auth_db.New, signaling.New}

// phone answers challenges.
type phone struct {
	*moduletest.Bench
	t              *testing.T
	user, password string
	cseq           int
}

// users is a bench with a file of users: alice's password is secret, in MD5 and SHA-256.
func users(t *testing.T, params, routes string) *phone {
	t.Helper()
	file := filepath.Join(t.TempDir(), "users")
	var text string
	for _, a := range []digest.Algorithm{digest.MD5, digest.SHA256} {
		text += fmt.Sprintf("alice:example.org:%s:%s\n", a, digest.AppendHA1(nil, a, []byte("alice"), []byte("example.org"), []byte("secret")))
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	params += fmt.Sprintf("modparam(\"auth_db\", \"users_file\", %q)\n", file)
	return &phone{t: t, user: "alice", password: "secret",
		Bench: moduletest.New(t, moduletest.Head("signaling", "auth", "auth_db")+params+routes, all...)}
}

// send sends a REGISTER with more headers and returns the status and the challenges.
func (p *phone) send(headers ...string) (code string, challenges []string) {
	p.t.Helper()
	p.cseq++
	text := fmt.Sprintf("REGISTER sip:example.org SIP/2.0\nVia: SIP/2.0/TLS 10.0.0.9:5061;branch=z9hG4bK%d\nMax-Forwards: 70\n"+
		"From: <sip:alice@example.org>;tag=f\nTo: <sip:alice@example.org>\nCall-ID: one\nCSeq: %d REGISTER\n", p.cseq, p.cseq)
	for _, h := range headers {
		text += h + "\n"
	}
	p.Receive(moduletest.CRLF(text + "Content-Length: 0\n\n"))
	if len(p.Sent) == 0 {
		return "", nil
	}
	for line := range strings.SplitSeq(p.Sent[0].Text, "\r\n") {
		if v, ok := strings.CutPrefix(line, "WWW-Authenticate: "); ok {
			challenges = append(challenges, v)
		}
	}
	return p.Status(), challenges
}

// answer answers a challenge.
func (p *phone) answer(challenge string, count uint32, uri string) string {
	p.t.Helper()
	var c digest.Challenge
	if err := digest.ParseChallenge([]byte(challenge), &c); err != nil {
		p.t.Fatalf("%q: %v", challenge, err)
	}
	ha1 := digest.AppendHA1(nil, c.Algorithm, []byte(p.user), c.Realm, []byte(p.password))
	return "Authorization: " + string(c.Answer(nil, []byte(p.user), ha1, &digest.Request{Method: []byte("REGISTER"), URI: []byte(uri), Count: count}))
}

const routes = `route {
	www_authorize("", "subscriber"); $var(rc) = $rc; xlog("code $var(rc)");
	if ($var(rc) < 0) { www_challenge("", "auth", "MD5,SHA-256"); exit; }
	consume_credentials();
	send_reply(200, "OK");
}
`

func TestAuthorize(t *testing.T) {
	p := users(t, "", routes)
	code, ch := p.send()
	if code != "401" || len(ch) != 2 || !strings.Contains(ch[0], "algorithm=SHA-256") || strings.Contains(ch[1], "algorithm") ||
		!strings.HasPrefix(ch[0], `Digest realm="example.org", nonce="`) || !strings.Contains(ch[1], `qop="auth"`) {
		t.Fatalf("%s %q", code, ch)
	}
	for i, challenge := range ch {
		if code, _ := p.send(p.answer(challenge, 1, "sip:example.org")); code != "200" {
			t.Errorf("challenge %d: %s %v", i, code, p.Log)
		}
		if code, again := p.send(p.answer(challenge, 1, "sip:example.org")); code != "401" || p.Log[0] != "code -3" || !strings.Contains(again[0], "stale=true") {
			t.Errorf("the same count again: %s %v %q", code, p.Log, again)
		}
		if code, _ := p.send(p.answer(challenge, 2, "sip:example.org")); code != "200" {
			t.Errorf("the next count: %s %v", code, p.Log)
		}
	}
	_, ch = p.send()
	garbage := strings.Replace(ch[1], `nonce="`, `nonce="x`, 1)
	for _, c := range []struct{ name, header, code, log string }{
		{"another URI", p.answer(ch[1], 1, "sip:other.org"), "401", "code -5"},
		{"another realm", strings.Replace(p.answer(ch[1], 1, "sip:example.org"), `realm="example.org"`, `realm="x"`, 1), "401", "code -4"},
		{"Basic", "Authorization: Basic dTpw", "401", "code -4"},
		{"a broken one", "Authorization: Digest username=\"", "400", ""},
		{"garbage for a nonce", p.answer(garbage, 1, "sip:example.org"), "401", "code -3"},
	} {
		code, again := p.send(c.header)
		if code != c.code || c.log != "" && (len(p.Log) == 0 || p.Log[len(p.Log)-1] != c.log) {
			t.Errorf("%s: %s %v", c.name, code, p.Log)
		}
		if c.code == "401" && strings.Contains(again[0], "stale") {
			t.Errorf("%s is called stale", c.name)
		}
	}
	if code, _ := p.send(p.answer(ch[1], 5, "sip:127.0.0.1:5061")); code != "200" {
		t.Errorf("our own address for a URI: %s %v", code, p.Log)
	}
	p.password = "wrong"
	if code, _ := p.send(p.answer(ch[1], 1, "sip:example.org")); code != "401" || p.Log[0] != "code -2" {
		t.Errorf("a wrong password: %s %v", code, p.Log)
	}
	p.user = "nobody"
	if code, _ := p.send(p.answer(ch[1], 1, "sip:example.org")); code != "401" || p.Log[0] != "code -1" {
		t.Errorf("a wrong user: %s %v", code, p.Log)
	}
	p.user, p.password = "alice", "secret"
	second := p.answer(ch[1], 1, "sip:example.org")
	if code, _ := p.send(strings.Replace(second, `realm="example.org"`, `realm="other"`, 1), second); code != "200" {
		t.Errorf("behind credentials for another realm: %s %v", code, p.Log)
	}
}

// TestConsume takes away what is for us, and leaves what is for others.
func TestConsume(t *testing.T) {
	p := users(t, "", strings.Replace(routes, `send_reply(200, "OK")`, `forward("tls:127.0.0.1:5081")`, 1))
	_, ch := p.send()
	other := `Proxy-Authorization: Digest username="u", realm="next", nonce="n", uri="sip:h", response="r"`
	p.send(p.answer(ch[1], 1, "sip:example.org"), other)
	if len(p.Sent) != 1 || strings.Contains(p.Sent[0].Text, "\r\nAuthorization:") || !strings.Contains(p.Sent[0].Text, other) {
		t.Errorf("%+v %v", p.Sent, p.Log)
	}
}

// TestVariables checks against variables.
func TestVariables(t *testing.T) {
	const params = `modparam("auth", "username_spec", "$var(user)")
modparam("auth", "password_spec", "$var(pass)")
modparam("auth", "calculate_ha1", 1)
`
	p := users(t, params, `route {
	$var(user) = "alice"; $var(pass) = "secret";
	if (!pv_www_authorize("example.org")) { www_challenge("example.org", "auth-int"); exit; }
	send_reply(200, "OK");
}
`)
	_, ch := p.send()
	if !strings.Contains(ch[0], `qop="auth-int"`) {
		t.Fatal(ch)
	}
	if code, _ := p.send(p.answer(ch[0], 1, "sip:example.org")); code != "200" {
		t.Errorf("%s %v", code, p.Log)
	}
}

// TestWhoIsVerified has variables tell of the credentials that were verified, and of no others beside them.
func TestWhoIsVerified(t *testing.T) {
	p := users(t, "", strings.Replace(routes, "consume_credentials();", "xlog(\"$au $ar $aU $(adu)\");", 1))
	_, ch := p.send()
	made := `Authorization: Digest username="carol", realm="x", nonce="x", uri="sip:x", response="00000000000000000000000000000000"`
	ours := strings.Replace(p.answer(ch[1], 7, "sip:example.org"), `username="alice"`, `username="carol"`, 1) // with a nonce of ours
	for i, before := range []string{made, ours, strings.Replace(made, `realm="x"`, `realm="example.org"`, 1)} {
		good := p.answer(ch[1], uint32(i+1), "sip:example.org")
		code, _ := p.send(before, good)
		if last := p.Log[len(p.Log)-1]; code == "200" && last != "alice example.org alice sip:example.org" {
			t.Errorf("behind %s: %s", before, last)
		} else if before == made && code != "200" {
			t.Errorf("behind credentials for another realm: %s %v", code, p.Log)
		}
	}
}

// TestProxyByVariables checks Proxy-Authorization against variables, at a request that is no REGISTER.
func TestProxyByVariables(t *testing.T) {
	const params = `modparam("auth", "username_spec", "$var(user)")
modparam("auth", "password_spec", "$var(pass)")
modparam("auth", "calculate_ha1", 0)
`
	p := users(t, params, fmt.Sprintf(`route {
	$var(user) = "alice"; $var(pass) = "%s";
	if (!pv_proxy_authorize("example.org")) { xlog("code $rc"); proxy_challenge("example.org", "auth"); exit; }
	send_reply(200, "OK $au");
}
`, digest.AppendHA1(nil, digest.MD5, []byte("alice"), []byte("example.org"), []byte("secret"))))
	if code, _ := p.send(); code != "407" {
		t.Fatalf("%s %v", code, p.Log)
	}
	challenge := p.Sent[0].Header("Proxy-Authenticate")
	for i, c := range []struct{ user, password, header, code, log string }{
		{"alice", "secret", "Proxy-Authorization", "200", ""},
		{"alice", "wrong", "Proxy-Authorization", "407", "code -2"},
		{"bob", "secret", "Proxy-Authorization", "407", "code -1"},
		{"alice", "secret", "Authorization", "407", "code -4"}, // credentials for a server
	} {
		p.user, p.password = c.user, c.password
		_, value, _ := strings.Cut(p.answer(challenge, uint32(i+1), "sip:example.org"), ": ")
		if code, _ := p.send(c.header + ": " + value); code != c.code || c.log != "" && p.Log[0] != c.log {
			t.Errorf("%s with %s by %s: %s %v", c.user, c.password, c.header, code, p.Log)
		}
	}
}

// TestNonceAgain has the same credentials taken again with disable_nonce_check, and only then; a nonce still expires.
func TestNonceAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := users(t, "modparam(\"auth\", \"disable_nonce_check\", 1)\nmodparam(\"auth\", \"nonce_expire\", 30)\n", routes)
		_, ch := p.send()
		answer := p.answer(ch[1], 1, "sip:example.org")
		for range 3 {
			if code, _ := p.send(answer); code != "200" {
				t.Errorf("%s %v", code, p.Log)
			}
		}
		time.Sleep(time.Minute)
		if code, again := p.send(answer); code != "401" || !strings.Contains(again[0], "stale=true") {
			t.Errorf("a minute later: %s %q", code, again)
		}
	})
}

// TestRemoteParty writes Remote-Party-ID.
func TestRemoteParty(t *testing.T) {
	head := moduletest.Head("signaling", "auth")
	for uri, want := range map[string]string{"sip:+491234@h": "1", "sip:alice@h": "-1", "<sip:+1@h>": "1", "sip:+1234567890123456@h": "-1"} {
		log := moduletest.Logs(t, head, fmt.Sprintf("$avp(rpid) = %q; is_rpid_user_e164(); $var(rc) = $rc; xlog(\"$var(rc)\");", uri), all...)
		if log[0] != want {
			t.Errorf("%s: %v", uri, log)
		}
	}
	b := moduletest.New(t, head+"route { $avp(rpid) = \"sip:+1@h\"; append_rpid_hf(); forward(\"tls:127.0.0.1:5081\"); }\n", all...)
	b.Receive(moduletest.Invite)
	if !strings.Contains(b.Sent[0].Text, "\r\nRemote-Party-ID: sip:+1@h;party=calling;id-type=subscriber;screen=yes\r\n") {
		t.Error(b.Sent[0].Text)
	}
}

func TestErrors(t *testing.T) {
	head := moduletest.Head("signaling", "auth", "auth_db")
	for text, want := range map[string]string{
		`route { www_challenge("r", "other"); }`:                                   `qop is "auth"`,
		`route { www_challenge("r", "", "MD5-sess"); }`:                            `wants a qop`,
		`route { www_challenge("r", "auth", "SHA-1"); }`:                           `an algorithm is MD5`,
		"modparam(\"auth\", \"secret\", \"short\")\nroute { exit; }":               `exactly 32`,
		"modparam(\"auth_db\", \"users_file\", \"/nonexistent\")\nroute { exit; }": `users_file: open /nonexistent`,
		"modparam(\"auth_db\", \"load_credentials\", \"=x\")\nroute { exit; }":     `load_credentials`,
		"onreply_route { www_authorize(\"\", \"subscriber\"); }\nroute { exit; }":  `www_authorize() cannot be used in onreply_route`,
	} {
		if got := moduletest.Wrong(t, head+text, all...); !strings.Contains(got, want) {
			t.Errorf("%s:\n%s", text, got)
		}
	}
}

// TestSessions offers algorithms with -sess beside the plain ones, the strongest first.
func TestSessions(t *testing.T) {
	b := moduletest.New(t, moduletest.Head("signaling", "auth")+`route { www_challenge("r", "auth", "md5,SHA-256-sess,MD5-sess,SHA-256"); }`, all...)
	b.Receive(moduletest.Invite)
	var got []string
	for line := range strings.Lines(b.Sent[0].Text) {
		if name, value, _ := strings.Cut(strings.TrimSpace(line), ": "); name == "WWW-Authenticate" {
			_, alg, _ := strings.Cut(value, "algorithm=")
			got = append(got, alg)
		}
	}
	if want := []string{"SHA-256-sess", "SHA-256", "MD5-sess", ""}; !slices.Equal(got, want) {
		t.Errorf("%q is offered, want %q", got, want)
	}
}
