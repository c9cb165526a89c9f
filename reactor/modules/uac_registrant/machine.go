package uac_registrant

import (
	"math/rand/v2"
	"time"

	"sipreactor/reactor/digest"
	"sipreactor/reactor/modules/uac_auth"
)

// registration is the machine of one account. It has no socket and no clock: who has it tells it what time it is and what
// was answered, and sends what it says.
//
//	            due, forced            401, 407                 2xx
//	NOT_REG ───────────────▶ REGISTERING ──────▶ AUTHENTICATING ────▶ REGISTERED ─┐
//	   ▲                      ▲   ▲  │ 423: again, longer │              │ due     │ disabled, gone
//	   │                      │   │  ▼ other, none        ▼              ▼         ▼
//	   │          retry is due│   └─ TIMEOUT, ..._ERROR, WRONG_CRED   REGISTERING  UNREGISTERING ─▶ AUTH_UNREG
//	   └──────────────────────┴──────────────────────────────── any end ◀──────────────────────────────┘
type registration struct {
	account
	state   state
	callID  []byte
	fromTag []byte // of From: the same as long as the Call-ID is (RFC 3261 8.1.3.5)
	cseq    uint32
	due     time.Time // of the next REGISTER; zero: none is due
	sent    time.Time // the last REGISTER
	until   time.Time // the registration is over; zero: there is none
	ask     uint32    // seconds to ask for: the account's, or more
	tries   int       // that failed, one behind the other
	steps   int       // REGISTERs of this try
	asked   int       // challenges of it
	number  uint64    // of the request that is under way

	whole bool // all bindings of the address of record go
	swept bool // they went, and there were several again
	gone  bool // leaves the table once it has unregistered
	from  origin
}

// origin is where an account came from.
type origin uint8

const (
	fromScript origin = iota
	fromDatabase
	fromManagement
)

// policy is what holds for all registrations.
type policy struct {
	percent int64         // reregister_expiry_percentage
	retry   time.Duration // failure_retry_interval; 0 as told at failed
	entered func(r *registration)
	fixed   func() []uac_auth.Credential // of uac_auth
	random  func() float64               // in [0, 1)
}

// register is a REGISTER that is to be sent.
type register struct {
	expires       uint32
	whole         bool   // Contact: *
	authorization string // a header line; "" none
}

// answer is the end of a REGISTER.
type answer struct {
	code       int
	local      bool // it is ours: nothing was heard
	challenges [][]byte
	minExpires uint32
	retryAfter time.Duration
	expires    int64 // that the registrar gave our binding; -1 it did not tell
	bindings   int   // in the answer
}

// enter goes to a state and tells so.
func (r *registration) enter(p *policy, s state) {
	r.state = s
	if p.entered != nil {
		p.entered(r)
	}
}

// start begins a REGISTER at the time it is due; nil if there is nothing to send.
func (r *registration) start(p *policy, now time.Time) *register {
	if r.state.underWay() || r.due.IsZero() || now.Before(r.due) {
		return nil
	}
	if r.disabled || r.gone {
		return r.leave(p, now)
	}
	r.steps, r.asked, r.due = 0, 0, time.Time{}
	if r.ask == 0 {
		r.ask = r.expiry
	}
	r.enter(p, registering)
	return r.request(now, "")
}

// leave begins to unregister what may be registered; nil if nothing is.
func (r *registration) leave(p *policy, now time.Time) *register {
	r.steps, r.asked, r.due = 0, 0, time.Time{}
	if !r.bound(now) && !r.whole {
		if r.state != notRegistered {
			r.enter(p, notRegistered)
		}
		return nil
	}
	r.enter(p, unregistering)
	return r.request(now, "")
}

// bound reports whether the registrar has the binding, as far as is known.
func (r *registration) bound(now time.Time) bool { return now.Before(r.until) }

// over reports whether the registration can leave the table.
func (r *registration) over() bool { return r.gone && !r.state.underWay() && r.due.IsZero() }

// leaving reports whether the REGISTER that is under way removes.
func (r *registration) leaving() bool {
	return r.state == unregistering || r.state == authenticatingUnregister
}

func (r *registration) request(now time.Time, authorization string) *register {
	r.cseq++
	r.number++
	r.steps++
	r.sent = now
	m := &register{authorization: authorization}
	if r.leaving() {
		m.whole = r.whole
	} else {
		m.expires = r.ask
	}
	return m
}

// maxSteps bounds the REGISTERs of one try: a registrar may ask for credentials, again as they are stale, and for more time.
const maxSteps = 8

