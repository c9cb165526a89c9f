package domain

import (
	"context"
	"maps"
	"slices"
	"strings"

	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
)

func (m *module) functions() []script.Function {
	variable := func(name string) func(a *script.Args) (func(*script.Machine) string, int) {
		return func(a *script.Args) (func(*script.Machine) string, int) {
			get := a.Variable(name)
			return func(x *script.Machine) string { return string(x.Text(get(x))) }, 0
		}
	}
	given := func(a *script.Args) (func(*script.Machine) string, int) {
		get := a.Text(0)
		return func(x *script.Machine) string {
			b, _ := get(x)
			return string(b)
		}, 1
	}
	const codes = " It puts what the table tells of it into the variable. -1: it is not, or the database did not say."
	return []script.Function{
		{
			Name: "is_from_local", Usage: `is_from_local([$var(attrs)])`, Help: "Reports whether the domain of From is ours." + codes,
			Args: []script.ArgKind{script.SetArg}, Routes: script.Messages, Async: true, Build: m.local(variable("$fd")),
		},
		{
			Name: "is_uri_host_local", Usage: `is_uri_host_local([$var(attrs)])`, Help: "Reports whether the domain of the Request-URI is ours." + codes,
			Args: []script.ArgKind{script.SetArg}, Routes: script.Requests, Async: true, Build: m.local(variable("$rd")),
		},
		{
			Name: "is_domain_local", Usage: `is_domain_local("domain"[, $var(attrs)])`, Help: "Reports whether a domain is ours." + codes,
			Args: []script.ArgKind{script.TextArg, script.SetArg}, Min: 1, Routes: script.Anywhere, Async: true, Build: m.local(given),
		},
	}
}

// local compiles a question. of gives what tells the domain, and the number of the
// argument with the variable.
func (m *module) local(of func(a *script.Args) (func(*script.Machine) string, int)) func(*script.Args) script.Action {
	return func(a *script.Args) script.Action {
		name, i := of(a)
		set, at := a.Setter(i), a.Site()
		return func(x *script.Machine) int {
			domain := strings.ToLower(name(x))
			if domain == "" {
				return -1
			}
			e, ok := m.find(x, at, domain)
			if ok && set != nil {
				v := script.Value{}
				if e.hasAttrs {
					v = script.Text(x.KeepString(e.attrs))
				}
				set(x, v)
			}
			return script.Yes(ok)
		}
	}
}

func (m *module) find(x *script.Machine, at *script.Site, domain string) (e entry, ok bool) {
	if m.all != nil {
		return m.all.Get().find(domain)
	}
	if !database.Ask(x, at, func() (err error) { e, ok, err = m.ask(context.Background(), domain); return err }) {
		return entry{}, false
	}
	return e, ok
}

func (m *module) commands() []rpc.Command {
	return []rpc.Command{
		{
			Name: "domain_reload", Aliases: []string{"domain:reload"}, Help: "Reads the domains again: all of them, or none after an error.",
			Func: func(ctx context.Context, _ *rpc.Args) (any, error) {
				if m.all == nil {
					return nil, errNotCached
				}
				return "OK", m.all.Reload(ctx)
			},
		},
		{
			Name: "domain_dump", Aliases: []string{"domain:dump"}, Help: "Lists the domains that are in memory.",
			Func: func(context.Context, *rpc.Args) (any, error) {
				if m.all == nil {
					return nil, errNotCached
				}
				all := *m.all.Get()
				list := []map[string]any{}
				for _, name := range slices.Sorted(maps.Keys(all)) {
					d := map[string]any{"name": name, "accept_subdomain": all[name].subdomains}
					if all[name].hasAttrs {
						d["attributes"] = all[name].attrs
					}
					list = append(list, d)
				}
				return map[string]any{"Domains": list}, nil
			},
		},
	}
}

var errNotCached = rpc.Failed("the domains are not in memory: db_mode is 0", nil)
