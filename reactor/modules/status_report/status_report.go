// Package status_report is OpenSIPS' module status_report: the script tells how ready
// something of its own is, and what it did last, as parts of the program do.
package status_report

import (
	"errors"
	"slices"
	"strings"

	"sipreactor/reactor/script"
	"sipreactor/reactor/statusreport"
)

// maxReports is how many reports of a group are kept.
const maxReports = 200

// module is the module in one configuration.
type module struct {
	names  []string
	groups map[string]*statusreport.Identifier // while it runs
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{}
	return &script.Module{
		Name: "status_report", Help: "Status and reports of groups of the script's own.", Instance: m,
		Parameters: []script.Parameter{{Name: "script_sr_group", Type: script.StringParam, Set: m.setGroup,
			Help: "A group that the script tells of; it may be given several times."}},
		Functions: []script.Function{
			{
				Name: "sr_set_status", Usage: `sr_set_status("group", status[, "details"])`,
				Help: "Sets the status of a group of the script's: above 0 it is ready, below it is not; 0 is taken as 1.",
				Args: []script.ArgKind{script.TextArg, script.IntArg, script.TextArg}, Min: 2, Routes: script.Anywhere, Build: m.status,
			},
			{
				Name: "sr_add_report", Usage: `sr_add_report("group", "report")`, Help: "Adds a report to a group of the script's; the oldest of 200 makes room.",
				Args: []script.ArgKind{script.TextArg, script.TextArg}, Min: 2, Routes: script.Anywhere, Build: m.report,
			},
		},
		Start: m.start,
	}
}

func (m *module) setGroup(v script.Literal) error {
	if v.Text == "" {
		return errors.New("is empty")
	}
	if !slices.Contains(m.names, v.Text) {
		m.names = append(m.names, v.Text)
	}
	return nil
}

// start makes the groups, or goes on with those that are there.
func (m *module) start(e *script.Env) error {
	m.groups = make(map[string]*statusreport.Identifier, len(m.names))
	for _, n := range m.names {
		m.groups[n] = e.Reports.Identifier(n, statusreport.Main, maxReports)
	}
	return nil
}

// of compiles what is done with the group that the first argument names.
func (m *module) of(a *script.Args, do func(x *script.Machine, group *statusreport.Identifier) int) script.Action {
	if name, fixed := a.Fixed(0); fixed && !slices.Contains(m.names, name) {
		a.Errorf(0, "there is no group %q; script_sr_group declares: %s", name, strings.Join(m.names, ", "))
		return nil
	}
	text, at := a.Text(0), a.Site()
	return func(x *script.Machine) int {
		name, _ := text(x)
		group, ok := m.groups[string(name)]
		if !ok {
			return x.Fail(at, "there is no such group")
		}
		return do(x, group)
	}
}

func (m *module) status(a *script.Args) script.Action {
	code, details, at := a.Int(1), a.Text(2), a.Site()
	return m.of(a, func(x *script.Machine, group *statusreport.Identifier) int {
		n, ok := code(x)
		if !ok || n < -1<<31 || n >= 1<<31 {
			return x.Fail(at, "a status is a number")
		}
		if n == 0 {
			n = 1
		}
		why, _ := details(x)
		group.Set(int(n), string(why))
		return 1
	})
}

func (m *module) report(a *script.Args) script.Action {
	text := a.Text(1)
	return m.of(a, func(x *script.Machine, group *statusreport.Identifier) int {
		line, _ := text(x)
		group.Reportf("%s", line)
		return 1
	})
}
