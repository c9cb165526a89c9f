// Package diversion is OpenSIPS' module diversion: the Diversion header of
// draft-levy-sip-diversion-08 (RFC 5806), by which who forwards a call tells who was called before.
package diversion

import (
	"bytes"
	"fmt"
	"strconv"

	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
)

type module struct{ suffix string }

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{}
	return &script.Module{
		Name: "diversion", Help: "The Diversion header, which tells who was called before a call was forwarded.", Instance: m,
		Parameters: []script.Parameter{{Name: "suffix", Type: script.StringParam, Help: "Parameters behind the reason: \";privacy=full\".", Set: m.setSuffix}},
		Functions: []script.Function{{
			Name: "add_diversion", Usage: `add_diversion("reason")`,
			Help: "Puts a Diversion header before those that the message has, with the Request-URI as it came. A second call in one route is a header above that of the first.",
			Args: []script.ArgKind{script.HeaderArg}, Min: 1, Routes: script.Routes(script.RequestRoute, script.FailureRoute, script.BranchRoute, script.LocalRoute), Build: m.add,
		}},
	}
}

func (m *module) setSuffix(v script.Literal) error {
	if _, err := proxy.AppendHeaders(nil, []byte("Diversion: <sip:x@y>;reason=unknown"+v.Text)); err != nil || v.Text != "" && v.Text[0] != ';' {
		return fmt.Errorf(`is ;name=value, and what more parameters there are: found %q`, v.Text)
	}
	m.suffix = v.Text
	return nil
}

func (m *module) add(a *script.Args) script.Action {
	reason, at := a.Text(0), a.Site()
	return func(x *script.Machine) int {
		text, ok := reason(x)
		if !ok || len(text) == 0 {
			return x.Fail(at, "add_diversion() needs a reason")
		}
		line := x.Join([]byte("Diversion: <"), x.Message().RequestURI(), []byte(">;reason="), value(x, text), []byte(m.suffix))
		return x.Reported(at, x.Context().InsertHeaderAbove([]byte("Diversion"), line))
	}
}

// value gives a reason as a parameter may have it: what is no token is quoted.
func value(x *script.Machine, text []byte) []byte {
	for _, c := range text {
		if c < '!' || c > '~' || bytes.IndexByte([]byte("()<>@,;:\\\"/[]?={}"), c) >= 0 {
			return strconv.AppendQuoteToASCII(x.Keep(nil), string(text))
		}
	}
	return text
}
