// Package statistics is OpenSIPS' module statistics: numbers that the routing
// script counts with.
package statistics

import (
	"errors"
	"slices"
	"strings"

	"sipreactor/reactor/script"
)

const windows = "who reads statistics makes averages and shares of a time of them, as Prometheus does by rate()"

// settings is what the parameters say, in the order of the file.
type settings struct {
	groups    []string   // stat_groups
	variables []variable // variable
}

// variable is name[/no_reset].
type variable struct {
	at      script.Pos
	name    string
	noReset bool
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	var s settings
	all := new(iterators)
	return &script.Module{
		Name: "statistics",
		Help: "Counts with numbers of the script's own, and reads those of the program.",
		Parameters: []script.Parameter{
			{Name: "variable", Type: script.StringParam, Help: "A statistic that is there from the start: [group:]name, or that with /no_reset.", Set: func(v script.Literal) error {
				name, flag, flagged := strings.Cut(v.Text, "/")
				if flagged && flag != "no_reset" {
					return errors.New("is name or name/no_reset; " + script.Clip(flag) + " is no flag")
				}
				s.variables = append(s.variables, variable{at: v.At, name: name, noReset: flagged})
				return nil
			}},
			{Name: "stat_groups", Type: script.StringParam, Help: "The groups that the script counts in besides dynamic, a comma list.", Set: func(v script.Literal) error { return s.count(v.Text) }},
		},
		Functions: []script.Function{
			{Name: "update_stat", Usage: `update_stat("[group:]name", number)`, Help: "Counts by the number, which may be below 0. A statistic that there is not is made.",
				Args: []script.ArgKind{script.TextArg, script.IntArg}, Min: 2, Routes: script.Anywhere, Build: script.UpdateStatistic},
			{Name: "reset_stat", Usage: `reset_stat("[group:]name")`, Help: "Sets a statistic, of the script or of the program, to 0.",
				Args: []script.ArgKind{script.TextArg}, Min: 1, Routes: script.Anywhere, Build: script.ResetStatistic},
			{Name: "stat_iter_init", Usage: `stat_iter_init("group", "iterator")`, Help: "Has an iterator begin with the first statistic of a group, of the script or of the program. An iterator is the message's own.",
				Args: []script.ArgKind{script.TextArg, script.TextArg}, Min: 2, Routes: script.Anywhere, Build: all.begin},
			{Name: "stat_iter_next", Usage: `stat_iter_next($var(name), $var(value), "iterator")`, Help: "Gives the next statistic of an iterator. -1: there is none.",
				Args: []script.ArgKind{script.SetArg, script.SetArg, script.TextArg}, Min: 3, Routes: script.Anywhere, Build: all.next},
		},
		Lacks: []script.Lack{
			{Kind: script.LacksParameter, Names: "stat_series_profile", Why: windows},
			{Kind: script.LacksFunction, Names: "update_stat_series", Why: windows},
		},
		Variables: []script.Variable{
			{Name: "stat", Inner: script.AnyInner, Help: "A statistic of the script or of the program, NULL if there is none; 0 can be assigned to it.", Get: script.StatisticValue, Set: script.ResetByAssignment},
		},
		Check: func(l *script.Loading) {
			all.begun = l.Local()
			for _, g := range s.groups {
				l.DeclareGroup(g)
			}
			for _, v := range s.variables {
				l.DeclareStatistic(v.at, v.name, v.noReset)
			}
		},
	}
}

// count reads stat_groups.
func (s *settings) count(list string) error {
	for g := range strings.SplitSeq(list, ",") {
		g = strings.TrimSpace(g)
		if g == "" || strings.ContainsAny(g, ": \t$") {
			return errors.New("is a comma list of names; " + script.Clip(g) + " is none")
		}
		if slices.Contains(script.ProgramGroups, g) {
			return errors.New("names " + g + ", in which this program counts itself: " + strings.Join(script.ProgramGroups, ", "))
		}
		s.groups = append(s.groups, g)
	}
	return nil
}
