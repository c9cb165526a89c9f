package pike

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"sipreactor/reactor/proxy"
	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
)

// eventBlocked is raised when an address is blocked.
const eventBlocked = "E_PIKE_BLOCKED"

type module struct {
	unit    time.Duration
	density int
	keep    time.Duration
	level   script.LogLevel
	check   script.Literal // check_route
	route   *script.Routine
	table   *table
	env     *script.Env
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{unit: 2 * time.Second, density: 30, keep: 120 * time.Second, level: script.LevelWarn}
	return &script.Module{
		Name:     "pike",
		Help:     "Tells which addresses send too much.",
		Instance: m,
		Parameters: []script.Parameter{
			{Name: "sampling_time_unit", Type: script.IntParam, Min: 1, Max: 3600, Unit: "seconds", Default: "2", Help: "The time in which requests are counted.", Set: script.Seconds(&m.unit)},
			{Name: "reqs_density_per_unit", Type: script.IntParam, Min: 1, Max: 1 << 30, Unit: "requests", Default: "30", Help: "How many an address may send in that time.", Set: script.Into(&m.density)},
			{Name: "remove_latency", Type: script.IntParam, Min: 1, Max: 1 << 30, Unit: "seconds", Default: "120", Help: "How long an address is remembered.", Set: script.Seconds(&m.keep)},
			{Name: "check_route", Type: script.StringParam, Help: "The route that is asked, for every message, whether its source is counted: not, if it ends with drop.",
				Set: func(v script.Literal) error { m.check = v; return nil }},
			{Name: "pike_log_level", Type: script.IntParam, Min: -3, Max: 4, Default: "1", Help: "The level of the line about an address that is blocked, or free again.",
				Set: func(v script.Literal) error { m.level = script.LogLevel(v.Int); return nil }},
		},
		Functions: []script.Function{{
			Name: "pike_check_req", Usage: "pike_check_req()", Help: "Counts the request: 1, -2 if its source is blocked from now on, -1 if it was blocked.",
			Routes: script.Requests, Build: m.build,
		}},
		Commands: []rpc.Command{
			{Name: "pike_list", Aliases: []string{"pike:list"}, Help: "Lists the addresses that are counted, the blocked ones first.", Func: m.list},
			{Name: "pike_rm", Aliases: []string{"pike:rm"}, Help: "Forgets an address.", Params: []rpc.Param{{Name: "IP"}}, Func: m.remove},
		},
		Events: []script.Event{{Name: eventBlocked, Help: "An address is blocked.", Params: []string{"ip"}}},
		Wrap:   m.wrap,
		Check: func(l *script.Loading) {
			m.table = newTable(m.unit, m.density, m.keep)
			if m.check.Text != "" {
				m.route = l.Route(script.RequestRoute, m.check)
			}
		},
		Start: func(e *script.Env) error {
			if old, ok := e.Previous.(*module); ok && old.unit == m.unit {
				m.table.take(old.table)
			}
			m.env = e
			e.Every(m.unit, func(context.Context) {
				for _, a := range m.table.clean(time.Now()) {
					m.env.Log.Log(context.Background(), m.level.Slog(), "pike: an address is free again", "ip", a.String())
				}
			})
			return nil
		},
	}
}

// count counts a message of an address.
func (m *module) count(a netip.Addr) verdict {
	v := m.table.check(a, time.Now())
	if v == begins && m.env != nil {
		m.env.Log.Log(context.Background(), m.level.Slog(), "pike: an address is blocked", "ip", a.Unmap().String())
		m.env.Raise(eventBlocked, script.TextParam("ip", a.Unmap().String()))
	}
	return v
}

func (m *module) build(*script.Args) script.Action {
	return func(x *script.Machine) int { return int(m.count(x.Context().Src.Remote.Addr())) }
}

// wrap puts the automatic check before the routes.
func (m *module) wrap(routes proxy.Router) proxy.Router {
	if m.route == nil {
		return routes
	}
	return &guard{m, routes}
}

// guard counts every message whose source check_route does not except, and drops those
// of addresses that are blocked.
type guard struct {
	m    *module
	next proxy.Router
}

// Request drops a request, or has it routed.
func (g *guard) Request(c *proxy.Context) {
	if g.passes(c) {
		g.next.Request(c)
	}
}

// Response has a response routed; one of an address that is blocked is dropped only where it
// may be, which a final one is not.
func (g *guard) Response(c *proxy.Context) {
	if !g.passes(c) {
		c.Drop()
		return
	}
	g.next.Response(c)
}

func (g *guard) passes(c *proxy.Context) bool {
	if g.m.route.Run(c, script.Run{Kind: script.RequestRoute})&script.Dropped != 0 {
		return true
	}
	return g.m.count(c.Src.Remote.Addr()) == passes
}

// maxListed bounds the addresses of one answer.
const maxListed = 10000

func (m *module) list(context.Context, *rpc.Args) (any, error) {
	return map[string]any{"nodes": m.table.list(maxListed)}, nil
}

func (m *module) remove(_ context.Context, a *rpc.Args) (any, error) {
	addr, err := netip.ParseAddr(a.Text("IP"))
	if err != nil {
		return nil, errors.New("IP is no address")
	}
	if !m.table.remove(addr) {
		return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "IP not found"}
	}
	return "OK", nil
}
