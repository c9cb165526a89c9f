package acc

import (
	"errors"
	"strings"

	"sipreactor/reactor/script"
)

// backend is where records go.
type backend uint8

// The backends.
const (
	toLog backend = iota
	toDB
	toAAA
	toEvents
	backends
)

var backendNames = map[string]backend{"log": toLog, "db": toDB, "aaa": toAAA, "evi": toEvents}

// tags are the names of values that the script sets, and under which name each backend
// writes them.
type tags struct {
	names  []string             // in the order they were declared
	fields [backends][]declared // by backend
	said   origin               // of those that are added next
}

// origin is the parameter that names something, and where that is.
type origin struct {
	param string
	at    script.Pos
}

// declared is a field: which tag, and the name it is written by.
type declared struct {
	tag  int
	name string
	said origin
}

var errFields = errors.New("is backend:tag->name;tag, and the backend is log, db, aaa or evi")

// add reads a value of extra_fields or leg_fields: "log: a->My_a_Field; b". Without a
// backend it is for evi, as the documentation's example has it.
func (t *tags) add(s string) error {
	to := toEvents
	if name, rest, ok := strings.Cut(s, ":"); ok {
		b, known := backendNames[strings.TrimSpace(name)]
		if !known {
			return errFields
		}
		to, s = b, rest
	}
	for one := range strings.SplitSeq(s, ";") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		tag, name, ok := strings.Cut(one, "->")
		tag, name = strings.TrimSpace(tag), strings.TrimSpace(name)
		if !ok {
			name = tag
		}
		if tag == "" || name == "" || strings.ContainsAny(tag+name, " =:$()") {
			return errFields
		}
		t.fields[to] = append(t.fields[to], declared{t.index(tag), name, t.said})
	}
	return nil
}

// index gives the number of a tag, which is new if there is none of the name.
func (t *tags) index(tag string) int {
	if i := t.find(tag); i >= 0 {
		return i
	}
	t.names = append(t.names, tag)
	return len(t.names) - 1
}

// find gives the number of a tag, -1 if it was not declared.
func (t *tags) find(tag string) int {
	for i, n := range t.names {
		if n == tag {
			return i
		}
	}
	return -1
}

// values gives the fields of a backend with what the script has set.
func (t *tags) values(to backend, set [][]byte) (list []field) {
	for _, d := range t.fields[to] {
		f := field{name: d.name}
		if d.tag < len(set) {
			f.value = set[d.tag]
		}
		list = append(list, f)
	}
	return list
}

// mark is what do_accounting() asks for: for each backend whether, and with which flags.
type mark [backends]flags

// flags of a backend.
type flags uint8

const (
	wanted flags = 1 << iota
	cdr
	onMissed
	onFailed
)

var flagNames = map[string]flags{"cdr": cdr, "missed": onMissed, "failed": onFailed}

var (
	errTypes = errors.New("the types are log, db, aaa and evi, joined by |")
	errFlags = errors.New("the flags are cdr, missed and failed, joined by |")
)

// parseMark reads the types and flags of do_accounting() and drop_accounting().
func parseMark(types, list string) (m mark, err error) {
	f := wanted
	for name := range strings.SplitSeq(list, "|") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		one, ok := flagNames[name]
		if !ok {
			return m, errFlags
		}
		f |= one
	}
	for name := range strings.SplitSeq(types, "|") {
		to, ok := backendNames[strings.TrimSpace(name)]
		if !ok {
			return m, errTypes
		}
		m[to] |= f
	}
	return m, nil
}

// join adds what another one asks for.
func (m *mark) join(o mark) {
	for i := range m {
		m[i] |= o[i]
	}
}

// leave takes back: with withFlags the flags that are named, and not the accounting.
func (m *mark) leave(o mark, withFlags bool) {
	for i := range m {
		switch {
		case o[i] == 0:
		case withFlags:
			m[i] &^= o[i] &^ wanted
		default:
			m[i] = 0
		}
	}
}

// has reports whether a backend is asked for with a flag.
func (m *mark) has(f flags) bool {
	for _, x := range m {
		if x&f != 0 {
			return true
		}
	}
	return false
}

// parseComment reads what acc_log_request() and its kind are told: "404 Not Found".
func parseComment(s []byte) (code, reason []byte) {
	if len(s) >= 3 && isDigit(s[0]) && isDigit(s[1]) && isDigit(s[2]) && (len(s) == 3 || s[3] == ' ') {
		code, s = s[:3], s[3:]
	}
	for len(s) > 0 && s[0] == ' ' {
		s = s[1:]
	}
	return code, s
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// legs gives the fields of a backend for each leg; none where leg_fields has none for it.
func (t *tags) legs(to backend, legs [][][]byte) (list [][]field) {
	if len(t.fields[to]) == 0 {
		return nil
	}
	for _, set := range legs {
		list = append(list, t.values(to, set))
	}
	return list
}
