package auth

import (
	"context"
	"fmt"
	"time"

	"sipreactor/reactor/digest"
	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/script"
)

// Module is auth of one configuration. auth_db finds it by its name.
type Module struct {
	secret      string
	expire      int64
	realmPrefix string
	rpidPrefix  string
	rpidSuffix  string
	rpidAVP     script.Literal
	userSpec    script.Literal
	passSpec    script.Literal
	calculate   bool
	noCheck     bool
	checkURI    bool
	guessUser   int64
	guessSource int64
	guessSlow   int64
	window      time.Duration

	rpid       *script.AVP
	user, pass func(*script.Machine) script.Value
	nonces     *digest.Nonces
	guard      *guard
	signaling  *signaling.Module
}

// New returns the module for a configuration.
func New(*script.Config) *script.Module {
	m := &Module{expire: 30, rpidSuffix: ";party=calling;id-type=subscriber;screen=yes", rpidAVP: script.Literal{Text: "$avp(rpid)"},
		checkURI: true, guessUser: 20, guessSource: 500, guessSlow: 5, window: time.Minute}
	return &script.Module{
		Name: "auth", Help: "Challenges users and checks their credentials.", Instance: m, Needs: []string{"signaling"},
		Parameters: m.parameters(), Functions: m.functions(),
		Statistics: []script.Statistic{
			{Name: "guesses_refused", Help: "Credentials that were not looked at, as too many before them were wrong.",
				Value: func() uint64 { return m.guard.refused.Load() }},
		},
		Check: m.check, Start: m.start,
	}
}

func (m *Module) parameters() []script.Parameter {
	text := func(name, help string, into *string) script.Parameter {
		return script.Parameter{Name: name, Help: help, Type: script.StringParam, Default: *into, Set: script.Into(into)}
	}
	keep := func(name, help string, into *script.Literal) script.Parameter {
		return script.Parameter{Name: name, Help: help, Type: script.StringParam, Default: into.Text,
			Set: func(v script.Literal) error { *into = v; return nil }}
	}
	return []script.Parameter{
		{Name: "secret", Type: script.StringParam, Help: "Secret of nonces, 32 characters; without it each start draws one.",
			Set: func(v script.Literal) error {
				if len(v.Text) != 32 {
					return fmt.Errorf("has %d characters: it is exactly 32", len(v.Text))
				}
				m.secret = v.Text
				return nil
			}},
		{Name: "nonce_expire", Type: script.IntParam, Min: 1, Max: 86400, Unit: "seconds", Default: "30", Set: script.Into(&m.expire),
			Help: "How long a nonce is good for."},
		{Name: "disable_nonce_check", Type: script.BoolParam, Default: "0", Set: script.Into(&m.noCheck),
			Help: "Nonces are good any number of times, on all servers with the secret."},
		text("realm_prefix", "Prefix of hosts that a realm made of the request leaves out.", &m.realmPrefix),
		text("rpid_prefix", "What append_rpid_hf() writes before the URI.", &m.rpidPrefix),
		text("rpid_suffix", "What append_rpid_hf() writes behind it.", &m.rpidSuffix),
		keep("rpid_avp", "AVP with the URI of Remote-Party-ID.", &m.rpidAVP),
		keep("username_spec", "Variable with the user that pv_www_authorize() takes.", &m.userSpec),
		keep("password_spec", "Variable with the user's password, or HA1.", &m.passSpec),
		{Name: "calculate_ha1", Type: script.BoolParam, Default: "0", Set: script.Into(&m.calculate),
			Help: "password_spec has the password; else it has the HA1."},
		{Name: "check_uri", Type: script.BoolParam, Default: "1", Set: script.Into(&m.checkURI),
			Help: "Credentials are for the Request-URI that they name (ours)."},
		{Name: "guess_limit", Type: script.IntParam, Min: 0, Max: 1 << 20, Unit: "failures", Default: "20", Set: script.Into(&m.guessUser),
			Help: "Wrong passwords of a user from one address before it is refused; 0 any number (ours)."},
		{Name: "guess_slow", Type: script.IntParam, Min: 0, Max: 1 << 20, Unit: "failures", Default: "5", Set: script.Into(&m.guessSlow),
			Help: "Wrong passwords of a user from one address behind which it waits 1, 2, 4 and so on seconds between tries: 403 with Retry-After; 0 never (ours)."},
		{Name: "guess_source_limit", Type: script.IntParam, Min: 0, Max: 1 << 20, Unit: "failures", Default: "500", Set: script.Into(&m.guessSource),
			Help: "Wrong users and passwords from one address before it is refused; 0 any number (ours)."},
		{Name: "guess_window", Type: script.IntParam, Min: 1, Max: 86400, Unit: "seconds", Default: "60", Set: script.Seconds(&m.window),
			Help: "How long a failure counts (ours)."},
	}
}

func (m *Module) check(l *script.Loading) {
	m.signaling, _ = l.Instance("signaling").(*signaling.Module)
	if t := m.rpidAVP.Text; t != "" && t != "NULL" {
		m.rpid = l.AVP(m.rpidAVP)
	}
	if m.userSpec.Text != "" {
		m.user = l.Variable(m.userSpec)
	}
	if m.passSpec.Text != "" {
		m.pass = l.Variable(m.passSpec)
	}
	cfg := digest.NoncesConfig{Expire: int(m.expire), Reuse: m.noCheck, Now: func() int64 { return time.Now().Unix() }}
	if m.secret != "" {
		var key [32]byte
		copy(key[:], m.secret)
		cfg.Key = &key
	}
	m.nonces = digest.NewNonces(cfg)
	m.guard = newGuard(int(m.guessUser), int(m.guessSource), int64(m.window/time.Second))
	m.guard.slow = int(m.guessSlow)
}

// start takes over what a reload must not forget: nonces that are under way, and who guesses.
func (m *Module) start(e *script.Env) error {
	if old, ok := e.Previous.(*Module); ok {
		if old.secret == m.secret && old.expire == m.expire && old.noCheck == m.noCheck {
			m.nonces = old.nonces
		}
		if old.guessUser == m.guessUser && old.guessSource == m.guessSource && old.guessSlow == m.guessSlow && old.window == m.window {
			m.guard = old.guard
		}
	}
	g := m.guard
	e.Every(m.window, func(context.Context) { g.sweep(time.Now().Unix()) })
	return nil
}
