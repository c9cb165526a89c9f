package tm

import (
	"strconv"
	"strings"

	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
)

// relayFlags reads the flags of t_relay(): their names, or the sum that they were before.
func relayFlags(text string, o *transaction.Options) (wrong string) {
	text = strings.TrimSpace(text)
	if n, err := strconv.ParseUint(text, 0, 16); err == nil {
		o.Quiet, o.NoResponse, o.NoFailover, o.PassReason, o.NoCancel = n&1 != 0, n&2 != 0, n&4 != 0, n&8 != 0, n&16 != 0
		return ""
	}
	for _, f := range strings.Split(text, ",") {
		switch strings.TrimSpace(f) {
		case "no-auto-477":
			o.NoResponse = true
		case "no-dns-failover":
			o.NoFailover = true
		case "pass-reason-hdr":
			o.PassReason = true
		case "allow-no-cancel":
			o.NoCancel = true
		case "":
		default:
			return strings.TrimSpace(f)
		}
	}
	return ""
}

// isDestination reports whether the only argument of t_relay() is a destination, as OpenSIPS 2 has it: no flag has a colon
// or a dot.
func isDestination(text string) bool { return strings.ContainsAny(text, ":.") }

func (m *Module) relay(a *script.Args) script.Action {
	var fixed transaction.Options
	flags := a.Text(0)
	text, constant := a.Fixed(0)
	alone := a.Given(0) && !a.Given(1)
	if alone && constant && isDestination(text) {
		return m.relayTo(a, fixed, false, nil, flags)
	}
	if constant || !a.Given(0) {
		if wrong := relayFlags(text, &fixed); wrong != "" {
			a.Errorf(0, "t_relay() has no flag %q: there are no-auto-477, no-dns-failover, pass-reason-hdr, allow-no-cancel", wrong)
			return nil
		}
	}
	if constant || !a.Given(0) {
		flags = nil
	}
	return m.relayTo(a, fixed, alone, flags, a.Text(1))
}

// relayTo is t_relay() with flags that are known, or nil flags for those of the configuration, and a destination. Where
// the flags stand alone, they may be a destination.
func (m *Module) relayTo(a *script.Args, fixed transaction.Options, alone bool, flags, to func(*script.Machine) ([]byte, bool)) script.Action {
	at := a.Site()
	return func(x *script.Machine) int {
		c := x.Context()
		o := fixed
		o.To, _ = to(x)
		if flags != nil {
			b, _ := flags(x)
			if alone && isDestination(string(b)) {
				o.To = b
			} else if wrong := relayFlags(string(b), &o); wrong != "" {
				return x.Fail(at, "there is no flag "+strconv.Quote(wrong))
			}
		}
		x.NameDomains()
		k := m.callOf(c)
		k.machine = x
		rc := m.layer.Relay(c, &o)
		k.machine = nil
		if rc < 0 {
			if err := c.Failure(); err != nil {
				x.Say(at, script.LevelWarn, "script: t_relay() failed", "error", err)
			}
		}
		return rc
	}
}
