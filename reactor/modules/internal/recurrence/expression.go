package recurrence

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Expression is a recurrence, or several that are joined.
type Expression interface {
	// Holds reports whether t lies in one of the periods.
	Holds(t time.Time) bool
}

type (
	either struct{ a, b Expression }
	both   struct{ a, b Expression }
	not    struct{ a Expression }
)

func (e either) Holds(t time.Time) bool { return e.a.Holds(t) || e.b.Holds(t) }
func (e both) Holds(t time.Time) bool   { return e.a.Holds(t) && e.b.Holds(t) }
func (e not) Holds(t time.Time) bool    { return !e.a.Holds(t) }

// maxNesting bounds parentheses and negations.
const maxNesting = 32

// Parse reads an expression.
func Parse(s string) (Expression, error) {
	p := parser{rest: s}
	e, err := p.either(0)
	if err == nil && p.rest != "" {
		err = fmt.Errorf("%q does not belong here", p.rest)
	}
	if err != nil {
		return nil, err
	}
	return e, nil
}

type parser struct{ rest string }

// take skips spaces and a character, if it is next.
func (p *parser) take(c byte) bool {
	p.rest = strings.TrimSpace(p.rest)
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *parser) either(depth int) (Expression, error) {
	e, err := p.both(depth)
	for err == nil && p.take('/') {
		var b Expression
		b, err = p.both(depth)
		e = either{e, b}
	}
	return e, err
}

func (p *parser) both(depth int) (Expression, error) {
	e, err := p.one(depth)
	for err == nil && p.take('&') {
		var b Expression
		b, err = p.one(depth)
		e = both{e, b}
	}
	return e, err
}

func (p *parser) one(depth int) (Expression, error) {
	if depth > maxNesting {
		return nil, errors.New("too many parentheses")
	}
	if p.take('!') {
		e, err := p.one(depth + 1)
		return not{e}, err
	}
	if p.take('(') {
		e, err := p.either(depth + 1)
		if err == nil && !p.take(')') {
			err = errors.New("a parenthesis is not closed")
		}
		return e, err
	}
	end := p.end()
	text := strings.TrimSpace(p.rest[:end])
	p.rest = p.rest[end:]
	if text == "" {
		return nil, errors.New("a recurrence is missing")
	}
	return parseRule(text)
}

// end gives where a recurrence ends. A slash within a time zone, Europe/Berlin, is
// followed by a letter and the next bar; one that joins, by a number, a bar or a space.
func (p *parser) end() int {
	for i := range len(p.rest) {
		switch p.rest[i] {
		case '&', ')', '(', '!':
			return i
		case '/':
			before := p.rest[:i]
			if strings.Contains(before, "|") || i > 0 && before[i-1] == ' ' {
				return i
			}
		}
	}
	return len(p.rest)
}
