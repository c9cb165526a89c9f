package destination

import (
	"errors"
	"fmt"
	"strings"
)

// Definition is what a parameter partition says: name: key = value; key = value.
type Definition struct {
	Name     string
	Settings []Setting
	// Alias is another partition that the name stands for (name: other); then there
	// are no settings.
	Alias string
}

// Setting is one of its settings.
type Setting struct{ Key, Value string }

// ParseDefinition reads the value of a parameter partition.
func ParseDefinition(s string) (d Definition, err error) {
	name, rest, ok := strings.Cut(s, ":")
	if d.Name = strings.TrimSpace(name); !ok || d.Name == "" || strings.ContainsAny(d.Name, "=;") {
		return d, errors.New(`is not written as "name: key = value; key = value"`)
	}
	for part := range strings.SplitSeq(rest, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		key, value, ok := strings.Cut(part, "=")
		if !ok && len(d.Settings) == 0 && d.Alias == "" {
			d.Alias = part
			continue
		}
		if !ok || d.Alias != "" {
			return d, fmt.Errorf(`has %q, which is no "key = value"`, part)
		}
		d.Settings = append(d.Settings, Setting{strings.TrimSpace(key), strings.TrimSpace(value)})
	}
	return d, nil
}
