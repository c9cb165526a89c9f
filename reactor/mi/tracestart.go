package mi

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"sipreactor/reactor/rpc"
)

// starting are the commands that begin and end traces.
func (t *Tracer) starting() []rpc.Command {
	return []rpc.Command{{
		Name: "trace_start", Aliases: []string{"tracer:start"}, Module: "tracer",
		Help: "Traces SIP messages to a collector, uri=hep:host:port, from now on: those that all filters hold for, caller=, callee= and ip=.",
		Params: []rpc.Param{
			{Name: "id"}, {Name: "uri"}, {Name: "filter", Kind: rpc.List, Optional: true},
			{Name: "scope", Optional: true}, {Name: "type", Optional: true},
		},
		Func: func(_ context.Context, a *rpc.Args) (any, error) { return t.start(a) },
	}, {
		Name: "trace_stop", Aliases: []string{"tracer:stop"}, Module: "tracer",
		Help:   "Ends a trace that trace_start began.",
		Params: []rpc.Param{{Name: "id"}},
		Func: func(_ context.Context, a *rpc.Args) (any, error) {
			id := a.Text("id")
			if err := t.Begun.Stop(id); err != nil {
				if len(named(t.IDs, id)) > 0 {
					err = fmt.Errorf("%s is a trace_id of the configuration: trace id=%s mode=off turns it off", id, id)
				}
				return nil, rpc.Failed("Trace id not found", err.Error())
			}
			return "OK", nil
		},
	}}
}

// start reads what a trace is to take.
func (t *Tracer) start(a *rpc.Args) (any, error) {
	s := TraceStart{ID: a.Text("id"), URI: a.Text("uri")}
	if s.ID == "" || len(named(t.all(), s.ID)) > 0 {
		return nil, rpc.Failed("Bad parameter value", fmt.Sprintf("id %q is empty or taken", s.ID))
	}
	if kind := a.Text("type"); kind != "" && !strings.EqualFold(kind, "sip") {
		return nil, rpc.Failed("Bad parameter value", fmt.Sprintf("type %q: SIP messages are traced, sip", kind))
	}
	switch scope := strings.ToLower(a.Text("scope")); scope {
	case "", "t":
		s.Responses = true
	case "m":
	default:
		return nil, rpc.Failed("Bad parameter value", fmt.Sprintf("scope %q: tracing follows no dialogs and no sessions: "+
			"m takes requests and what is sent because of them, t the responses to them, too", scope))
	}
	if err := s.filter(a.List("filter")); err != nil {
		return nil, rpc.Failed("Bad parameter value", err.Error())
	}
	if err := t.Begun.Start(s); err != nil {
		return nil, rpc.Failed("Trace not started", err.Error())
	}
	return "OK", nil
}

// filter reads conditions, condition=value each. All of them have to hold, so each
// stands once.
func (s *TraceStart) filter(list []string) error {
	for _, one := range list {
		condition, value, _ := strings.Cut(one, "=")
		condition, value = strings.ToLower(strings.TrimSpace(condition)), strings.TrimSpace(value)
		again := false
		switch condition {
		case "caller":
			again, s.Caller = s.Caller != "", value
		case "callee":
			again, s.Callee = s.Callee != "", value
		case "ip":
			ip, err := netip.ParseAddr(value)
			if err != nil {
				return fmt.Errorf("filter %q: %q is no address", one, value)
			}
			again, s.IP = s.IP.IsValid(), ip.Unmap()
		default:
			return fmt.Errorf("filter %q: there are caller=, callee= and ip=", one)
		}
		switch {
		case value == "":
			return fmt.Errorf("filter %q has no value", one)
		case again:
			return fmt.Errorf("filter %q: %s stands twice, and all filters have to hold; one trace each takes both", one, condition)
		}
	}
	return nil
}
