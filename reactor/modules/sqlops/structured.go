package sqlops

import (
	"errors"
	"fmt"
	"strings"

	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// argument is one in JSON: read at load, or for each message where it is a variable
// as a whole.
type argument[T any] struct {
	value []T
	get   func(m *script.Machine) script.Value
	read  func(s string, list []script.Fragment) ([]T, error)
}

// compileJSON reads argument i; false after an error.
func compileJSON[T any](a *script.Args, i int, what string, read func(string, []script.Fragment) ([]T, error)) (*argument[T], bool) {
	x := &argument[T]{read: read}
	if !a.Given(i) {
		return x, true
	}
	list := a.Fragments(i)
	if list == nil {
		return nil, false
	}
	if len(list) == 1 && list[0].Get != nil {
		x.get = list[0].Get
		a.Notef(i, "the whole argument is a variable: what it brings decides about columns and operators, too")
		return x, true
	}
	var err error
	if x.value, err = read(mark(list), list); err != nil {
		a.Errorf(i, "the %s cannot be read as JSON: %v", what, err)
		return nil, false
	}
	return x, true
}

func (x *argument[T]) resolve(m *script.Machine) ([]T, error) {
	if x.get == nil {
		return x.value, nil
	}
	v := x.get(m)
	if v.IsNull() {
		return nil, nil
	}
	return x.read(string(m.Text(v)), nil)
}

func filterPairs(s string, list []script.Fragment) ([]pair, error) { return pairs(s, list, true) }
func setPairs(s string, list []script.Fragment) ([]pair, error)    { return pairs(s, list, false) }

// conditions are the filter for a message. A filter that was given is never none:
// that would mean all rows.
func conditions(m *script.Machine, x *argument[pair]) ([]store.Cond, error) {
	list, err := x.resolve(m)
	if err != nil {
		return nil, fmt.Errorf("the filter cannot be read as JSON: %w", err)
	}
	if x.get != nil && len(list) == 0 {
		return nil, errors.New("the filter is empty")
	}
	conds := make([]store.Cond, len(list))
	for i, p := range list {
		c, v, err := p.resolve(m)
		if err != nil {
			return nil, err
		}
		conds[i] = store.Cond{Column: c, Op: p.op, Value: v}
	}
	return conds, nil
}

// sets are the columns that are written for a message.
func sets(m *script.Machine, x *argument[pair]) ([]store.Set, error) {
	list, err := x.resolve(m)
	if err != nil {
		return nil, fmt.Errorf("the columns cannot be read as JSON: %w", err)
	}
	if len(list) == 0 {
		return nil, errors.New("there is no column to write")
	}
	all := make([]store.Set, len(list))
	for i, p := range list {
		c, v, err := p.resolve(m)
		if err != nil {
			return nil, err
		}
		all[i] = store.Set{Column: c, Value: v}
	}
	return all, nil
}

func (p *pair) resolve(m *script.Machine) (string, store.Value, error) {
	c, err := p.column.resolve(m)
	if err != nil {
		return "", store.Null, err
	}
	v, err := p.value.resolve(m)
	return c.Text(), v, err
}

// names are the columns that are read for a message.
func names(m *script.Machine, x *argument[text]) ([]string, error) {
	list, err := x.resolve(m)
	if err != nil {
		return nil, fmt.Errorf("the columns cannot be read as JSON: %w", err)
	}
	all := make([]string, len(list))
	for i := range list {
		c, err := list[i].resolve(m)
		if err != nil {
			return nil, err
		}
		all[i] = c.Text()
	}
	return all, nil
}

// fixed is the text of one without variables.
func (t *text) fixed() (string, bool) {
	var b strings.Builder
	for i := range t.pieces {
		if t.pieces[i].get != nil {
			return "", false
		}
		b.WriteString(t.pieces[i].plain)
	}
	return b.String(), !t.null
}

// columnNames are the columns that are known before a message comes.
func columnNames(x *argument[text]) (list []string) {
	for i := range x.value {
		if name, ok := x.value[i].fixed(); ok {
			list = append(list, name)
		}
	}
	return list
}

// pairNames are those of a filter, or of what is written.
func pairNames(x *argument[pair]) (list []string) {
	for i := range x.value {
		if name, ok := x.value[i].column.fixed(); ok {
			list = append(list, name)
		}
	}
	return list
}
