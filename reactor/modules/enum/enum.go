// Package enum is OpenSIPS' module enum: telephone numbers are looked for in DNS (RFC 6116), and
// the URIs found take the place of the Request-URI and become branches. ISN numbers
// (digits*ITAD) and the infrastructure tree are looked for alike. The message waits for DNS.
package enum

import (
	"context"
	"fmt"
	"time"

	"github.com/miekg/dns"

	"sipreactor/reactor/names"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

type module struct {
	suffix, infrastructure, isn string // trees
	label, algorithm            string // where the infrastructure tree branches off
	params                      string // of each URI that is found
	config                      *script.Config
	dns                         resolver
}

// resolver asks DNS for records of one type; it may block.
type resolver interface {
	Records(ctx context.Context, name string, kind uint16) ([]dns.RR, error)
}

// New makes the module for a configuration.
func New(c *script.Config) *script.Module {
	m := &module{suffix: "e164.arpa.", infrastructure: "e164.arpa.", isn: "freenum.org.", label: "i", algorithm: "cc", config: c}
	tree := func(name, help string, to *string) script.Parameter {
		return script.Parameter{Name: name, Type: script.StringParam, Default: *to, Help: help, Set: func(v script.Literal) error {
			if _, ok := dns.IsDomainName(v.Text); !ok || v.Text == "" {
				return fmt.Errorf("is no domain name: %q", v.Text)
			}
			*to = v.Text
			return nil
		}}
	}
	function := func(name, usage, help string, args int, build func(*script.Args) script.Action) script.Function {
		return script.Function{Name: name, Usage: name + usage, Help: help + " -1: none, or an error.", Args: []script.ArgKind{script.TextArg, script.TextArg, script.TextArg}[:args],
			Routes: script.Requests, Async: true, Build: build}
	}
	return &script.Module{
		Name: "enum", Help: "Telephone numbers in DNS (ENUM).", Instance: m,
		Parameters: []script.Parameter{
			tree("domain_suffix", "The tree of enum_query() and is_from_user_enum().", &m.suffix),
			tree("i_enum_suffix", "The tree of i_enum_query().", &m.infrastructure),
			tree("isn_suffix", "The tree of isn_query().", &m.isn),
			{Name: "tel_uri_params", Type: script.StringParam, Help: "Parameters that each URI gets: \";npdi\".", Set: m.setParams},
			tree("branchlabel", "The label with which the infrastructure tree branches off.", &m.label),
			{Name: "bl_algorithm", Type: script.StringParam, Default: m.algorithm, Help: "Where it does: cc behind the country code, txt and ebl as a TXT or EBL record there says.", Set: m.setAlgorithm},
		},
		Functions: []script.Function{
			function("enum_query", `(["suffix"[, "service"[, "number"]]])`, `Looks for the number that is the Request-URI's user, or the one given, and puts the URIs found in its place. "voice" is for records of e2u+voice:sip, "+sip+video:sip" for one of several services.`, 3, m.query(m.number)),
			function("i_enum_query", `(["suffix"[, "service"]])`, "The same in the infrastructure tree.", 2, m.query(m.carrier)),
			function("isn_query", `(["suffix"[, "service"]])`, "The same for a user such as 56*1212.", 2, m.query(m.subscriber)),
			function("is_from_user_enum", `(["suffix"[, "service"]])`, "Reports whether the number that is From's user is found.", 2, m.isFrom),
		},
		Start: func(*script.Env) error {
			m.dns = names.New(m.config.DNS)
			return nil
		},
	}
}

func (m *module) setParams(v script.Literal) error {
	var u sipframe.URI
	if v.Text != "" && v.Text[0] != ';' || sipframe.ParseURI([]byte("sip:x@y"+v.Text), &u) != nil {
		return fmt.Errorf("is ;name=value, and what more parameters there are: found %q", v.Text)
	}
	m.params = v.Text
	return nil
}

func (m *module) setAlgorithm(v script.Literal) error {
	switch v.Text {
	case "cc", "txt", "ebl":
		m.algorithm = v.Text
		return nil
	}
	return fmt.Errorf("is cc, txt or ebl: found %q", v.Text)
}

// name makes the domain name of a number, and "" if it is none; suffix is "" for the default. It may block.
type name func(ctx context.Context, number, suffix string) string

// patience bounds the questions of one call.
const patience = 10 * time.Second

// find asks for the URIs of a number; user is what their expressions are applied to.
func (m *module) find(x *script.Machine, at *script.Site, name name, number, user, suffix, service string) []target {
	var list []dns.RR
	err := error(nil)
	if !x.Wait(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if domain := name(ctx, number, suffix); domain != "" {
			list, err = m.dns.Records(ctx, domain, dns.TypeNAPTR)
		}
	}) {
		x.Say(at, script.LevelError, "DNS is not asked: too many messages wait")
		return nil
	}
	if err != nil {
		x.Say(at, script.LevelError, "DNS failed", "error", err)
		return nil
	}
	return targets(list, user, service, m.params)
}

// query builds a function that looks for the Request-URI's user.
func (m *module) query(how name) func(*script.Args) script.Action {
	return func(a *script.Args) script.Action {
		suffix, service, at := a.Text(0), a.Text(1), a.Site()
		number := func(*script.Machine) ([]byte, bool) { return nil, false }
		if a.Name() == "enum_query" {
			number = a.Text(2)
		}
		return func(x *script.Machine) int {
			uri, u := x.RequestURI()
			if u == nil {
				return -1
			}
			user := string(u.User.In(uri))
			what := user
			if n, ok := number(x); ok {
				what = string(n)
			}
			tree, _ := suffix(x)
			kind, _ := service(x)
			list := m.find(x, at, how, what, user, string(tree), string(kind))
			if len(list) == 0 {
				return -1
			}
			c := x.Context()
			if err := c.SetRequestURI([]byte(list[0].uri)); err != nil {
				return x.Reported(at, err)
			}
			c.Branch(0).SetQ(list[0].q)
			for _, t := range list[1:] {
				b, err := c.AppendBranch([]byte(t.uri), false)
				if err != nil {
					return x.Reported(at, err)
				}
				b.SetQ(t.q)
			}
			return 1
		}
	}
}

func (m *module) isFrom(a *script.Args) script.Action {
	suffix, service, user, at := a.Text(0), a.Text(1), a.Variable("$fU"), a.Site()
	return func(x *script.Machine) int {
		who := string(x.Text(user(x)))
		tree, _ := suffix(x)
		kind, _ := service(x)
		return script.Yes(len(m.find(x, at, m.number, who, who, string(tree), string(kind))) > 0)
	}
}
