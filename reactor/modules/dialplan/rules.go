package dialplan

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"sipreactor/reactor/modules/internal/recurrence"
)

// rule is a row of the table.
type rule struct {
	priority, id int64
	match        *regexp.Regexp // nil: the input is to be equal
	times        recurrence.Expression
	subst        *regexp.Regexp // nil: the replacement is the output
	repl         []piece        // nil: there is no output
	attrs        string
}

// piece is a part of a replacement: a text, or what a group has matched.
type piece struct {
	text  string
	group int // -1: the text
}

// before reports whether a rule is tried before another.
func (r *rule) before(o *rule) int {
	return cmp.Or(cmp.Compare(r.priority, o.priority), cmp.Compare(r.id, o.id))
}

// plan is the rules of one dialplan ID.
type plan struct {
	equal map[string][]*rule // by the input
	fold  map[string][]*rule // by the input in small letters
	regex []*rule
}

// plans are the rules of a partition, by dialplan ID.
type plans struct {
	byID  map[int64]*plan
	rules int
}

// row is a row as it is read.
type row struct {
	id, plan, priority   int64
	regex, fold          bool
	match, subst, repl   string
	hasSubst, hasReplace bool
	times, attrs         string
}

// columnError is what is wrong in a column, by its number in columns.
type columnError struct {
	column int
	text   string
}

// compile makes the rule of a row.
func (w *row) compile() (*rule, *columnError) {
	r := &rule{priority: w.priority, id: w.id, attrs: w.attrs}
	flags := "(?s)"
	if w.fold {
		flags = "(?is)"
	}
	expression := func(column int, s string) (*regexp.Regexp, *columnError) {
		re, err := regexp.Compile(flags + s)
		if err != nil {
			return nil, &columnError{column, fmt.Sprintf("%q is no regular expression that can be used here: %v", s, err)}
		}
		return re, nil
	}
	var wrong *columnError
	if w.regex {
		if r.match, wrong = expression(colMatch, w.match); wrong != nil {
			return nil, wrong
		}
	}
	if w.times != "" {
		var err error
		if r.times, err = recurrence.Parse(w.times); err != nil {
			return nil, &columnError{colTimes, err.Error()}
		}
	}
	groups := -1
	if w.hasSubst && w.subst != "" {
		if r.subst, wrong = expression(colSubst, w.subst); wrong != nil {
			return nil, wrong
		}
		groups = r.subst.NumSubexp()
	}
	if !w.hasReplace || w.repl == "" {
		return r, nil
	}
	var msg string
	if r.repl, msg = replacement(w.repl, groups); msg != "" {
		return nil, &columnError{colReplace, msg}
	}
	return r, nil
}

// replacement reads a replacement: \1 to \9 are what groups have matched, \0 is the
// whole. groups is how many there are, below 0 that there is no expression.
func replacement(s string, groups int) (list []piece, msg string) {
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			list = append(list, piece{text.String(), -1})
			text.Reset()
		}
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '$' && i+1 < len(s) && (s[i+1] == '(' || s[i+1]|0x20 >= 'a' && s[i+1]|0x20 <= 'z'):
			return nil, fmt.Sprintf("%q has a variable, which a replacement cannot have here", s)
		case c != '\\' || i+1 == len(s):
			text.WriteByte(c)
		case s[i+1] >= '0' && s[i+1] <= '9':
			n := int(s[i+1] - '0')
			if n > groups {
				return nil, fmt.Sprintf("%q refers to group %d, and subst_exp has %d", s, n, max(groups, 0))
			}
			flush()
			list = append(list, piece{group: n})
			i++
		default:
			i++
			text.WriteByte(s[i])
		}
	}
	flush()
	return list, ""
}

// add puts a rule in.
func (p *plans) add(w *row, r *rule) {
	if p.byID == nil {
		p.byID = map[int64]*plan{}
	}
	one := p.byID[w.plan]
	if one == nil {
		one = &plan{equal: map[string][]*rule{}, fold: map[string][]*rule{}}
		p.byID[w.plan] = one
	}
	p.rules++
	switch {
	case w.regex:
		one.regex = append(one.regex, r)
	case w.fold:
		key := strings.ToLower(w.match)
		one.fold[key] = append(one.fold[key], r)
	default:
		one.equal[w.match] = append(one.equal[w.match], r)
	}
}

// sort orders the rules, once all are in.
func (p *plans) sort() {
	for _, one := range p.byID {
		slices.SortFunc(one.regex, (*rule).before)
		for _, list := range one.equal {
			slices.SortFunc(list, (*rule).before)
		}
		for _, list := range one.fold {
			slices.SortFunc(list, (*rule).before)
		}
	}
}

// find gives the rule for an input; nil if there is none.
func (p *plans) find(id int64, input string, now time.Time) *rule {
	one := p.byID[id]
	if one == nil {
		return nil
	}
	var best *rule
	take := func(list []*rule) {
		for _, r := range list {
			if best != nil && best.before(r) <= 0 {
				return
			}
			if r.times != nil && !r.times.Holds(now) || r.match != nil && !r.match.MatchString(input) {
				continue
			}
			best = r
			return
		}
	}
	take(one.equal[input])
	if len(one.fold) > 0 {
		take(one.fold[strings.ToLower(input)])
	}
	take(one.regex)
	return best
}

// apply gives a rule's output for an input that it matches, behind dst. It reports
// false where its subst_exp does not match.
func (r *rule) apply(dst []byte, input string) ([]byte, bool) {
	var at []int
	if r.subst != nil {
		if at = r.subst.FindStringSubmatchIndex(input); at == nil {
			return dst, false
		}
	}
	for _, p := range r.repl {
		switch {
		case p.group < 0:
			dst = append(dst, p.text...)
		case at[2*p.group] >= 0:
			dst = append(dst, input[at[2*p.group]:at[2*p.group+1]]...)
		}
	}
	return dst, true
}
