// Package maxfwd is OpenSIPS' module maxfwd: how many hops a request has left.
package maxfwd

import "sipreactor/reactor/script"

// New makes the module for a configuration.
func New(cfg *script.Config) *script.Module {
	return &script.Module{
		Name: "maxfwd",
		Help: "Looks at the hops that a request has left, Max-Forwards.",
		Parameters: []script.Parameter{{
			Name: "max_limit", Type: script.IntParam, Min: 1, Max: 256, Unit: "hops; 256 is no limit", Default: "256",
			Restart: true,
			Help:    "The highest Max-Forwards that a request leaves with.",
			Set: func(v script.Literal) error {
				cfg.Proxy.HopLimit = min(int(v.Int), 255)
				return nil
			},
		}},
		Functions: []script.Function{
			{
				Name: "mf_process_maxfwd_header", Usage: "mf_process_maxfwd_header(limit)",
				Help: "Counts the request's hops down, from the limit if it has no Max-Forwards. 1: there was one left, 2: it had no Max-Forwards, -1: there is none left, -2: its value is no number.",
				Args: []script.ArgKind{script.IntArg}, Min: 1, Routes: script.Requests, Build: process,
			},
			{
				Name: "is_maxfwd_lt", Usage: "is_maxfwd_lt(value)",
				Help: "Reports whether fewer hops than the value are left; -2: the request has no Max-Forwards.",
				Args: []script.ArgKind{script.IntArg}, Min: 1, Routes: script.Requests, Build: isLess,
			},
		},
	}
}

func process(a *script.Args) script.Action {
	limit, at := a.Int(0), a.Site()
	if text, fixed := a.Fixed(0); fixed {
		if n, _ := limit(nil); n < 1 || n > 255 {
			a.Errorf(0, "Max-Forwards is 1 to 255, not %s", text)
			return nil
		}
	}
	return func(m *script.Machine) int {
		n, ok := limit(m)
		if !ok || n < 1 || n > 255 {
			return m.Fail(at, "the limit is no number from 1 to 255")
		}
		return m.Context().MaxForwards(int(n))
	}
}

func isLess(a *script.Args) script.Action {
	limit := a.Int(0)
	return func(m *script.Machine) int {
		n, ok := limit(m)
		left, present := m.Context().HopsLeft()
		if !ok || !present {
			return -2
		}
		return script.Yes(int64(left) < n)
	}
}
