// Package proto_udp is OpenSIPS' module proto_udp: sockets of UDP.
package proto_udp

import "sipreactor/reactor/script"

// New makes the module for a configuration.
func New(cfg *script.Config) *script.Module {
	return &script.Module{
		Name:    "proto_udp",
		AtStart: true,
		Help:    "Carries SIP by UDP.",
		Parameters: []script.Parameter{
			{Name: "udp_port", Type: script.IntParam, Min: 1, Max: 65535, Default: "5060", Restart: true, Help: "The port where none is said.", Set: script.Into(&cfg.Proxy.UDPPort)},
		},
	}
}
