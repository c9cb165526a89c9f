package permissions

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strings"

	"sipreactor/tlsstate/regular"
)

// Rules are what a file of allow or deny rules says, in the form of hosts.allow:
//
//	from [EXCEPT from] : uri [EXCEPT uri]
//
// where from and uri are regular expressions in double quotes, separated by
// commas, or ALL. Case does not matter. A pair matches if a rule does.
type Rules []rule

// rule is one line.
type rule struct {
	from, uri side
}

// side is one half of a rule: one of the expressions must match, and none of the
// exceptions.
type side struct {
	all    bool
	any    []*regexp.Regexp
	except []*regexp.Regexp
	none   bool // EXCEPT ALL
}

// Match reports whether a rule matches a pair.
func (r Rules) Match(from, uri []byte) bool {
	for i := range r {
		if r[i].from.match(from) && r[i].uri.match(uri) {
			return true
		}
	}
	return false
}

func (s *side) match(text []byte) bool {
	return !s.none && (s.all || matchAny(s.any, text)) && !matchAny(s.except, text)
}

func matchAny(list []*regexp.Regexp, text []byte) bool {
	for _, r := range list {
		if r.Match(text) {
			return true
		}
	}
	return false
}

// Pair are the rules of two files: what is allowed, and what is denied of the rest.
type Pair struct {
	Allow, Deny Rules
}

// Allowed reports whether all pairs are in the rules that allow, or none is in
// those that deny.
func (p *Pair) Allowed(from []byte, uris [][]byte) bool {
	allowed := true
	for _, u := range uris {
		allowed = allowed && p.Allow.Match(from, u)
	}
	if allowed {
		return true
	}
	for _, u := range uris {
		if p.Deny.Match(from, u) {
			return false
		}
	}
	return true
}

// ReadPair reads two files. One that does not exist has no rules.
func ReadPair(allow, deny string) (p Pair, err error) {
	if p.Allow, err = readRules(allow); err != nil {
		return Pair{}, err
	}
	p.Deny, err = readRules(deny)
	return p, err
}

func readRules(name string) (Rules, error) {
	f, err := regular.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ParseRules(f, name)
}

// ParseRules reads rules; name is the file's, for errors.
func ParseRules(from io.Reader, name string) (rules Rules, err error) {
	lines := bufio.NewScanner(from)
	for n := 1; lines.Scan(); n++ {
		r, err := parseRule(lines.Text())
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
		if r != nil {
			rules = append(rules, *r)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return rules, nil
}

// parseRule reads a line, nil for one that is empty or a comment.
func parseRule(line string) (*rule, error) {
	t := &ruleText{rest: line}
	if t.word(); t.token == "" {
		return nil, t.err
	}
	r := &rule{}
	r.from = t.side()
	if t.err == nil && t.token != ":" {
		return nil, errors.New("a rule is FROM [EXCEPT ...] : URI [EXCEPT ...], and here is no colon")
	}
	t.word()
	r.uri = t.side()
	if t.err == nil && t.token != "" {
		t.err = fmt.Errorf("%s does not belong here", t.token)
	}
	return r, t.err
}

// ruleText is a line that is being read, a token at a time: a text in quotes, a
// word, a comma, a colon; "" at the end.
type ruleText struct {
	rest, token string
	quoted      bool
	err         error
}

func (t *ruleText) word() {
	t.token, t.quoted = "", false
	t.rest = strings.TrimLeft(t.rest, " \t\r")
	if t.err != nil || t.rest == "" || t.rest[0] == '#' {
		return
	}
	switch {
	case t.rest[0] == '"':
		end := strings.IndexByte(t.rest[1:], '"')
		if end < 0 {
			t.err = errors.New("a quote is not closed")
			return
		}
		t.token, t.rest, t.quoted = t.rest[1:end+1], t.rest[end+2:], true
	case t.rest[0] == ',' || t.rest[0] == ':':
		t.token, t.rest = t.rest[:1], t.rest[1:]
	default:
		end := strings.IndexAny(t.rest, " \t\r,:\"#")
		if end < 0 {
			end = len(t.rest)
		}
		t.token, t.rest = t.rest[:end], t.rest[end:]
	}
}

func (t *ruleText) side() (s side) {
	s.any, s.all = t.list()
	if t.err == nil && !t.quoted && strings.EqualFold(t.token, "EXCEPT") {
		t.word()
		s.except, s.none = t.list()
	}
	return s
}

// list reads expressions and stops at what follows.
func (t *ruleText) list() (list []*regexp.Regexp, all bool) {
	for t.err == nil {
		switch {
		case t.quoted:
			r, err := regexp.Compile("(?i)" + t.token)
			if err != nil {
				t.err = err
				return nil, false
			}
			list = append(list, r)
		case strings.EqualFold(t.token, "ALL"):
			all = true
		default:
			t.err = fmt.Errorf("%q is neither ALL nor an expression in quotes", t.token)
			return nil, false
		}
		if t.word(); t.quoted || t.token != "," {
			break
		}
		t.word()
	}
	return list, all
}
