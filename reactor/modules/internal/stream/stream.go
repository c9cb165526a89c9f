// Package stream has the parameters that proto_tcp, proto_tls, proto_ws and proto_wss
// share.
package stream

import (
	"sipreactor/reactor"
	"sipreactor/reactor/modules/proto_hep"
	"sipreactor/reactor/script"
)

// Parameters are those of a protocol whose names begin with a prefix.
func Parameters(prefix string, s *reactor.StreamConfig, t *proto_hep.ConnTrace) []script.Parameter {
	all := []script.Parameter{
		{Name: prefix + "crlf_pingpong", Type: script.BoolParam, Help: "Answers the pings of RFC 5626.", Set: script.Into(&s.CRLFPingPong)},
		{Name: prefix + "crlf_drop", Type: script.BoolParam, Help: "Drops pings without an answer.", Set: script.Into(&s.CRLFDrop)},
		{Name: prefix + "max_msg_chunks", Type: script.IntParam, Unit: "chunks, 0 = no limit", Help: "In how many reads a message may come.", Set: script.Into(&s.MaxChunks)},
		{Name: prefix + "send_timeout", Type: script.IntParam, Min: 1, Max: 60000, Unit: "milliseconds", Help: "How long what is sent may wait without any of it being taken.", Set: script.Milliseconds(&s.SendTimeout)},
		{Name: prefix + "async", Type: script.BoolParam, Help: "Lets messages wait for a connect that takes longer.", Set: script.Into(&s.Async)},
		{Name: prefix + "async_max_postponed_chunks", Type: script.IntParam, Max: 1 << 20, Unit: "messages, 0 = none may wait", Help: "How many messages may wait for a connect.", Set: script.Into(&s.MaxPostponed)},
		{Name: prefix + "async_local_connect_timeout", Type: script.IntParam, Max: 60000, Unit: "milliseconds", Help: "How long the message itself waits for a connect before it is parked.", Set: script.Milliseconds(&s.LocalConnectTimeout)},
		{Name: "trace_destination", Type: script.StringParam, Help: "The hep_id that events of connections are traced to.", Set: script.Into(&t.Destination)},
		{Name: "trace_on", Type: script.BoolParam, Default: "0", Help: "Has connections traced from the start; the command " + prefix + "trace turns that.", Set: script.Into(&t.On)},
		{Name: "trace_filter_route", Type: script.StringParam, Help: "The route that is asked for each connection; one that ends with drop has it not traced.", Set: script.Into(&t.FilterRoute)},
	}
	return script.AtStart(all)
}

// Check checks where connections are traced to, and the route that is asked for each.
func Check(l *script.Loading, module string, t *proto_hep.ConnTrace) {
	if t.On && t.Destination == "" {
		l.Notef(l.Place("trace_on"), "trace_on does nothing: %s has no trace_destination", module)
	}
	if t.Destination != "" {
		proto_hep.Check(l, l.Place("trace_destination"), "trace_destination", t.Destination)
	}
	if t.FilterRoute != "" {
		l.RunRoute(l.Place("trace_filter_route"), t.FilterRoute)
	}
}
