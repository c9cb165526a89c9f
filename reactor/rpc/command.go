package rpc

import (
	"context"
	"slices"
	"strings"
)

// Command is one method of the management interface.
type Command struct {
	// Name is OpenSIPS' name of it in 3.x; Aliases are other names, those of 4.0
	// first. No two commands share a name.
	Name    string
	Aliases []string
	// Module is what the command belongs to, for help.
	Module string
	// Help is one sentence.
	Help   string
	Params []Param
	// Func carries it out. The result must be something that JSON can express.
	// An *Error is answered as it is, any other error as a failure of the
	// command. Several goroutines may call it at once.
	Func func(ctx context.Context, a *Args) (any, error)
}

// forms lists the parameter lists that the command takes, the shortest first.
func (c *Command) forms() [][]string {
	var forms [][]string
	names := []string{}
	for _, p := range c.Params {
		if p.Optional {
			forms = append(forms, slices.Clone(names))
		}
		names = append(names, p.Name)
	}
	return append(forms, names)
}

// Usage returns the name and the parameters, optional ones in brackets.
func (c *Command) Usage() string {
	var b strings.Builder
	b.WriteString(c.Name)
	for _, p := range c.Params {
		name := p.Name
		if p.Kind == List {
			name += "..."
		}
		if p.Optional {
			name = "[" + name + "]"
		}
		b.WriteString(" " + name)
	}
	return b.String()
}
