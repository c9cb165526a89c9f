// Package mi_script is OpenSIPS' module mi_script: commands of the management
// interface that the routing script runs.
package mi_script

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"time"

	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
)

// patience bounds a command.
const patience = 30 * time.Second

// Codes of mi() beside those of the command's error.
const (
	internal = -1 // there is no management, or the parameters do not match
	tooMany  = -2 // too many wait already
)

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{}
	untraced := "commands are not traced"
	return &script.Module{
		Name: "mi_script",
		Help: "Runs management commands from the script.",
		Parameters: []script.Parameter{
			{Name: "pretty_printing", Type: script.BoolParam, Default: "0", Help: "Writes the JSON of results with line ends and indented.", Set: script.Into(&m.pretty)},
			{Name: "trace_destination", Type: script.StringParam, Help: "Where commands are traced to.", Note: untraced},
			{Name: "trace_bwlist", Type: script.StringParam, Help: "Which commands are traced.", Note: untraced},
		},
		Functions: []script.Function{{
			Name: "mi", Usage: `mi("command [parameter ...]"[, $var(result)[, $avp(parameters or their names)[, $avp(values)]]])`,
			Help: "Runs a command, which may wait. The result is its JSON, or the text of its error, whose code is that of mi(), below 0. -1: the command cannot be run, -2: too many wait.",
			Args: []script.ArgKind{script.TextArg, script.SetArg, script.AVPArg, script.AVPArg}, Min: 1, Routes: script.Anywhere, Async: true, Build: m.run,
		}},
		Start: func(e *script.Env) error { m.commands = e.Commands; return nil },
	}
}

type module struct {
	pretty   bool
	commands *rpc.Dispatcher // nil: none
}

func (m *module) run(a *script.Args) script.Action {
	text, result, names, values, at := a.Text(0), a.Setter(1), a.AVP(2), a.AVP(3), a.Site()
	if values != nil && names == nil {
		a.Errorf(3, "values need the names of their parameters before them")
		return nil
	}
	return func(x *script.Machine) int {
		line, ok := text(x)
		words := strings.Fields(string(line))
		if !ok || len(words) == 0 {
			return x.Fail(at, "there is no command")
		}
		params, bad := parameters(x, words[1:], names, values)
		if bad != "" {
			x.Fail(at, bad)
			return internal
		}
		if m.commands == nil {
			return internal
		}
		var answer json.RawMessage
		var failure *rpc.Error
		if !x.Wait(func() { answer, failure = m.call(transaction.Of(x.Context()), words[0], params) }) {
			return tooMany
		}
		if failure != nil {
			if result != nil {
				result(x, script.Text(x.KeepString(failure.Message)))
			}
			return min(failure.Code, -failure.Code)
		}
		if result != nil {
			result(x, script.Text(x.Keep(answer)))
		}
		return 1
	}
}

// call runs a command, by who holds a transaction or none. One that would wait for the script itself is refused.
func (m *module) call(held *transaction.Exchange, name string, params any) (json.RawMessage, *rpc.Error) {
	if c, ok := m.commands.Command(name); ok && c.Name == "reload_routes" {
		return nil, rpc.Failed("a route cannot reload the routes", nil)
	}
	ctx, cancel := context.WithTimeout(transaction.WithHeld(context.Background(), held), patience)
	defer cancel()
	answer, failure := m.commands.Run(ctx, name, params)
	if failure != nil || !m.pretty {
		return answer, failure
	}
	var b bytes.Buffer
	if json.Indent(&b, answer, "", "\t") != nil {
		return answer, nil
	}
	return b.Bytes(), nil
}

// parameters are what the command gets: an array of texts, or an object if there are
// names and values. AVPs are taken in the order in which they were filled.
func parameters(x *script.Machine, words []string, names, values *script.AVP) (params any, bad string) {
	if names == nil {
		return words, ""
	}
	first := oldestFirst(x, names)
	if values == nil {
		return first, ""
	}
	second := oldestFirst(x, values)
	if len(first) != len(second) {
		return nil, "there are not as many values as names of parameters"
	}
	object := rpc.Object{}
	for i, name := range first {
		var value any = second[i]
		if list, ok := strings.CutPrefix(second[i], "__array("); ok {
			value = strings.Fields(strings.TrimSuffix(list, ")"))
		}
		object = append(object, rpc.Field{Name: name, Value: value})
	}
	return object, ""
}

func oldestFirst(x *script.Machine, avp *script.AVP) []string {
	all := make([]string, avp.Len(x))
	for i := range all {
		all[len(all)-1-i] = string(x.Text(avp.Get(x, i)))
	}
	return all
}
