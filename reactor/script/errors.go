package script

import (
	"errors"
	"fmt"
	"sort"
	"strings"
)

// Error is one thing that is wrong with a configuration.
type Error struct {
	File string
	Line int // from 1 on; 0 if the error belongs to no line
	Col  int // in characters, from 1 on
	Msg  string

	cause error // that Msg tells; nil there is none
}

// ErrorAt gives an error the place in the configuration that it comes from, each one of
// several that are joined. One that has a place keeps it. The result is nil, or of type
// Errors.
func ErrorAt(at Pos, err error) error {
	if err == nil {
		return nil
	}
	var all Errors
	for _, one := range Parts(err) {
		var placed *Error
		if !errors.As(one, &placed) {
			placed = &Error{File: at.File(), Line: at.Line(), Col: at.Col(), Msg: one.Error(), cause: one}
		}
		all = append(all, placed)
	}
	return all
}

// Parts takes apart what errors.Join has joined, or the errors of a file.
func Parts(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	var text []string
	for _, one := range joined.Unwrap() {
		all, text = append(all, Parts(one)...), append(text, one.Error())
	}
	if strings.Join(text, "\n") != err.Error() {
		return []error{err} // it says more than they do
	}
	return all
}

// Unwrap gives what the message tells, nil if it is all that there is.
func (e *Error) Unwrap() error { return e.cause }

// Error gives "file:line:col: message".
func (e *Error) Error() string {
	switch {
	case e.File == "":
		return e.Msg
	case e.Line == 0:
		return e.File + ": " + e.Msg
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Col, e.Msg)
}

// Errors are all errors that were found, in the order of the file. It is what
// Load returns; errors.As finds the first *Error in it.
type Errors []*Error

