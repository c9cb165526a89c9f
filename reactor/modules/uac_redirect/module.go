package uac_redirect

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"sipreactor/reactor/script"
)

// maxFilters bounds the filters that a message has been given of each kind.
const maxFilters = 6

type module struct {
	deny    bool // default_filter
	filters [2]*regexp.Regexp
	own     *script.Local // *own
}

// The kinds of filters.
const (
	denying = iota
	accepting
)

// own are the filters of one message.
type own struct {
	noDefault [2]bool
	added     [2][]*regexp.Regexp
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{}
	filter := func(name, help string, kind int) script.Parameter {
		return script.Parameter{Name: name, Type: script.StringParam, Help: help, Set: func(v script.Literal) (err error) {
			if m.filters[kind], err = regexp.Compile(v.Text); err != nil {
				return errors.New("is no regular expression: " + err.Error())
			}
			return nil
		}}
	}
	set := func(name, help string, kind int) script.Function {
		return script.Function{
			Name: name, Usage: name + `("expression", "reset_all|reset_default|reset_added|")`, Help: help,
			Args: []script.ArgKind{script.RegexArg, script.FixedArg}, Min: 1, Routes: script.Routes(script.FailureRoute), Build: m.set(kind),
		}
	}
	return &script.Module{
		Name: "uac_redirect", Help: "Sends requests to the contacts of 3xx responses.", Instance: m, Needs: []string{"tm"},
		Parameters: []script.Parameter{
			{Name: "default_filter", Type: script.StringParam, Default: "accept", Help: "What becomes of a contact that no filter is for: accept or deny.", Set: func(v script.Literal) error {
				if v.Text != "accept" && v.Text != "deny" {
					return errors.New("is accept or deny")
				}
				m.deny = v.Text == "deny"
				return nil
			}},
			filter("deny_filter", "Expression of contacts that are left out, where the others are accepted.", denying),
			filter("accept_filter", "Expression of contacts that are taken, where the others are denied.", accepting),
			{Name: "acc_function", Type: script.StringParam, Default: "acc_log_request", Help: "The function that accounts redirects.", Note: "redirects are not accounted one by one: the record of the call tells where it went"},
			{Name: "acc_db_table", Type: script.StringParam, Default: "acc", Help: "The table of accounted redirects.", Note: "redirects are not accounted one by one: the record of the call tells where it went"},
		},
		Functions: []script.Function{
			{
				Name: "get_redirects", Usage: `get_redirects("total[:branch]"[, "reason"])`,
				Help: "Has the request go to the contacts of the 3xx responses: so many in all, and of each branch; 0 or * is as many as there are. -1: there was none.",
				Args: []script.ArgKind{script.TextArg, script.TextArg}, Min: 1, Routes: script.Routes(script.FailureRoute), Build: m.get,
			},
			set("set_deny_filter", "Adds a filter of contacts that are left out, for this message.", denying),
			set("set_accept_filter", "Adds a filter of contacts that are taken, for this message.", accepting),
		},
		Check: func(l *script.Loading) { m.own = l.Local() },
	}
}

func (m *module) set(kind int) func(a *script.Args) script.Action {
	return func(a *script.Args) script.Action {
		re, at := a.Regex(0), a.Site()
		reset, _ := a.Fixed(1)
		if reset != "" && reset != "reset_all" && reset != "reset_default" && reset != "reset_added" {
			a.Errorf(1, "found %q, expected reset_all, reset_default, reset_added or nothing", reset)
			return nil
		}
		return func(x *script.Machine) int {
			r := re(x)
			if r == nil {
				return -1
			}
			o, _ := m.own.Get(x).(*own)
			if o == nil {
				o = &own{}
				m.own.Set(x, o)
			}
			if reset == "reset_all" || reset == "reset_default" {
				o.noDefault[kind] = true
			}
			if reset == "reset_all" || reset == "reset_added" {
				o.added[kind] = nil
			}
			if len(o.added[kind]) == maxFilters {
				return x.Fail(at, "there are 6 filters already")
			}
			o.added[kind] = append(o.added[kind], r)
			return 1
		}
	}
}

// takes reports whether a contact passes the filters.
func (m *module) takes(x *script.Machine, uri []byte) bool {
	o, _ := m.own.Get(x).(*own)
	match := func(kind int) bool {
		if re := m.filters[kind]; re != nil && (o == nil || !o.noDefault[kind]) && re.Match(uri) {
			return true
		}
		if o != nil {
			for _, re := range o.added[kind] {
				if re.Match(uri) {
					return true
				}
			}
		}
		return false
	}
	if m.deny {
		return match(accepting)
	}
	return !match(denying)
}

var errLimits = errors.New("total or total:branch, each a number or *")

// parseLimits reads total[:branch]; what is unlimited is 0.
func parseLimits(s string) (total, branch int, err error) {
	one := func(s string) int {
		if s = strings.TrimSpace(s); s == "*" {
			return 0
		}
		n, e := strconv.Atoi(s)
		if e != nil || n < 0 || n > 1<<16 {
			err = errLimits
		}
		return n
	}
	first, second, ok := strings.Cut(s, ":")
	if total = one(first); ok {
		branch = one(second)
	}
	return total, branch, err
}
