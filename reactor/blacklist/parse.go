package blacklist

import (
	"fmt"
	"strings"
)

// flagNames are the flags by their names.
var flagNames = map[string]Flags{"expire": Expire, "default": Default, "readonly": ReadOnly}

// String gives the flags as dst_blacklist has them.
func (f Flags) String() string {
	var list []string
	for _, name := range []string{"expire", "default", "readonly"} {
		if f&flagNames[name] != 0 {
			list = append(list, name)
		}
	}
	return strings.Join(list, ",")
}

// SyntaxError is where a definition is wrong.
type SyntaxError struct {
	At   int // bytes from its beginning
	Text string
}

// Error gives what is wrong.
func (e *SyntaxError) Error() string { return e.Text }

// Parse reads what dst_blacklist is set to: id[/flags][: rules], where the rules are
// one network with an optional ! before it, or { rule, rule ... }. A list without
// flags is ReadOnly. The error is a *SyntaxError.
func Parse(def, owner string) (*List, error) {
	wrong := func(at int, format string, a ...any) (*List, error) {
		return nil, &SyntaxError{at, fmt.Sprintf(format, a...)}
	}
	head, body, ruled := strings.Cut(def, ":")
	name, words, flagged := strings.Cut(head, "/")
	if name = strings.TrimSpace(name); !validID(name) {
		return wrong(0, "%q is no name of a blacklist: letters, digits, _, - and .", name)
	}
	flags := ReadOnly
	if flagged {
		flags = 0
		for word := range strings.SplitSeq(words, ",") {
			f, known := flagNames[strings.TrimSpace(word)]
			if !known {
				return wrong(strings.IndexByte(head, '/')+1, "%q is no flag of a blacklist: expire, default or readonly", strings.TrimSpace(word))
			}
			flags |= f
		}
	}
	var rules []Rule
	if ruled {
		at := len(head) + 1
		texts, err := cut(body)
		if err != nil {
			err.At += at
			return nil, err
		}
		for _, t := range texts {
			r, err := ParseRule(t.text)
			if err != nil {
				return wrong(at+t.at, "%v", err)
			}
			rules = append(rules, r)
		}
	}
	l, err := NewList(name, owner, flags, rules)
	if err != nil {
		return wrong(0, "%v", err)
	}
	return l, nil
}

func validID(s string) bool {
	for i := range len(s) {
		c := s[i]
		if l := c | 0x20; !('a' <= l && l <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '-' || c == '.') {
			return false
		}
	}
	return s != ""
}

// piece is the text of a rule and where it begins.
type piece struct {
	text string
	at   int
}

// cut gives the rules of a definition: what stands in braces, between parentheses.
func cut(body string) (list []piece, wrong *SyntaxError) {
	trimmed := strings.TrimSpace(body)
	at := strings.Index(body, trimmed)
	inner, ok := strings.CutPrefix(trimmed, "{")
	if !ok {
		if trimmed == "" {
			return nil, &SyntaxError{at, "a rule is missing behind the :"}
		}
		return []piece{{trimmed, at}}, nil
	}
	if inner, ok = strings.CutSuffix(inner, "}"); !ok {
		return nil, &SyntaxError{at, "the { of the rules has no } behind it"}
	}
	at++
	for i := 0; i < len(inner); {
		switch c := inner[i]; c {
		case ' ', '\t', '\r', '\n', ',':
			i++
			continue
		}
		end := closing(inner[i:])
		if end < 0 {
			return nil, &SyntaxError{at + i, fmt.Sprintf("%q is no rule in ( )", strings.TrimSpace(inner[i:]))}
		}
		list = append(list, piece{inner[i : i+end+1], at + i})
		i += end + 1
	}
	return list, nil
}

// closing gives the place of the first ) outside of quotes; -1 if there is none.
func closing(s string) int {
	for i, quoted := 0, false; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && c == ')':
			return i
		}
	}
	return -1
}
