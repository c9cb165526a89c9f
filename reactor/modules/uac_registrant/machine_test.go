package uac_registrant

import (
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/digest"
	"sipreactor/reactor/modules/uac_auth"
)

// bed has one registration and a clock that the test sets.
type bed struct {
	*testing.T
	r      registration
	rules  policy
	now    time.Time
	states []string
}

const nonce = `Digest realm="carrier.example", nonce="n1", qop="auth"`

func newBed(t *testing.T, change ...func(a *account)) *bed {
	b := &bed{T: t, now: time.Unix(1_000_000, 0)}
	b.r = registration{callID: []byte("c"), due: b.now, account: account{registrar: "sip:carrier.example", aor: "sip:alice@carrier.example",
		binding: "sip:alice@192.0.2.1", user: "alice", password: "secret"}}
	for _, f := range change {
		f(&b.r.account)
	}
	if err := b.r.check(); err != nil {
		t.Fatal(err)
	}
	b.rules = policy{percent: 100, random: func() float64 { return 1 },
		entered: func(r *registration) { b.states = append(b.states, strings.TrimSuffix(r.state.String(), "_STATE")) }}
	return b
}

// due starts what is due and returns it.
func (b *bed) due() *register { return b.r.start(&b.rules, b.now) }

// hears has the registrar answer.
func (b *bed) hears(a answer) *register { return b.r.heard(&b.rules, b.now, &a) }

func (b *bed) sees(want string) {
	b.Helper()
	if got := strings.Join(b.states, " "); got != want {
		b.Errorf("states %s, want %s", got, want)
	}
	b.states = nil
}

// dueIn checks when the next REGISTER is due.
func (b *bed) dueIn(want time.Duration) {
	b.Helper()
	if b.r.due.IsZero() || b.r.due.Sub(b.now) != want {
		b.Errorf("due at %v, which is in %v, want %v", b.r.due, b.r.due.Sub(b.now), want)
	}
}

func (b *bed) passes(d time.Duration) { b.now = b.now.Add(d) }

func challenge(code int, text string) answer {
	return answer{code: code, challenges: [][]byte{[]byte(text)}, expires: -1}
}

func ok(expires int64) answer { return answer{code: 200, expires: expires, bindings: 1} }

// TestRegisters goes through a registration, its refresh and its end.
func TestRegisters(t *testing.T) {
	b := newBed(t)
	if m := b.due(); m == nil || m.expires != 3600 || m.whole || m.authorization != "" {
		t.Fatalf("the first REGISTER: %+v", m)
	}
	if m := b.due(); m != nil {
		t.Errorf("sent twice: %+v", m)
	}
	m := b.hears(challenge(401, nonce))
	var c digest.Credentials
	if m == nil || !strings.HasPrefix(m.authorization, "Authorization: Digest ") ||
		digest.ParseCredentials([]byte(strings.TrimSuffix(strings.TrimPrefix(m.authorization, "Authorization: "), "\r\n")), &c) != nil {
		t.Fatalf("the answer to the challenge: %+v", m)
	}
	ha1 := digest.AppendHA1(nil, digest.MD5, []byte("alice"), []byte("carrier.example"), []byte("secret"))
	if !c.Matches(ha1, []byte("REGISTER"), nil) || string(c.URI) != "sip:carrier.example" {
		t.Errorf("the credentials do not match: %s", m.authorization)
	}
	if m := b.hears(ok(600)); m != nil {
		t.Errorf("sent behind the 200: %+v", m)
	}
	b.sees("REGISTERING AUTHENTICATING REGISTERED")
	b.dueIn(568 * time.Second)
	if b.r.cseq != 2 || !b.r.until.Equal(b.now.Add(600*time.Second)) {
		t.Errorf("CSeq %d, until %v", b.r.cseq, b.r.until)
	}
	if b.due() != nil {
		t.Error("refreshed at once")
	}
	b.passes(568 * time.Second)
	if m := b.due(); m == nil || m.expires != 3600 {
		t.Fatalf("the refresh: %+v", m)
	}
	b.hears(ok(600))
	b.r.disabled, b.r.due = true, b.now
	if m := b.due(); m == nil || m.expires != 0 || m.whole {
		t.Fatalf("disabled: %+v", m)
	}
	if m := b.hears(challenge(407, nonce)); m == nil || m.expires != 0 || !strings.HasPrefix(m.authorization, "Proxy-Authorization: ") {
		t.Errorf("407: %+v", m)
	}
	b.hears(ok(0))
	b.sees("REGISTERING REGISTERED UNREGISTERING AUTHENTICATING_UNREGISTER NOT_REGISTERED")
	b.passes(time.Hour)
	if m := b.due(); m != nil {
		t.Errorf("a disabled one registers: %+v", m)
	}
}

