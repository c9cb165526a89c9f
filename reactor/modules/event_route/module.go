// Package event_route is OpenSIPS' module event_route: event_route[NAME] runs for each
// event of its name. The language does so by itself; the module reads an event's
// parameters into variables, as it did until 3.1 ($param(name) does it without).
package event_route

import (
	"strconv"
	"strings"

	"sipreactor/reactor/script"
)

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	return &script.Module{
		Name: "event_route", Help: "Has event_route[NAME] run for events.", Note: "event routes run without it, too",
		Functions: []script.Function{{
			Name: "fetch_event_params", Usage: `fetch_event_params("[name=]$avp(a)[;...]")`,
			Help: "Puts the event's parameters into variables: by their names, or in the order in which the event has them. One that it does not have is NULL.",
			Args: []script.ArgKind{script.FixedArg}, Min: 1, Routes: script.Routes(script.EventRoute), Build: fetch,
		}},
	}
}

// fetch compiles the list: names and variables.
func fetch(a *script.Args) script.Action {
	type wanted struct {
		value func(*script.Machine) script.Value
		set   script.Setter
	}
	var all []wanted
	text, _ := a.Fixed(0)
	l, at := a.Loading(), a.Literal(0).At
	n := 0
	for item := range strings.SplitSeq(text, ";") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		n++
		name, variable, named := strings.Cut(item, "=")
		if !named {
			name, variable = strconv.Itoa(n), name
		}
		w := wanted{
			l.Variable(script.Literal{Text: "$param(" + strings.TrimSpace(name) + ")", At: at}),
			l.Setter(script.Literal{Text: strings.TrimSpace(variable), At: at}),
		}
		if w.value == nil || w.set == nil {
			return nil
		}
		all = append(all, w)
	}
	if n == 0 {
		a.Errorf(0, "%s names no variable", a.Name())
		return nil
	}
	return func(x *script.Machine) int {
		for _, w := range all {
			if rc := w.set(x, w.value(x)); rc < 0 {
				return rc
			}
		}
		return 1
	}
}
