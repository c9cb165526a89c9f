package script

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"sipreactor/reactor/proxy"
)

// coreFunctions are forward, send, the log and what belongs to no module.
func coreFunctions() map[string]*Function {
	return map[string]*Function{
		"forward": {Usage: `forward(["destination"])`, Args: []ArgKind{TextArg}, Routes: Requests, Build: sendTo(func(c *proxy.Context, dest, _ []byte) error { return c.Forward(dest) })},
		"send":    {Usage: `send("destination"[, "headers"])`, Args: []ArgKind{TextArg, HeaderArg}, Min: 1, Routes: Requests, Build: sendTo((*proxy.Context).Send)},

		"xlog": {Usage: `xlog([level,] "text")`, Args: []ArgKind{TextArg, TextArg}, Min: 1, Routes: Anywhere, Build: buildXlog},
		"xdbg": {Usage: `xdbg("text")`, Args: []ArgKind{TextArg}, Min: 1, Routes: Anywhere, Build: func(a *Args) Action {
			return xlog(LevelDebug, nil, a.list[0].text)
		}},
		"log": {Usage: `log([level,] "text")`, Args: []ArgKind{FixedArg, FixedArg}, Min: 1, Routes: Anywhere, Build: buildLog},

		"is_myself": {Usage: `is_myself("host"[, port])`, Args: []ArgKind{TextArg, IntArg}, Min: 1, Routes: Messages, Build: func(a *Args) Action {
			host, port := a.list[0].text, a.list[1]
			return func(m *Machine) int {
				h, ok := host(m)
				n := int64(0)
				if ok && port.given {
					n, ok = port.num(m)
				}
				if !ok || n < 0 || n > 65535 {
					return -1
				}
				return Yes(m.c.IsMyself(h, int(n)))
			}
		}},
		"force_rport": {Usage: "force_rport()", Routes: Messages, Build: func(a *Args) Action {
			k := a.k
			if k.route.Kind == OnReplyRoute {
				k.rep.notef(a.call.At, "force_rport() does nothing to a response: where it goes was noted in the request's Via")
			}
			return func(m *Machine) int {
				m.c.ForceRPort()
				return 1
			}
		}},
	}
}

// Yes is the code of a function that answers a question.
func Yes(b bool) int {
	if b {
		return 1
	}
	return -1
}

// sendTo makes forward() and send(). A failure is logged, and it is the
// script's: it may try the next destination.
func sendTo(do func(c *proxy.Context, dest, headers []byte) error) func(*Args) Action {
	return func(a *Args) Action {
		dest := a.list[0]
		return func(m *Machine) int {
			var to []byte
			if dest.given {
				var ok bool
				if to, ok = dest.text(m); !ok {
					a.at.say(m, LevelWarn, "script: "+a.at.what+": the destination is NULL")
					return -1
				}
			}
			m.NameDomains()
			var headers []byte
			if len(a.list) > 1 {
				headers, _ = a.list[1].optional(m)
			}
			err := do(m.c, to, headers)
			if err == nil {
				return 1
			}
			a.at.say(m, LevelWarn, "script: "+a.at.what+" failed", slog.Any("error", err))
			if errors.Is(err, proxy.ErrForwarded) {
				return -2
			}
			return -1
		}
	}
}

// NameDomains has the message sent by the TLS client domain, and to the SIP domain, that the AVPs of
// client_tls_domain_avp and client_sip_domain_avp name: for functions that send it.
func (m *Machine) NameDomains() {
	if m.prog.domainAVP >= 0 {
		m.c.SetTLSDomain(m.avpText(m.prog.domainAVP))
	}
	if m.prog.sipAVP >= 0 {
		m.c.SetSIPDomain(m.avpText(m.prog.sipAVP))
	}
}

// longestName is that of a domain in the DNS, with its dot.
const longestName = 254

// avpText gives the value of an AVP that outlives the message, "" for none. The
// names of domains are few, so they are kept as strings.
func (m *Machine) avpText(slot int) string {
	list := m.avps[slot]
	if len(list) == 0 {
		return ""
	}
	b := m.Text(list[len(list)-1])
	if s, ok := m.kept[string(b)]; ok {
		return s
	}
	if len(b) > longestName {
		return string(b)
	}
	if m.kept == nil || len(m.kept) >= maxDynamic {
		m.kept = make(map[string]string)
	}
	s := string(b)
	m.kept[s] = s
	return s
}