// TestRefresh tells when registrations of all lengths are refreshed.
func TestRefresh(t *testing.T) {
	for _, c := range []struct{ percent, seconds, want int64 }{
		{100, 3600, 3568}, {90, 3600, 3240}, {100, 60, 54}, {50, 60, 30}, {100, 10, 9}, {100, 2, 1}, {100, 1, 1}, {1, 30, 1},
	} {
		p := policy{percent: c.percent}
		if got := p.refresh(c.seconds); got != time.Duration(c.want)*time.Second {
			t.Errorf("%d s at %d %%: after %v, want %d s", c.seconds, c.percent, got, c.want)
		}
	}
}

// TestIntervalTooBrief asks for what the registrar wants, and no further than it grows.
func TestIntervalTooBrief(t *testing.T) {
	b := newBed(t, func(a *account) { a.expiry = 60 })
	b.due()
	if m := b.hears(answer{code: 423, minExpires: 300}); m == nil || m.expires != 300 {
		t.Fatalf("423: %+v", m)
	}
	if m := b.hears(answer{code: 423, minExpires: 300}); m != nil {
		t.Errorf("the same again: %+v", m)
	}
	b.sees("REGISTERING REGISTERING REGISTRAR_ERROR")
	b.passes(time.Hour)
	b.due()
	sent := 0
	for n := uint32(100); n < 200; n++ {
		if b.hears(answer{code: 423, minExpires: n}) == nil {
			break
		}
		sent++
	}
	if sent == 0 || sent >= maxSteps {
		t.Errorf("a registrar that wants a second more each time gets %d REGISTERs", sent)
	}
}

// TestWrongCredentials are tried once, stale ones again.
func TestWrongCredentials(t *testing.T) {
	b := newBed(t)
	b.due()
	b.hears(challenge(401, nonce))
	if m := b.hears(challenge(401, nonce+", stale=true")); m == nil {
		t.Error("a stale nonce is not answered again")
	}
	if m := b.hears(challenge(401, nonce)); m != nil {
		t.Errorf("refused, and again: %+v", m)
	}
	b.sees("REGISTERING AUTHENTICATING AUTHENTICATING WRONG_CREDENTIALS")
	b.dueIn(time.Hour)

	b = newBed(t, func(a *account) { a.user = "" })
	b.due()
	b.hears(challenge(401, nonce))
	b.sees("REGISTERING WRONG_CREDENTIALS")
	b.rules.fixed = func() []uac_auth.Credential {
		return []uac_auth.Credential{{User: "bob", Realm: "carrier.example", Password: "x"}}
	}
	b.passes(time.Hour)
	b.due()
	if m := b.hears(challenge(401, nonce)); m == nil || !strings.Contains(m.authorization, `username="bob"`) {
		t.Errorf("by the credentials of uac_auth: %+v", m)
	}
	for range 20 { // a registrar that finds every nonce stale
		if b.hears(challenge(401, nonce+", stale=true")) == nil {
			return
		}
	}
	t.Error("a registrar that finds every nonce stale is answered for ever")
}

// TestRetries tells when a failure is followed by another try.
func TestRetries(t *testing.T) {
	silent, refused, busy := answer{code: 408, local: true}, answer{code: 403}, answer{code: 503, retryAfter: 90 * time.Second}
	b := newBed(t)
	for _, c := range []struct {
		end  answer
		want time.Duration
	}{{silent, 30 * time.Second}, {silent, 60 * time.Second}, {silent, 120 * time.Second}, {busy, 240 * time.Second}, {refused, time.Hour}} {
		b.due()
		if m := b.hears(c.end); m != nil {
			t.Fatalf("%d: sent at once: %+v", c.end.code, m)
		}
		b.dueIn(c.want)
		b.passes(c.want)
	}
	b.sees("REGISTERING REGISTER_TIMEOUT REGISTERING REGISTER_TIMEOUT REGISTERING REGISTER_TIMEOUT REGISTERING REGISTRAR_ERROR REGISTERING REGISTRAR_ERROR")
	for range 20 {
		b.due()
		b.hears(silent)
		if wait := b.r.due.Sub(b.now); wait > lastRetry || wait < firstRetry {
			t.Fatalf("tries again after %v", wait)
		}
		b.now = b.r.due
	}
	b = newBed(t)
	b.rules.retry = 7 * time.Second
	b.due()
	b.hears(refused)
	b.dueIn(7 * time.Second)
	b.passes(7 * time.Second)
	b.due()
	b.hears(answer{code: 503, retryAfter: time.Minute})
	b.dueIn(time.Minute)
}