// heard takes the end of the REGISTER that is under way and returns what to send now; nil is nothing.
func (r *registration) heard(p *policy, now time.Time, a *answer) *register {
	switch {
	case a.code >= 200 && a.code < 300:
		return r.accepted(p, now, a)
	case a.code == 401 || a.code == 407:
		return r.challenged(p, now, a)
	case a.code == 423 && !r.leaving() && a.minExpires > r.ask && a.minExpires <= maxExpiry && r.steps < maxSteps:
		r.ask, r.asked = a.minExpires, 0
		r.enter(p, registering)
		return r.request(now, "")
	case a.local || a.code == 408:
		return r.failed(p, now, registerTimeout, a)
	default:
		return r.failed(p, now, registrarError, a)
	}
}

// accepted is a 2xx.
func (r *registration) accepted(p *policy, now time.Time, a *answer) *register {
	r.tries = 0
	if r.leaving() {
		return r.left(p, now)
	}
	got := int64(r.ask)
	if a.expires >= 0 {
		got = min(a.expires, maxExpiry)
	}
	if got == 0 { // it does not keep us
		return r.failed(p, now, registrarError, a)
	}
	r.until = now.Add(time.Duration(got) * time.Second)
	r.due = now.Add(p.refresh(got))
	r.enter(p, registered)
	if r.unique() && a.bindings > 1 && !r.swept {
		r.swept, r.whole = true, true
		return r.leave(p, now)
	}
	r.swept = r.unique() && a.bindings > 1
	if r.disabled || r.gone {
		return r.leave(p, now)
	}
	return nil
}

// left is the end of unregistering, whatever came of it. One that is wanted again registers at once.
func (r *registration) left(p *policy, now time.Time) *register {
	r.until, r.whole = time.Time{}, false // what the registrar still has runs out
	r.enter(p, notRegistered)
	if r.gone || r.disabled {
		return nil
	}
	r.due = now
	return r.start(p, now)
}

// refresh is when a registration of so many seconds is refreshed: in time, also where the percentage is 100.
func (p *policy) refresh(seconds int64) time.Duration {
	early := min(max(seconds/10, 1), 32)
	return time.Duration(max(1, min(seconds*p.percent/100, seconds-early))) * time.Second
}

// challenged is a 401 or 407.
func (r *registration) challenged(p *policy, now time.Time, a *answer) *register {
	list := r.credentials(p, a.challenges)
	value, which := uac_auth.Answer(a.challenges, list, uac_auth.Choice{},
		&digest.Request{Method: []byte("REGISTER"), URI: []byte(r.registrar), Count: 1})
	if which < 0 {
		return r.failed(p, now, wrongCredentials, a)
	}
	var c digest.Challenge
	_ = digest.ParseChallenge(a.challenges[which], &c) // Answer has read it
	if r.asked > 0 && !c.Stale || r.steps >= maxSteps {
		return r.failed(p, now, wrongCredentials, a)
	}
	r.asked++
	next := authenticating
	if r.leaving() {
		next = authenticatingUnregister
	}
	r.enter(p, next)
	header := "Authorization: "
	if a.code == 407 {
		header = "Proxy-Authorization: "
	}
	return r.request(now, header+string(value)+"\r\n")
}

// credentials returns those of the account, which are for whatever realm its registrar is of, or those of uac_auth.
func (r *registration) credentials(p *policy, challenges [][]byte) (list []uac_auth.Credential) {
	if r.user == "" {
		if p.fixed == nil {
			return nil
		}
		return p.fixed()
	}
	for _, text := range challenges {
		var c digest.Challenge
		if digest.ParseChallenge(text, &c) != nil {
			continue
		}
		if one, err := uac_auth.NewCredential(r.user, string(c.Realm), r.password); err == nil {
			list = append(list, one)
		}
	}
	return list
}

// The back-off of RFC 5626 4.5, for a registrar that is away.
const (
	firstRetry = 30 * time.Second
	lastRetry  = 1800 * time.Second
)

// failed is a try that came to nothing. It is tried again after failure_retry_interval; without that, after the account's
// expiry where the registrar has refused us, and with a back-off where it is away or overloaded.
func (r *registration) failed(p *policy, now time.Time, s state, a *answer) *register {
	if r.leaving() {
		return r.left(p, now)
	}
	r.tries++
	wait := time.Duration(r.expiry) * time.Second
	switch {
	case p.retry > 0:
		wait = p.retry
	case s == registerTimeout || a != nil && a.code/100 == 5:
		wait = min(wait, lastRetry, firstRetry<<min(r.tries-1, 10))
		wait = wait/2 + time.Duration(float64(wait/2)*p.chance())
	}
	if a != nil {
		wait = max(wait, min(a.retryAfter, 24*time.Hour))
	}
	r.enter(p, s)
	r.ask = 0
	r.due = now.Add(wait)
	if r.disabled || r.gone {
		return r.leave(p, now)
	}
	return nil
}

func (p *policy) chance() float64 {
	if p.random != nil {
		return p.random()
	}
	return rand.Float64()
}