// buildXlog reads the level, which is a name, a number or a variable.
func buildXlog(a *Args) Action {
	k := a.k
	first, second := a.list[0], a.list[1]
	if !second.given {
		return xlog(k.Log.Print, nil, first.text)
	}
	if !first.fixed {
		return xlog(0, first.num, second.text)
	}
	level, ok := parseLevel(strings.ToUpper(first.str))
	if n, isNumber := number64([]byte(first.str)); isNumber {
		level, ok = LogLevel(n), -3 <= n && n <= 4
	}
	if !ok {
		k.rep.errorf(first.expr.Pos(), "%q is no level: -3 to 4, L_ALERT L_CRIT L_ERR L_WARN L_NOTICE L_INFO L_DBG", clip(first.str))
		return nil
	}
	return xlog(level, nil, second.text)
}

// xlog writes a line, if its level asks for it. Nothing is expanded for a line
// that is not written.
func xlog(level LogLevel, dynamic func(m *Machine) (int64, bool), text func(m *Machine) ([]byte, bool)) Action {
	return func(m *Machine) int {
		level := level
		if dynamic != nil {
			n, ok := dynamic(m)
			if !ok || n < -3 || n > 4 {
				return -1
			}
			level = LogLevel(n)
		}
		if level > m.level {
			return 1
		}
		log := m.prog.logger()
		if !log.Enabled(context.Background(), level.Slog()) {
			return 1
		}
		b, _ := text(m)
		log.Log(context.Background(), level.Slog(), m.prog.levels.Prefix+strings.TrimRight(string(b), "\n"))
		if len(m.witness.list) > 0 || m.prog.follow.on() {
			m.traceLine(b)
		}
		return 1
	}
}

// buildLog makes log(), whose text is written as it stands.
func buildLog(a *Args) Action {
	k := a.k
	level, text := LevelDebug, a.list[0].str
	if a.list[1].given {
		n, ok := number64([]byte(text))
		if !ok || n < -3 || n > 4 {
			k.rep.errorf(a.list[0].expr.Pos(), "the level is a number from -3 to 4: %s", functions["log"].Usage)
			return nil
		}
		level, text = LogLevel(n), a.list[1].str
	}
	b := []byte(text)
	return xlog(level, nil, func(*Machine) ([]byte, bool) { return b, true })
}

// flagFunctions set and ask for flags, which have names. Those of a branch take its
// index, of which 0 is the Request-URI's.
func flagFunctions() map[string]*Function {
	fs := make(map[string]*Function)
	for name, do := range map[string]func(m *Machine, n uint) int{
		"setflag":   func(m *Machine, n uint) int { m.c.SetFlag(n); return 1 },
		"resetflag": func(m *Machine, n uint) int { m.c.ResetFlag(n); return 1 },
		"isflagset": func(m *Machine, n uint) int { return Yes(m.c.IsFlagSet(n)) },
	} {
		fs[name] = &Function{Usage: name + "(NAME)", Args: []ArgKind{FlagArg}, Min: 1, Routes: Messages, Build: func(a *Args) Action {
			n := a.list[0].flag
			return func(m *Machine) int { return do(m, n) }
		}}
	}
	for name, do := range map[string]func(b *proxy.Branch, n uint) int{
		"setbflag":   func(b *proxy.Branch, n uint) int { setBranchFlag(b, n, true); return 1 },
		"resetbflag": func(b *proxy.Branch, n uint) int { setBranchFlag(b, n, false); return 1 },
		"isbflagset": func(b *proxy.Branch, n uint) int { return Yes(b.Flags()&(1<<n) != 0) },
	} {
		fs[name] = &Function{Usage: name + "(NAME[, branch])", Args: []ArgKind{BranchFlagArg, IntArg}, Min: 1, flip: true, Routes: Messages, Build: func(a *Args) Action {
			n, index := a.list[0].flag, a.list[1]
			return func(m *Machine) int {
				i, ok := int64(0), true
				if index.given {
					i, ok = index.num(m)
				}
				if !ok || i < 0 || i >= int64(m.c.Branches()) {
					return m.Fail(a.at, "there is no such branch")
				}
				return do(m.c.Branch(int(i)), n)
			}
		}}
	}
	return fs
}
