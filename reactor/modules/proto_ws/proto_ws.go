// Package proto_ws is OpenSIPS' module proto_ws: sockets of WebSocket (RFC 7118).
package proto_ws

import (
	"sipreactor/reactor/modules/internal/stream"
	"sipreactor/reactor/modules/proto_hep"
	"sipreactor/reactor/script"
)

// New makes the module for a configuration.
func New(cfg *script.Config) *script.Module {
	s, t := &cfg.Engine.WS, new(proto_hep.ConnTrace)
	all := append([]script.Parameter{
		{Name: "ws_port", Type: script.IntParam, Min: 1, Max: 65535, Default: "80", Help: "The port where none is said.", Set: script.Into(&cfg.Proxy.WSPort)},
	}, stream.WebParameters("ws_", s)...)
	return &script.Module{
		Name:       "proto_ws",
		AtStart:    true,
		Instance:   t,
		Help:       "Carries SIP by WebSocket.",
		Parameters: append(script.AtStart(all), stream.Parameters("ws_", s, t)...),
		Check:      func(l *script.Loading) { stream.Check(l, "proto_ws", t) },
	}
}
