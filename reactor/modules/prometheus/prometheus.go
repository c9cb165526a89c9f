// Package prometheus is OpenSIPS' module prometheus: statistics under names as
// OpenSIPS makes them, beside the metrics that the program gives anyway. The program
// serves them by httpd; here is what a configuration says of it.
package prometheus

import (
	"errors"
	"slices"
	"strings"

	"sipreactor/reactor/modules/mi_http"
	"sipreactor/reactor/script"
)

const (
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
	path    = letters + "-/"
)

// fromScript is what does the work of a route that is asked for statistics.
const fromScript = "a script adds statistics by update_stat() of the module statistics"

// taken begin the names of metrics that are given anyway.
var taken = []string{"sipreactor", "go", "process", "promhttp"}

// New makes the module for a configuration. Its Instance is a *Config.
func New(*script.Config) *script.Module {
	p := &Config{Root: "metrics", Prefix: "opensips", Delimiter: "_", GroupLabel: "group"}
	word := func(name, value, help string, to *string) script.Parameter {
		return script.Parameter{Name: name, Type: script.StringParam, Default: value, Restart: true, Help: help, Set: func(v script.Literal) error {
			if strings.Trim(v.Text, letters) != "" {
				return errors.New("has letters, digits and _ only")
			}
			*to = v.Text
			return nil
		}}
	}
	return &script.Module{
		Name:     "prometheus",
		AtStart:  true,
		Instance: p,
		Help:     "Gives statistics to Prometheus under OpenSIPS' names, by httpd.",
		Parameters: []script.Parameter{
			{Name: "root", Type: script.StringParam, Default: p.Root, Restart: true, Help: "The path, without the slash.", Set: func(v script.Literal) error {
				s := strings.Trim(v.Text, "/")
				if s == "" || strings.Trim(s, path) != "" || strings.Contains(s, "//") {
					return errors.New("is a path of letters, digits, - and _")
				}
				p.Root = s
				return nil
			}},
			{Name: "prefix", Type: script.StringParam, Default: p.Prefix, Restart: true, Help: "What each name begins with.", Set: func(v script.Literal) error {
				if !isName(v.Text) {
					return errors.New("is a name of letters, digits and _")
				}
				if slices.Contains(taken, v.Text) {
					return errors.New("is taken by metrics that are always given; others than " + strings.Join(taken, ", ") + " are free")
				}
				p.Prefix = v.Text
				return nil
			}},
			word("group_prefix", "", "What the name of a group begins with.", &p.GroupPrefix),
			word("delimiter", p.Delimiter, "What stands between the parts of a name.", &p.Delimiter),
			{Name: "group_label", Type: script.StringParam, Default: p.GroupLabel, Restart: true, Help: "The label of the group, for group_mode 2.", Set: func(v script.Literal) error {
				if !isName(v.Text) {
					return errors.New("is a name of letters, digits and _")
				}
				p.GroupLabel = v.Text
				return nil
			}},
			{Name: "group_mode", Type: script.IntParam, Max: 2, Default: "0", Restart: true, Help: "Where the group stands: 0 nowhere, 1 in the name, 2 in a label.", Set: func(v script.Literal) error {
				p.GroupMode = GroupMode(v.Int)
				return nil
			}},
			{Name: "statistics", Type: script.StringParam, Restart: true, Help: "Which statistics: names, group:, group:name or all, with spaces between them.", Set: func(v script.Literal) error {
				for _, name := range strings.Fields(v.Text) {
					if !slices.Contains(p.Statistics, name) {
						p.Statistics = append(p.Statistics, name)
					}
				}
				return nil
			}},
		},
		Lacks: []script.Lack{
			{Kind: script.LacksParameter, Names: "labels", Why: "what is counted has its labels in the metrics of this program, which are always given"},
			{Kind: script.LacksParameter, Names: "script_route", Why: fromScript},
			{Kind: script.LacksFunction, Names: "prometheus_declare_stat prometheus_push_stat", Why: fromScript},
		},
		Check: func(l *script.Loading) {
			switch {
			case l.Partial():
			case !l.Loaded("httpd"):
				l.Errorf(l.Place(""), `prometheus answers by the module httpd, which is not loaded: loadmodule "httpd.so"`)
			case underManagement(l, p.Root):
				l.Errorf(l.Place("root"), "/%s is where mi_http answers", p.Root)
			}
		},
	}
}

// underManagement reports whether mi_http answers at a path.
func underManagement(l *script.Loading, root string) bool {
	other, ok := l.Instance("mi_http").(*mi_http.Config)
	return ok && strings.Trim(other.Root, "/") == root
}

func isName(s string) bool {
	return s != "" && strings.Trim(s, letters) == "" && (s[0] < '0' || s[0] > '9')
}
