package mi

import (
	"context"
	"strings"

	"sipreactor/reactor"
	"sipreactor/reactor/rpc"
)

// ConnTrace is the tracing of the connections of a transport: what tls_trace,
// ws_trace and the like turn.
type ConnTrace struct {
	Switch
	Proto reactor.Proto
	// Nowhere tells that there is no destination: to turn it on is an error.
	Nowhere bool
}

// command is the transport's.
func (t *ConnTrace) command() rpc.Command {
	name := t.Proto.String()
	return rpc.Command{
		Name: name + "_trace", Aliases: []string{name + ":trace"}, Module: "proto_" + name,
		Help:   "Tells whether " + t.Proto.ViaName() + " connections are traced, or turns tracing on or off.",
		Params: []rpc.Param{{Name: "trace_mode", Optional: true}},
		Func:   func(_ context.Context, a *rpc.Args) (any, error) { return t.turn(a) },
	}
}

func (t *ConnTrace) turn(a *rpc.Args) (any, error) {
	if !a.Has("trace_mode") {
		state := "off"
		if t.On() {
			state = "on"
		}
		return rpc.Object{{Name: t.Proto.ViaName() + " tracing", Value: state}}, nil
	}
	switch strings.ToLower(a.Text("trace_mode")) {
	case "on":
		if t.Nowhere {
			return nil, rpc.Failed("Nothing to trace to", "proto_"+t.Proto.String()+" has no trace_destination: the configuration names none")
		}
		t.Set(true)
	case "off":
		t.Set(false)
	default:
		return nil, rpc.Failed("Bad parameter value", "trace_mode should be 'on' or 'off'")
	}
	return "OK", nil
}