// TestUniqueBinding removes all bindings when an instance has several, once.
func TestUniqueBinding(t *testing.T) {
	several := answer{code: 200, expires: 600, bindings: 2}
	b := newBed(t, func(a *account) { a.params = `;reg-id=1;+sip.instance="<urn:uuid:1>"` })
	b.due()
	if m := b.hears(several); m == nil || !m.whole || m.expires != 0 {
		t.Fatalf("two bindings: %+v", m)
	}
	if m := b.hears(ok(-1)); m == nil || m.whole || m.expires != 3600 {
		t.Fatalf("behind the removal: %+v", m)
	}
	if m := b.hears(several); m != nil {
		t.Errorf("and again: %+v", m)
	}
	b.sees("REGISTERING REGISTERED UNREGISTERING NOT_REGISTERED REGISTERING REGISTERED")
	b = newBed(t)
	b.due()
	if m := b.hears(several); m != nil {
		t.Errorf("without an instance: %+v", m)
	}
}

// TestLeaves tells what becomes of one that goes while it is at work.
func TestLeaves(t *testing.T) {
	b := newBed(t)
	b.due()
	b.r.gone, b.r.due = true, b.now
	if b.due() != nil || b.r.over() {
		t.Error("it leaves before its answer")
	}
	if m := b.hears(ok(600)); m == nil || m.expires != 0 {
		t.Fatalf("registered and unwanted: %+v", m)
	}
	b.hears(answer{code: 408, local: true})
	if !b.r.over() {
		t.Errorf("it does not leave: %v", b.r.state)
	}
	b = newBed(t)
	b.r.gone = true
	if b.due() != nil || !b.r.over() {
		t.Error("one that never registered does not leave")
	}
	b = newBed(t)
	b.due()
	if b.hears(ok(0)) != nil {
		t.Error("a registrar that keeps nothing is asked again at once")
	}
	b.sees("REGISTERING REGISTRAR_ERROR")
	b.dueIn(time.Hour)
}

// TestAccounts are read from the script, and what is wrong with one is told.
func TestAccounts(t *testing.T) {
	a, err := parseAccount("sip:opensips.org,,sip:user@opensips.org,,user,password,sip:user@192.0.2.1,,,")
	if err != nil || a.registrar != "sip:opensips.org" || a.aor != "sip:user@opensips.org" || a.user != "user" || a.expiry != 3600 {
		t.Errorf("%+v %v", a, err)
	}
	a, err = parseAccount(`sips:c.example, sip:p.example;lr, sip:a@c.example, sip:t@c.example, u, p, sip:a@192.0.2.1, ;reg-id=1, 60, tls:192.0.2.1:5061`)
	if err != nil || a.proxy != "sip:p.example;lr" || a.thirdParty != "sip:t@c.example" || a.params != ";reg-id=1" || a.expiry != 60 || a.socket != "tls:192.0.2.1:5061" {
		t.Errorf("%+v %v", a, err)
	}
	for bad, want := range map[string]string{
		"sip:c.example": "registrar,proxy", "nothing,,sip:a@c,,u,p,sip:a@h": "the registrar", "sip:c,,,,u,p,sip:a@h": "the address of record",
		"sip:c,,sip:a@c,,u,p,": "the binding URI", "sip:c,,sip:a@c,,u,p,sip:a@h,x=1": "begin with ;", "sip:c,,sip:a@c,,u,p,sip:a@h,,soon": "no number",
		"sip:c>\r\nX: y,,sip:a@c,,u,p,sip:a@h": "the registrar", "sip:c,,sip:a@c,,u,p,sip:a@h,;a\r\nX: y": "one line",
	} {
		if a, err := parseAccount(bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v %v", bad, a, err)
		}
	}
}
