package regex

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"sync"
	"sync/atomic"

	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
	"sipreactor/tlsstate/regular"
)

// module is what the parameters say and what the file has.
type module struct {
	options
	file   string
	groups atomic.Pointer[[]*regexp.Regexp]
	known  sync.Map // expressions from variables, by text; bounded by kept
	kept   atomic.Int64
}

// maxKnown bounds the expressions from variables that are kept.
const maxKnown = 4096

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{options: options{maxGroups: 20, maxSize: 8192}}
	return &script.Module{
		Name: "regex",
		Help: "Matches texts with expressions and with groups of them from a file.",
		Parameters: []script.Parameter{
			{Name: "file", Type: script.StringParam, Help: "The file of the groups.", Set: script.Into(&m.file)},
			{Name: "max_groups", Type: script.IntParam, Min: 1, Max: 10000, Unit: "groups", Default: "20", Help: "How many groups the file may have.", Set: script.Into(&m.maxGroups)},
			{Name: "group_max_size", Type: script.IntParam, Min: 1, Max: 1 << 24, Unit: "bytes", Default: "8192", Help: "How large a group may be.", Set: script.Into(&m.maxSize)},
			{Name: "pcre_caseless", Type: script.BoolParam, Default: "0", Help: "Matches without regard to case.", Set: script.Into(&m.caseless)},
			{Name: "pcre_multiline", Type: script.BoolParam, Default: "0", Help: "Has ^ and $ match at line ends.", Set: script.Into(&m.multiline)},
			{Name: "pcre_dotall", Type: script.BoolParam, Default: "0", Help: "Has a dot match line ends.", Set: script.Into(&m.dotAll)},
			{Name: "pcre_extended", Type: script.BoolParam, Default: "0", Help: "Ignores blanks and comments in expressions.", Set: script.Into(&m.extended)},
		},
		Functions: []script.Function{
			{Name: "pcre_match", Usage: `pcre_match("text", "expression"[, $var(match)])`, Help: "Reports whether the text matches; the variable gets what of it does.",
				Args: []script.ArgKind{script.TextArg, script.TextArg, script.SetArg}, Min: 2, Routes: script.Anywhere, Build: m.match},
			{Name: "pcre_match_group", Usage: `pcre_match_group("text"[, group])`, Help: "Reports whether the text matches a group of the file, the first one unless another is named.",
				Args: []script.ArgKind{script.TextArg, script.IntArg}, Min: 1, Routes: script.Anywhere, Build: m.matchGroup},
		},
		Commands: []rpc.Command{
			{Name: "regex_reload", Aliases: []string{"regex:reload"}, Help: "Reads the file again.", Func: m.reload},
			{Name: "regex_match", Aliases: []string{"regex:match"}, Help: "Matches a text with an expression.", Params: []rpc.Param{{Name: "string"}, {Name: "pcre_regex"}}, Func: m.tryMatch},
			{Name: "regex_match_group", Aliases: []string{"regex:match_group"}, Help: "Matches a text with a group.", Params: []rpc.Param{{Name: "string"}, {Name: "group", Kind: rpc.Integer}}, Func: m.tryGroup},
		},
		Check: m.check,
	}
}

func (m *module) check(l *script.Loading) {
	if m.file == "" {
		return
	}
	if err := m.read(); err != nil {
		l.Errorf(l.Place("file"), "file %s cannot be used: %w", m.file, err)
	}
}

func (m *module) read() error {
	b, err := regular.Read(m.file)
	if err != nil {
		var named *os.PathError
		if errors.As(err, &named) {
			err = named.Err
		}
		return err
	}
	groups, err := parseGroups(b, &m.options)
	if err == nil {
		m.groups.Store(&groups)
	}
	return err
}

// group returns a group, nil if there is none of the number.
func (m *module) group(n int64) *regexp.Regexp {
	groups := m.groups.Load()
	if groups == nil || n < 0 || n >= int64(len(*groups)) {
		return nil
	}
	return (*groups)[n]
}

// expression compiles an expression that comes from a variable, once.
func (m *module) expression(text []byte) (*regexp.Regexp, error) {
	if re, ok := m.known.Load(string(text)); ok {
		return re.(*regexp.Regexp), nil
	}
	re, err := m.compile(string(text))
	if err == nil && m.kept.Add(1) <= maxKnown {
		m.known.Store(string(text), re)
	}
	return re, err
}

func (m *module) match(a *script.Args) script.Action {
	text, expression, set, at := a.Text(0), a.Text(1), a.Setter(2), a.Site()
	fixed := (*regexp.Regexp)(nil)
	if s, ok := a.Fixed(1); ok {
		re, err := m.compile(s)
		if err != nil {
			a.Errorf(1, "%q is no regular expression: %v", s, err)
			return nil
		}
		fixed = re
	}
	return func(x *script.Machine) int {
		s, ok := text(x)
		re := fixed
		if ok && re == nil {
			var err error
			e, given := expression(x)
			if !given {
				return x.Fail(at, "the expression is NULL")
			}
			if re, err = m.expression(e); err != nil {
				return x.Reported(at, err)
			}
		}
		if !ok {
			return -1
		}
		found := re.FindIndex(s)
		if set != nil {
			v := script.Value{}
			if found != nil {
				v = script.Text(x.Keep(s[found[0]:found[1]]))
			}
			set(x, v)
		}
		return script.Yes(found != nil)
	}
}

func (m *module) matchGroup(a *script.Args) script.Action {
	if m.file == "" {
		a.Errorf(-1, `there is no file of groups: modparam("regex", "file", "/path")`)
		return nil
	}
	text, number, given, at := a.Text(0), a.Int(1), a.Given(1), a.Site()
	return func(x *script.Machine) int {
		s, ok := text(x)
		n := int64(0)
		if ok && given {
			n, ok = number(x)
		}
		if !ok {
			return -1
		}
		re := m.group(n)
		if re == nil {
			return x.Fail(at, fmt.Sprintf("there is no group %d", n))
		}
		return script.Yes(re.Match(s))
	}
}

func (m *module) reload(context.Context, *rpc.Args) (any, error) {
	if m.file == "" {
		return nil, errors.New("there is no file of groups")
	}
	if err := m.read(); err != nil {
		return nil, err
	}
	return "OK", nil
}

func said(match bool) string {
	if match {
		return "Match"
	}
	return "Not Match"
}

func (m *module) tryMatch(_ context.Context, a *rpc.Args) (any, error) {
	re, err := m.compile(a.Text("pcre_regex"))
	if err != nil {
		return nil, &rpc.Error{Code: 400, Message: "no regular expression", Data: err.Error()}
	}
	return said(re.MatchString(a.Text("string"))), nil
}

func (m *module) tryGroup(_ context.Context, a *rpc.Args) (any, error) {
	re := m.group(int64(a.Int("group")))
	if re == nil {
		return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "Group not found"}
	}
	return said(re.MatchString(a.Text("string"))), nil
}
