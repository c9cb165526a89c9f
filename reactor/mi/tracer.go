package mi

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"sipreactor/reactor/rpc"
)

// Tracer is the tracing of SIP messages: what the commands of module tracer act
// on.
type Tracer struct {
	// All is the switch of all of it.
	All Switch
	// IDs are the names by which messages are traced, each with a switch of its
	// own. A name with several collectors stands here once for each.
	IDs []TraceID
	// Begun are the traces that are begun and ended by commands.
	Begun BegunTraces
}

// BegunTraces begins traces of messages while the program runs, and ends them.
// Any goroutine may call its methods.
type BegunTraces interface {
	// Start begins a trace. The error says why it does not.
	Start(TraceStart) error
	// Stop ends the trace of a name that Start began; the error says that there is
	// none.
	Stop(id string) error
	// List gives those that Start began, the oldest first.
	List() []TraceID
}

// TraceStart says what a trace is to take and where it goes. Empty fields of the
// filter take everything.
type TraceStart struct {
	ID, URI        string
	Caller, Callee string     // user or user@host, of From and of To
	IP             netip.Addr // where requests come from
	Responses      bool       // responses to the requests as well
}

// TraceID is one name by which messages are traced, and one of its collectors.
type TraceID struct {
	Name   string
	URI    string // host:port
	Switch Switch
}

func (n *Node) tracer() []rpc.Command {
	if n.Tracer == nil {
		return nil
	}
	commands := []rpc.Command{{
		Name: "trace", Aliases: []string{"tracer:trace", "sip_trace"}, Module: "tracer",
		Help:   "Tells what SIP messages are traced to, or turns all of it, or what one trace_id names, on or off.",
		Params: []rpc.Param{{Name: "id", Optional: true}, {Name: "mode", Optional: true}},
		Func:   func(_ context.Context, a *rpc.Args) (any, error) { return n.Tracer.trace(a) },
	}}
	if n.Tracer.Begun != nil {
		commands = append(commands, n.Tracer.starting()...)
	}
	return commands
}

// trace lists or switches. One value that is on or off and no trace_id is a
// mode: "trace on".
func (t *Tracer) trace(a *rpc.Args) (any, error) {
	id, mode, hasMode := a.Text("id"), a.Text("mode"), a.Has("mode")
	all := t.all()
	list := named(all, id)
	if _, err := modeOf(id); len(list) == 0 && !hasMode && err == nil {
		id, mode, hasMode = "", id, true
	}
	if id != "" && len(list) == 0 {
		return nil, rpc.Failed("Trace id not found", id)
	}
	if !hasMode {
		if id == "" {
			return rpc.Object{{Name: "global", Value: stateOf(t.All)}, {Name: "trace destinations", Value: describe(all)}}, nil
		}
		return rpc.Object{{Name: "trace destinations", Value: describe(list)}}, nil
	}
	on, err := modeOf(mode)
	if err != nil {
		return nil, err
	}
	if id == "" {
		t.All.Set(on)
	}
	for _, one := range list {
		one.Switch.Set(on)
	}
	return "OK", nil
}

// all gives what messages are traced by at the moment.
func (t *Tracer) all() []TraceID {
	if t.Begun == nil {
		return t.IDs
	}
	return slices.Concat(t.IDs, t.Begun.List())
}

// named gives what has a name.
func named(all []TraceID, name string) (list []TraceID) {
	for _, id := range all {
		if id.Name == name {
			list = append(list, id)
		}
	}
	return list
}

func modeOf(text string) (on bool, err error) {
	switch strings.ToLower(text) {
	case "on":
		return true, nil
	case "off":
		return false, nil
	default:
		return false, rpc.Failed("Bad parameter value", "mode should be 'on' or 'off'")
	}
}

func describe(ids []TraceID) []rpc.Object {
	all := []rpc.Object{}
	for _, id := range ids {
		all = append(all, rpc.Object{{Name: "name", Value: id.Name}, {Name: "type", Value: "HEP"}, {Name: "uri", Value: id.URI}, {Name: "state", Value: stateOf(id.Switch)}})
	}
	return all
}

func stateOf(s Switch) string {
	if s.On() {
		return "on"
	}
	return "off"
}
