package mi

import (
	"context"
	"strings"
)

// Tracer is the tracing of SIP messages: what the commands of module tracer act
// on.
type Tracer struct {
	// All is the switch of all of it.
	All Switch
	// IDs are the names by which messages are traced, each with a switch of its
	// own. A name with several collectors stands here once for each.
	IDs []TraceID
}

// TraceID is one name by which messages are traced, and one of its collectors.
type TraceID struct {
	Name   string
	URI    string // host:port
	Switch Switch
}

func (n *Node) tracer() []Command {
	if n.Tracer == nil {
		return nil
	}
	return []Command{{
		Name: "trace", Aliases: []string{"tracer:trace", "sip_trace"}, Module: "tracer",
		Help:   "Tells what SIP messages are traced to, or turns all of it, or what one trace_id names, on or off.",
		Params: []Param{{Name: "id", Optional: true}, {Name: "mode", Optional: true}},
		Func:   func(_ context.Context, a *Args) (any, error) { return n.Tracer.trace(a) },
	}}
}

// trace lists or switches. One value that is on or off and no trace_id is a
// mode: "trace on".
func (t *Tracer) trace(a *Args) (any, error) {
	id, mode, hasMode := a.Text("id"), a.Text("mode"), a.Has("mode")
	list := t.named(id)
	if _, err := modeOf(id); len(list) == 0 && !hasMode && err == nil {
		id, mode, hasMode = "", id, true
	}
	if id != "" && len(list) == 0 {
		return nil, Failed("Trace id not found", id)
	}
	if !hasMode {
		if id == "" {
			return Object{{"global", stateOf(t.All)}, {"trace destinations", describe(t.IDs)}}, nil
		}
		return Object{{"trace destinations", describe(list)}}, nil
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

// named gives what has a name.
func (t *Tracer) named(name string) (list []TraceID) {
	for _, id := range t.IDs {
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
		return false, Failed("Bad parameter value", "mode should be 'on' or 'off'")
	}
}

func describe(ids []TraceID) []Object {
	all := []Object{}
	for _, id := range ids {
		all = append(all, Object{{"name", id.Name}, {"type", "HEP"}, {"uri", id.URI}, {"state", stateOf(id.Switch)}})
	}
	return all
}

func stateOf(s Switch) string {
	if s.On() {
		return "on"
	}
	return "off"
}
