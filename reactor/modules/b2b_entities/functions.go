package b2b_entities

import (
	"log/slog"
	"strings"

	"sipreactor/reactor/script"
)

func (m *Module) functions() []script.Function {
	const text, number, set = script.TextArg, script.IntArg, script.SetArg
	kinds := func(k ...script.ArgKind) []script.ArgKind { return k }
	return []script.Function{
		{Name: "ua_session_server_init", Usage: `ua_session_server_init([$var(key)[, "flags"]])`, Args: kinds(set, text), Routes: script.Routes(script.RequestRoute), Build: m.serverInit,
			Help: "Makes a session of the INVITE, which this server answers. Flags: tNN for at most so many seconds, a tells of ACKs, r of responses, d leaves the ACK to ua_session_update(), h and b tell headers and bodies, n does not tell of the INVITE."},
		{Name: "ua_session_update", Usage: `ua_session_update("key", "METHOD"[, "body"[, "headers"[, "content type"]]])`, Args: kinds(text, script.MethodArg, text, text, text), Min: 2, Routes: script.Anywhere, Build: m.sessionUpdate,
			Help: "Sends a request to the other party of a session that is answered."},
		{Name: "ua_session_reply", Usage: `ua_session_reply("key", "METHOD", code[, "reason"[, "body"[, "headers"[, "content type"]]]])`, Args: kinds(text, script.MethodArg, number, text, text, text, text), Min: 3, Routes: script.Anywhere, Build: m.sessionReply,
			Help: "Answers the request of that method of a session."},
		{Name: "ua_session_terminate", Usage: `ua_session_terminate("key"[, "headers"])`, Args: kinds(text, text), Min: 1, Routes: script.Anywhere, Build: m.sessionTerminate,
			Help: "Ends a session: by BYE or CANCEL, or refusing its INVITE."},
	}
}

// serverInit builds ua_session_server_init().
func (m *Module) serverInit(a *script.Args) script.Action {
	key, letters, at := a.Setter(0), a.Text(1), a.Site()
	if text, ok := a.Fixed(1); ok {
		if _, err := parseFlags(text); err != nil {
			a.Errorf(1, "%v", err)
			return nil
		}
	}
	return func(x *script.Machine) int {
		b, _ := letters(x)
		f, err := parseFlags(string(b))
		if err != nil {
			return x.Fail(at, err.Error())
		}
		s := m.accept(x, f, nil)
		if s == nil {
			return x.Fail(at, "no session can be made of the request")
		}
		if key != nil {
			key(x, script.Text(x.KeepString(s.key)))
		}
		if !f.mum {
			m.tell(s, isNew, telling{method: "INVITE", msg: x.Message()})
		}
		return 1
	}
}

// words reads arguments as texts, those that are not given as "".
func words(x *script.Machine, from ...func(*script.Machine) ([]byte, bool)) []string {
	list := make([]string, len(from))
	for i, get := range from {
		if get != nil {
			b, _ := get(x)
			list[i] = string(b)
		}
	}
	return list
}

// outcome is what a function returns for an error.
func outcome(x *script.Machine, at *script.Site, key string, err error) int {
	if err == nil {
		return 1
	}
	x.Say(at, script.LevelWarn, "b2b_entities: nothing was sent", slog.String("key", key), slog.Any("error", err))
	return -1
}

func (m *Module) sessionUpdate(a *script.Args) script.Action {
	key, method, body, headers, kind, at := a.Text(0), a.Text(1), a.Text(2), a.Text(3), a.Text(4), a.Site()
	return func(x *script.Machine) int {
		w := words(x, key, method, body, headers, kind)
		s := m.sessions.get(w[0])
		if s == nil {
			return outcome(x, at, w[0], errNone)
		}
		return outcome(x, at, w[0], m.update(x.Context(), s, strings.ToUpper(w[1]), message{w[2], w[3], w[4]}))
	}
}

func (m *Module) sessionReply(a *script.Args) script.Action {
	key, method, code, reason, body, headers, kind, at := a.Text(0), a.Text(1), a.Int(2), a.Text(3), a.Text(4), a.Text(5), a.Text(6), a.Site()
	return func(x *script.Machine) int {
		w := words(x, key, method, reason, body, headers, kind)
		n, ok := code(x)
		if !ok || n < 101 || n > 699 {
			return x.Fail(at, "a status code is a number from 101 to 699")
		}
		s := m.sessions.get(w[0])
		if s == nil {
			return outcome(x, at, w[0], errNone)
		}
		return outcome(x, at, w[0], m.respondOldest(x.Context(), s, strings.ToUpper(w[1]), answer{int(n), w[2], message{w[3], w[4], w[5]}}))
	}
}

func (m *Module) sessionTerminate(a *script.Args) script.Action {
	key, headers, at := a.Text(0), a.Text(1), a.Site()
	return func(x *script.Machine) int {
		w := words(x, key, headers)
		s := m.sessions.get(w[0])
		if s == nil || !m.terminate(x.Context(), s, w[1]) {
			return outcome(x, at, w[0], errNone)
		}
		return 1
	}
}
