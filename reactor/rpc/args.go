package rpc

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Kind is the type of a parameter.
type Kind uint8

// The kinds.
const (
	Text    Kind = iota // a string; a number is taken as it is written
	Integer             // a whole number, or a string that holds one
	List                // strings; one array, or all positional values that are left
	JSON                // any value, as its text; a string is one that holds it
)

// Param describes one parameter of a Command. Optional ones stand last.
type Param struct {
	Name     string
	Kind     Kind
	Optional bool
}

// Args are the checked parameters of one call.
type Args struct {
	text map[string]string
	num  map[string]int
	list map[string][]string
}

// Has tells whether the parameter was given.
func (a *Args) Has(name string) bool {
	if _, ok := a.text[name]; ok {
		return true
	}
	if _, ok := a.num[name]; ok {
		return true
	}
	_, ok := a.list[name]
	return ok
}

// Text gives a Text or JSON parameter, "" if it was not given.
func (a *Args) Text(name string) string { return a.text[name] }

// Int gives an Integer parameter, 0 if it was not given.
func (a *Args) Int(name string) int { return a.num[name] }

// List gives a List parameter, nil if it was not given.
func (a *Args) List(name string) []string { return a.list[name] }

// ParseArgs checks params, nil if the request had none, against what a command
// takes.
func ParseArgs(params json.RawMessage, want []Param) (*Args, *Error) {
	a := &Args{text: map[string]string{}, num: map[string]int{}, list: map[string][]string{}}
	var err *Error
	switch {
	case params == nil:
	case params[0] == '[':
		err = a.positional(params, want)
	case params[0] == '{':
		err = a.named(params, want)
	default:
		return nil, badRequest("params is neither an array nor an object")
	}
	if err != nil {
		return nil, err
	}
	for _, p := range want {
		if !p.Optional && !a.Has(p.Name) {
			return nil, BadParams("%s is missing", p.Name)
		}
	}
	return a, nil
}

func (a *Args) positional(params json.RawMessage, want []Param) *Error {
	var values []json.RawMessage
	if err := json.Unmarshal(params, &values); err != nil {
		return BadParams("%v", err)
	}
	if named := namedValues(values, want); named != nil {
		return a.named(named, want)
	}
	for i, p := range want {
		if i >= len(values) {
			return nil
		}
		if p.Kind == List && values[i][0] != '[' {
			return a.set(p, values[i:]...)
		}
		if err := a.set(p, values[i]); err != nil {
			return err
		}
	}
	if len(values) > len(want) {
		return BadParams("Too many parameters: at most %d", len(want))
	}
	return nil
}

// namedValues makes an object of values that are all name=value with names of the
// command's parameters, as OpenSIPS' command line writes them; nil if they are
// not. A name that comes again makes a list.
func namedValues(values []json.RawMessage, want []Param) json.RawMessage {
	all := map[string][]string{}
	for _, v := range values {
		var s string
		if json.Unmarshal(v, &s) != nil {
			return nil
		}
		name, text, ok := strings.Cut(s, "=")
		if !ok || !slices.ContainsFunc(want, func(p Param) bool { return p.Name == name }) {
			return nil
		}
		all[name] = append(all[name], text)
	}
	object := map[string]any{}
	for name, texts := range all {
		if object[name] = texts[0]; len(texts) > 1 {
			object[name] = texts
		}
	}
	if len(object) == 0 {
		return nil
	}
	b, err := json.Marshal(object)
	if err != nil {
		return nil
	}
	return b
}

func (a *Args) named(params json.RawMessage, want []Param) *Error {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(params, &values); err != nil {
		return BadParams("%v", err)
	}
	known := 0
	for _, p := range want {
		v, ok := values[p.Name]
		if !ok {
			continue
		}
		known++
		if err := a.set(p, v); err != nil {
			return err
		}
	}
	if known < len(values) {
		return BadParams("Named parameters do not match")
	}
	return nil
}

// set takes a parameter's value; only a List can have several.
func (a *Args) set(p Param, values ...json.RawMessage) *Error {
	switch p.Kind {
	case Text:
		s, err := scalar(values[0])
		if err != nil {
			return BadParams("%s %v", p.Name, err)
		}
		a.text[p.Name] = s
	case JSON:
		s := string(values[0])
		if values[0][0] == '"' {
			if err := json.Unmarshal(values[0], &s); err != nil {
				return BadParams("%s: %v", p.Name, err)
			}
		}
		a.text[p.Name] = s
	case Integer:
		s, err := scalar(values[0])
		if err != nil {
			return BadParams("%s %v", p.Name, err)
		}
		n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 32)
		if err != nil {
			return BadParams("%s must be a whole number", p.Name)
		}
		a.num[p.Name] = int(n)
	case List:
		if len(values) == 1 && values[0][0] == '[' {
			inner := values[0]
			values = nil
			if err := json.Unmarshal(inner, &values); err != nil {
				return BadParams("%s: %v", p.Name, err)
			}
		}
		all := make([]string, 0, len(values))
		for _, v := range values {
			s, err := scalar(v)
			if err != nil {
				return BadParams("each of %s %v", p.Name, err)
			}
			all = append(all, s)
		}
		a.list[p.Name] = all
	}
	return nil
}

// scalar reads a string, or a number as it is written.
func scalar(v json.RawMessage) (string, error) {
	switch c := v[0]; {
	case c == '"':
		var s string
		err := json.Unmarshal(v, &s)
		return s, err
	case c == '-' || c >= '0' && c <= '9':
		return string(v), nil
	default:
		return "", fmt.Errorf("must be a string or a number")
	}
}
