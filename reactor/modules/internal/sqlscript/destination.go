package sqlscript

import (
	"regexp"
	"strconv"
	"strings"

	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// nullText is what NULL of a database is in an AVP: AVPs have no NULL.
const nullText = "<null>"

// betweenVariables is a comma where a semicolon is meant; one in a variable stays.
var betweenVariables = regexp.MustCompile(`,\s*\$`)

// texts cuts a list of variables: "$avp(a);$avp(b)", or with commas.
func texts(a *script.Args, i int) (list []script.Literal) {
	whole := a.Literal(i)
	for t := range strings.SplitSeq(betweenVariables.ReplaceAllString(whole.Text, ";$$"), ";") {
		if t = strings.TrimSpace(t); t != "" {
			v := whole
			v.Text = t
			list = append(list, v)
		}
	}
	return list
}

// Writer puts a result into the script's variables.
type Writer func(m *script.Machine, res *store.Result) int

// Rows compiles the AVPs that a result goes to: a value for each row, that of the
// first row in front. Without them they are $avp(1), $avp(2) and so on. It is nil
// after an error.
func (d *Databases) Rows(a *script.Args, i int) Writer {
	l, at := a.Loading(), a.Site()
	var list []*script.AVP
	for _, v := range texts(a, i) {
		if !strings.HasPrefix(v.Text, "$avp(") {
			a.Errorf(i, "found %q, expected AVPs: $avp(a);$avp(b)", v.Text)
			return nil
		}
		avp := l.AVP(v)
		if avp == nil {
			return nil
		}
		list = append(list, avp)
	}
	return func(m *script.Machine, res *store.Result) int {
		to := list
		if len(to) == 0 {
			for c := range res.Columns {
				to = append(to, m.Program().AVP(strconv.Itoa(c+1)))
			}
		}
		for r := res.Len() - 1; r >= 0; r-- {
			for c, v := range res.Row(r)[:min(len(to), len(res.Columns))] {
				if to[c] == nil {
					continue // no route reads it
				}
				x := database.Value(m, v)
				if x.IsNull() {
					x = script.Text([]byte(nullText))
				}
				if !to[c].Add(m, x) {
					m.Say(at, script.LevelError, "the result has more rows than an AVP takes", "rows", res.Len())
					return -1
				}
			}
		}
		return 1
	}
}

// Row compiles the variables that the first row goes to: as many as it has
// columns. It is nil after an error.
func (d *Databases) Row(a *script.Args, i int) Writer {
	l, at := a.Loading(), a.Site()
	var list []script.Setter
	for _, v := range texts(a, i) {
		set := l.Setter(v)
		if set == nil {
			return nil
		}
		list = append(list, set)
	}
	return func(m *script.Machine, res *store.Result) int {
		if len(list) != len(res.Columns) {
			m.Say(at, script.LevelError, "the result has another number of columns than there are variables", "columns", len(res.Columns), "variables", len(list))
			return -1
		}
		for c, v := range res.Row(0) {
			list[c](m, database.Value(m, v))
		}
		return 1
	}
}
