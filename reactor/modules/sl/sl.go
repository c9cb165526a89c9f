// Package sl is OpenSIPS' module sl: responses that no transaction remembers.
package sl

import (
	"errors"

	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
)

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	errs := new(script.Count) // answers of sl_reply_error()
	return &script.Module{
		Name: "sl",
		Help: "Answers requests without a transaction.",
		Parameters: []script.Parameter{
			{Name: "enable_stats", Type: script.BoolParam, Default: "1", Help: "Has responses counted.", Note: "responses are always counted"},
		},
		Functions: []script.Function{
			{
				Name: "sl_send_reply", Usage: `sl_send_reply(code, "reason")`, Help: "Answers the request.",
				Args: []script.ArgKind{script.IntArg, script.TextArg}, Min: 2, Routes: script.Requests, Build: script.StatusAction(reply),
			},
			{
				Name: "sl_reply_error", Usage: "sl_reply_error()", Help: "Answers the request with what went wrong in the last attempt to send it on.",
				Routes: script.Requests, Build: replyError(errs),
			},
		},
		Statistics: []script.Statistic{
			{Name: "sent_err_replies", Help: "Answers of sl_reply_error().", Count: errs},
		},
	}
}

func reply(m *script.Machine, at *script.Site, code int, reason []byte) int {
	return m.Responded(at, m.Context().Respond(code, reason))
}

func replyError(count *script.Count) func(a *script.Args) script.Action {
	return func(a *script.Args) script.Action {
		at := a.Site()
		return func(m *script.Machine) int {
			code := 500
			switch err := m.Context().Failure(); {
			case errors.Is(err, proxy.ErrHops):
				code = 483
			case errors.Is(err, proxy.ErrTooLarge):
				code = 513
			case errors.Is(err, proxy.ErrRoute), errors.Is(err, proxy.ErrRequestURI):
				code = 400
			case err != nil:
				code = 503
			}
			switch err := m.Context().Respond(code, nil); {
			case err == nil:
				count.Add(1)
				return 1
			case errors.Is(err, proxy.ErrAnswered):
				return -1 // that has been told: the request was canceled, or t_relay() has answered
			default:
				return m.Responded(at, err)
			}
		}
	}
}