// Error gives one line for each error.
func (l Errors) Error() string {
	lines := make([]string, len(l))
	for i, e := range l {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the single errors.
func (l Errors) Unwrap() []error {
	all := make([]error, len(l))
	for i, e := range l {
		all[i] = e
	}
	return all
}

// Note is a remark about a configuration that is no error: something it says
// has no effect here, and why.
type Note struct {
	Pos Pos
	Msg string
	// Warning tells that others can make use of it: it is told at any log_level that tells
	// of warnings.
	Warning bool
}

// String gives "file:line:col: message".
func (n Note) String() string { return n.Pos.String() + ": " + n.Msg }

// maxErrors bounds the errors that are reported: far more than a configuration has
// that somebody wrote.
const maxErrors = 1000

// report gathers errors and notes while a configuration is read.
type report struct {
	words *vocabulary // by which names are read
	list  []located
	notes []Note
	noted map[string]bool // kinds of oncef
	order map[*source]int
	seen  map[Pos]bool // where errors are
	muted map[line]bool
	cut   Pos // a string without an end: what is behind it was read wrongly
	more  int
	last  string // what is to be said behind all errors
}

type located struct {
	pos   Pos
	msg   string
	cause error // that msg tells; nil there is none
}

func (r *report) opened(s *source) {
	if r.order == nil {
		r.order = make(map[*source]int)
	}
	r.order[s] = len(r.order)
}

// errorf notes an error, which may wrap one by %w. At one place only the first one counts.
func (r *report) errorf(p Pos, format string, args ...any) {
	if r.seen[p] || r.muted[lineOf(p)] {
		return
	}
	if len(r.list) >= maxErrors {
		r.more++
		return
	}
	if r.seen == nil {
		r.seen = make(map[Pos]bool)
	}
	r.seen[p] = true
	said := fmt.Errorf(format, args...)
	r.list = append(r.list, located{p, said.Error(), errors.Unwrap(said)})
}

// line is a line of a source.
type line struct {
	src *source
	n   int
}

func lineOf(p Pos) line {
	if p.src == nil {
		return line{}
	}
	return line{p.src, p.Line()}
}

// mute has further errors of a place's line not told.
func (r *report) mute(p Pos) {
	if r.muted == nil {
		r.muted = make(map[line]bool)
	}
	r.muted[lineOf(p)] = true
}

// endless notes a string without an end. Whatever is said of what is behind it in the
// same file is of no use, nor are braces that it has swallowed.
func (r *report) endless(p Pos) {
	if !r.cut.IsValid() {
		r.cut = p
	}
}

// open notes a brace that is not closed.
func (r *report) open(p Pos, msg string) {
	if !r.cut.IsValid() {
		r.errorf(p, "%s", msg)
	}
}

// told tells whether an error is worth telling.
func (r *report) told(p Pos) bool {
	return !r.cut.IsValid() || p.src != r.cut.src || p.before(r.cut, r.order)
}

func (r *report) notef(p Pos, format string, args ...any) {
	r.notes = append(r.notes, Note{Pos: p, Msg: fmt.Sprintf(format, args...)})
}

// warnf is notef for what others can make use of.
func (r *report) warnf(p Pos, format string, args ...any) {
	r.notes = append(r.notes, Note{Pos: p, Msg: fmt.Sprintf(format, args...), Warning: true})
}

// oncef is notef for what a file may have many times: it is told at the first one of
// a kind.
func (r *report) oncef(p Pos, kind, format string, args ...any) {
	if r.noted == nil {
		r.noted = make(map[string]bool)
	}
	if !r.noted[kind] {
		r.noted[kind] = true
		r.notef(p, format, args...)
	}
}

// full tells that it is not worth going on.
func (r *report) full() bool { return r.more > 0 }

// err gives what was gathered, nil if that is nothing.
func (r *report) err() error {
	if r.cut.IsValid() {
		kept := r.list[:0]
		for _, e := range r.list {
			if r.told(e.pos) {
				kept = append(kept, e)
			}
		}
		r.list, r.more, r.last = append(kept, located{r.cut, "the string that begins here has no end", nil}), 0, ""
	}
	if len(r.list) == 0 {
		return nil
	}
	sort.SliceStable(r.list, func(i, j int) bool {
		return r.list[i].pos.before(r.list[j].pos, r.order)
	})
	var out Errors
	for _, e := range r.list {
		out = append(out, &Error{File: e.pos.File(), Line: e.pos.Line(), Col: e.pos.Col(), Msg: e.msg, cause: e.cause})
	}
	if r.more > 0 {
		out = append(out, &Error{File: out[0].File, Msg: "and more errors than can be told"})
	}
	if r.last != "" {
		out = append(out, &Error{File: out[0].File, Msg: r.last})
	}
	return out
}

// hint gives " (did you mean x?)" when one of the names is near to word, else "".
func hint(word string, names []string) string {
	best, at := len(word)/3+1, ""
	for _, n := range names {
		d := distance(strings.ToLower(word), strings.ToLower(n))
		if d < best || d == best && n < at {
			best, at = d, n
		}
	}
	if at == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %s?)", at)
}

// fewNames is how many names a message lists.
const fewNames = 12

// choices gives the hint for a word, and the names themselves where they are few.
func choices(word string, names []string) string {
	text := hint(word, names)
	if 0 < len(names) && len(names) <= fewNames {
		text += "; there are: " + list(names)
	}
	return text
}

// distance counts the characters to add, drop, change or swap to get from a to b.
func distance(a, b string) int {
	if len(a)+len(b) > 200 {
		return 200
	}
	var rows [3][]int
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
	}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		older, old, row := rows[0], rows[1], rows[2]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(old[j]+1, row[j-1]+1, old[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], older[j-2]+1)
			}
		}
		rows[0], rows[1], rows[2] = old, row, older
	}
	return rows[1][len(b)]
}

// list joins names for a message.
func list(names []string) string {
	sorted := append([]string(nil), names...)
	sort.Strings(sorted)
	return strings.Join(sorted, " ")
}
