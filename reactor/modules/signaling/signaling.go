// Package signaling is OpenSIPS' module signaling: responses by the request's
// transaction if it has one, and without one otherwise.
package signaling

import "sipreactor/reactor/script"

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &Module{respond: func(x *script.Machine, code int, reason []byte) error { return x.Context().Respond(code, reason) }}
	return &script.Module{
		Name:     "signaling",
		Help:     "Answers requests, by their transaction where there is one.",
		Instance: m,
		Functions: []script.Function{{
			Name: "send_reply", Usage: `send_reply(code, "reason")`, Help: "Answers the request.",
			Args: []script.ArgKind{script.IntArg, script.TextArg}, Min: 2, Routes: script.Requests,
			Build: script.StatusAction(func(x *script.Machine, at *script.Site, code int, reason []byte) int {
				return x.Responded(at, m.respond(x, code, reason))
			}),
		}},
		Variables: []script.Variable{{
			Name: "sig_local_totag", Help: "The To tag of responses of ours to the request, by a transaction or without.",
			Get: script.Simple(func(x *script.Machine) script.Value {
				if c := x.Context(); c.Msg.IsRequest() {
					return script.Text(x.Keep(c.AppendToTag(nil)))
				}
				return script.Value{}
			}),
		}},
	}
}

// Module is how a module of transactions has a say in responses.
type Module struct {
	respond func(m *script.Machine, code int, reason []byte) error
}

// Respond answers the request of a machine. An empty reason is the usual one of the code.
func (m *Module) Respond(x *script.Machine, code int, reason []byte) error {
	return m.respond(x, code, reason)
}

// SetResponder has f answer requests from then on: for the Check of a module of
// transactions.
func (m *Module) SetResponder(f func(m *script.Machine, code int, reason []byte) error) {
	m.respond = f
}
