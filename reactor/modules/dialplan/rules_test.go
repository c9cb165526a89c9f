package dialplan

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func made(t testing.TB, rows ...row) *plans {
	t.Helper()
	all := new(plans)
	for i := range rows {
		if rows[i].id == 0 {
			rows[i].id = int64(i + 1)
		}
		r, wrong := rows[i].compile()
		if wrong != nil {
			t.Fatalf("row %d: %+v", i, *wrong)
		}
		all.add(&rows[i], r)
	}
	all.sort()
	return all
}

func subst(match, subst, repl string) row {
	return row{regex: true, match: match, subst: subst, hasSubst: subst != "", repl: repl, hasReplace: repl != ""}
}

// The documentation's examples, and the corners of them.
func TestTranslate(t *testing.T) {
	for _, tc := range []struct {
		name  string
		rules []row
		input string
		want  string // output|attributes, "-" none
	}{
		{"subst", []row{subst(`^(0040|\+40|0|40)21[0-9]+`, `^(0040|\+40|0|40)(.+)`, `40\2`)}, "0040211234567", "40211234567|"},
		{"subst, local", []row{subst(`^(0040|\+40|0|40)21[0-9]+`, `^(0040|\+40|0|40)(.+)`, `40\2`)}, "0211234567", "40211234567|"},
		{"replacement", []row{{regex: true, match: "^((Germany)|(Germania)|(Deutschland)|(DE))", repl: "DE", hasReplace: true}}, "Deutschland", "DE|"},
		{"detection", []row{{regex: true, match: "^021456[0-9]{5}", attrs: "serviceX"}}, "02145612345", "|serviceX"},
		{"equal", []row{{match: "SIP server", repl: "OpenSIPS", hasReplace: true}}, "SIP server", "OpenSIPS|"},
		{"equal, another case", []row{{match: "SIP server", repl: "OpenSIPS", hasReplace: true}}, "sip SERVER", "-"},
		{"equal without case", []row{{match: "SIP server", fold: true, repl: "OpenSIPS", hasReplace: true}}, "sip SERVER", "OpenSIPS|"},
		{"expression with case", []row{{regex: true, match: "^abc", attrs: "x"}}, "ABC", "-"},
		{"expression without case", []row{{regex: true, match: "^abc", fold: true, attrs: "x"}}, "ABC", "|x"},
		{"not anchored", []row{{regex: true, match: "55", attrs: "x"}}, "1553", "|x"},
		{"a subst_exp that does not match", []row{subst("^1", "^2", "x")}, "1", "-"},
		{"the whole match", []row{subst("^1", "2.", `<\0>\\`)}, "1234", `<23>\|`},
		{"a group that matched nothing", []row{subst("^1", "^1(2)?(3)", `a\1b\2`)}, "13", "ab3|"},
		{"nothing", []row{{match: "a"}}, "b", "-"},
	} {
		all := made(t, tc.rules...)
		got := "-"
		if r := all.find(0, tc.input, time.Now()); r != nil {
			if out, ok := r.apply(nil, tc.input); ok {
				got = string(out) + "|" + r.attrs
			}
		}
		if got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

// Of the rules that match the smallest priority wins, whatever their kind, then the
// smallest id; and only at its times.
func TestPriority(t *testing.T) {
	all := made(t,
		row{id: 7, priority: 2, match: "123", attrs: "equal 2"},
		row{id: 6, priority: 1, regex: true, match: "^1", attrs: "regex 1"},
		row{id: 5, priority: 3, regex: true, match: "^12", attrs: "regex 3"},
		row{id: 9, plan: 1, priority: 1, regex: true, match: "^1", attrs: "regex 9"},
		row{id: 8, plan: 1, priority: 1, match: "123", attrs: "equal 8"},
		row{id: 10, plan: 1, priority: 1, match: "123", attrs: "equal 10"},
		row{id: 11, plan: 2, priority: 1, match: "123", times: "20200101T000000|20210101T000000", attrs: "over"},
		row{id: 12, plan: 2, priority: 2, match: "123", fold: true, attrs: "always"},
	)
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		plan  int64
		input string
		want  string
	}{{0, "123", "regex 1"}, {0, "124", "regex 1"}, {1, "123", "equal 8"}, {1, "19", "regex 9"}, {2, "123", "always"}, {3, "123", ""}} {
		got := ""
		if r := all.find(tc.plan, tc.input, now); r != nil {
			got = r.attrs
		}
		if got != tc.want {
			t.Errorf("%d %s: %s, want %s", tc.plan, tc.input, got, tc.want)
		}
	}
}

// What cannot be had is told with its column.
func TestRowErrors(t *testing.T) {
	for _, tc := range []struct {
		row    row
		column int
		want   string
	}{
		{subst(`(a)\1`, "", ""), colMatch, "is no regular expression that can be used here"},
		{subst(`a(?=b)`, "", ""), colMatch, "invalid or unsupported Perl syntax"},
		{subst(`(`, "", ""), colMatch, "missing closing )"},
		{subst("a", `(?<!a)b`, "x"), colSubst, "is no regular expression"},
		{subst("a", "(a)", `\2`), colReplace, "refers to group 2, and subst_exp has 1"},
		{subst("a", "", `\1`), colReplace, "subst_exp has 0"},
		{subst("a", "", "$rU"), colReplace, "has a variable"},
		{row{match: "a", times: "never"}, colTimes, ""},
	} {
		_, wrong := tc.row.compile()
		if wrong == nil || wrong.column != tc.column || !strings.Contains(wrong.text, tc.want) {
			t.Errorf("%+v: %+v, want %s", tc.row, wrong, tc.want)
		}
	}
}

// BenchmarkTranslate is a number among ten thousand equal ones, and by the last of
// twenty expressions.
func BenchmarkTranslate(b *testing.B) {
	var rows []row
	for i := range 10000 {
		rows = append(rows, row{priority: 1, match: fmt.Sprint(490000000 + i), attrs: "x"})
	}
	for i := range 20 {
		rows = append(rows, row{plan: 1, priority: int64(i), regex: true, match: fmt.Sprintf("^00%02d[0-9]+$", i), attrs: "x"})
	}
	all := made(b, rows...)
	now := time.Now()
	for name, q := range map[string]struct {
		plan  int64
		input string
	}{"equal": {0, "490005000"}, "regex": {1, "001912345678"}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if all.find(q.plan, q.input, now) == nil {
					b.Fatal("nothing")
				}
			}
		})
	}
}
