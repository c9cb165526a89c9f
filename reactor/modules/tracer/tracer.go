// Package tracer is OpenSIPS' module tracer: SIP messages are traced to the
// collectors of proto_hep.
package tracer

import (
	"errors"
	"strings"

	"sipreactor/reactor/modules/proto_hep"
	"sipreactor/reactor/script"
)

// Config is what a configuration says of traced messages: the module's Instance.
type Config struct {
	On  bool      // the switch at the start
	IDs []TraceID // in the order of the file
}

// TraceID is trace_id: [name]uri=hep:destination. Several may have one name:
// what is traced by it goes to all of them.
type TraceID struct {
	Pos         script.Pos
	Name        string
	Destination string // name of a hep_id of proto_hep
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	t := new(Config)
	return &script.Module{
		Name:     "tracer",
		AtStart:  true,
		Instance: t,
		Help:     "Traces SIP messages to the collectors of proto_hep.",
		Loaded:   func() { t.On = true },
		Parameters: script.AtStart([]script.Parameter{
			{Name: "trace_on", Type: script.BoolParam, Default: "1", Help: "Has messages traced from the start; the command trace turns that.", Set: script.Into(&t.On)},
			{Name: "trace_id", Type: script.StringParam, Help: "A name for trace(): [name]uri=hep:destination. Several may have one name.", Set: func(v script.Literal) error { return traceID(t, v) }},
			{Name: "trace_local_ip", Type: script.StringParam, Help: "The address that packets name as ours.", Note: "a packet names the socket that the message passed"},
			{Name: "syslog_default_facility", Type: script.AnyParam, Help: "The facility of traces to a log.", Note: "messages are not traced to a log"},
			{Name: "syslog_default_level", Type: script.IntParam, Help: "The level of traces to a log.", Note: "messages are not traced to a log"},
			refused("db_url", "The database of traces."), refused("table", "The table of traces."),
			refused("duplicate_uri", "Another place that messages go to."), refused("traced_user_avp", "An AVP that has messages traced."),
			refused("trace_flag", "A flag that has messages traced."), refused("trace_table_avp", "An AVP with the table of traces."),
			{Name: "enable_ack_trace", Type: script.IntParam, Help: "Whether ACKs are traced.", Note: "ACKs are traced as other messages are"},
			{Name: "file_mode", Type: script.IntParam, Help: "The permissions of traces to a file.", Note: "messages are not traced to a file"},
		}),
		Functions: []script.Function{{
			Name: "trace", Aliases: []string{"sip_trace"}, Usage: `trace("trace_id", ["m"|"t"|"d"], ["sip|xlog"], [trace_attrs], ["C"|"c"], [correlation_id])`,
			Help: "Traces the message as it came and all that is sent because of it (m), its whole transaction (t), or its whole call (d), which is the default with module dialog, as t is with tm. xlog traces the lines of xlog() over these messages; C leaves the caller's side, c the callee's.",
			Args: []script.ArgKind{script.TextArg, script.FixedArg, script.FixedArg, script.TextArg, script.FixedArg, script.TextArg}, Routes: script.Messages, Build: script.TraceMessage,
		}},
		Check: func(l *script.Loading) {
			for _, id := range t.IDs {
				proto_hep.Check(l, id.Pos, "trace_id ["+script.Clip(id.Name)+"]:", id.Destination)
				l.DeclareTrace(id.Name)
			}
		},
	}
}

// refused is a parameter that OpenSIPS has dropped, for whose meaning there is nothing here.
func refused(name, help string) script.Parameter {
	return script.Parameter{Name: name, Type: script.AnyParam, Help: help + " Refused: since OpenSIPS 2.2 trace_id and trace() say it.", Set: func(script.Literal) error {
		return errors.New(`is gone since OpenSIPS 2.2: messages are traced to HEP collectors by modparam("tracer", "trace_id", "[tid]uri=hep:hep_id") and trace("tid")`)
	}}
}

// traceID reads a trace_id.
func traceID(t *Config, v script.Literal) error {
	rest, ok := strings.CutPrefix(strings.TrimSpace(v.Text), "[")
	name, rest, closed := strings.Cut(rest, "]")
	to, isHEP := strings.CutPrefix(strings.TrimSpace(rest), "uri=hep:")
	if !ok || !closed || name == "" || !isHEP || to == "" {
		return errors.New("is [name]uri=hep:destination with the name of a hep_id; other places than HEP are not supported")
	}
	t.IDs = append(t.IDs, TraceID{Pos: v.At, Name: name, Destination: to})
	return nil
}
