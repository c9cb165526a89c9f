// Package proto_tcp is OpenSIPS' module proto_tcp: sockets of TCP.
package proto_tcp

import (
	"sipreactor/reactor/modules/internal/stream"
	"sipreactor/reactor/modules/proto_hep"
	"sipreactor/reactor/script"
)

// New makes the module for a configuration.
func New(cfg *script.Config) *script.Module {
	t := new(proto_hep.ConnTrace)
	return &script.Module{
		Name:     "proto_tcp",
		AtStart:  true,
		Instance: t,
		Help:     "Carries SIP by TCP.",
		Parameters: append(script.AtStart([]script.Parameter{
			{Name: "tcp_port", Type: script.IntParam, Min: 1, Max: 65535, Default: "5060", Help: "The port where none is said.", Set: script.Into(&cfg.Proxy.TCPPort)},
			{Name: "tcp_async_local_write_timeout", Type: script.IntParam, Help: "How long a write may block.", Note: "a write never blocks; see tcp_send_timeout"},
			{Name: "tcp_parallel_handling", Type: script.BoolParam, Help: "Has the messages of a connection handled by several processes.", Note: "one loop reads a connection, all workers handle its messages"},
		}), stream.Parameters("tcp_", &cfg.Engine.TCP, t)...),
		Check: func(l *script.Loading) { stream.Check(l, "proto_tcp", t) },
	}
}
