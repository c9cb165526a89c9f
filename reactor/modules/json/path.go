package json

import (
	"errors"
	"strconv"
	"strings"
)

// part is a piece of a variable's name as it is written: a step, or one whose key or
// index a variable gives.
type part struct {
	step
	variable string // $var(i), "" the step is a constant
}

// view is what of a value is meant in a for.
type view uint8

const (
	values view = iota
	keys
)

var errPath = errors.New("the name is name/key[index]..., and a key or an index may be a $variable")

// parsePath reads the name of a document and the way into it: name/key[1]/$var(k)[$var(i)][].
func parsePath(s string) (name string, path []part, of view, err error) {
	if rest, ok := strings.CutSuffix(s, ".keys"); ok {
		s, of = rest, keys
	} else if rest, ok := strings.CutSuffix(s, ".values"); ok {
		s = rest
	}
	i := strings.IndexAny(s, "/[")
	if i < 0 {
		i = len(s)
	}
	if name = s[:i]; name == "" || strings.ContainsAny(name, "$]") {
		return "", nil, 0, errPath
	}
	for s = s[i:]; s != ""; {
		var p part
		switch s[0] {
		case '/':
			n := keyEnd(s[1:])
			p.key, s = s[1:1+n], s[1+n:]
			if p.key == "" {
				return "", nil, 0, errPath
			}
			if p.key[0] == '$' {
				p.variable = p.key
			}
		case '[':
			n := indexEnd(s)
			if n < 0 {
				return "", nil, 0, errPath
			}
			text := s[1:n]
			s, p.isIndex = s[n+1:], true
			switch {
			case text == "":
				p.last = true
			case text[0] == '$':
				p.variable = text
			default:
				if p.index, err = strconv.Atoi(text); err != nil {
					return "", nil, 0, errPath
				}
			}
		default:
			return "", nil, 0, errPath
		}
		path = append(path, p)
	}
	return name, path, of, nil
}

// keyEnd gives where a key ends: at the next / or [, those in a variable's brackets
// excepted.
func keyEnd(s string) int {
	depth := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case (c == '/' || c == '[') && (depth <= 0 || s[0] != '$'):
			return i
		}
	}
	return len(s)
}

// indexEnd gives where the ] of an index is, -1 if there is none.
func indexEnd(s string) int {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '[', '(':
			depth++
		case ')':
			depth--
		case ']':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}
