// Package proto_wss is OpenSIPS' module proto_wss: sockets of WebSocket (RFC 7118), over TLS. Certificates and
// who is trusted are of tls_mgm.
package proto_wss

import (
	"sipreactor/reactor/modules/internal/stream"
	"sipreactor/reactor/modules/proto_hep"
	"sipreactor/reactor/script"
)

// New makes the module for a configuration.
func New(cfg *script.Config) *script.Module {
	s, t := &cfg.Engine.WSS, new(proto_hep.ConnTrace)
	all := append([]script.Parameter{
		{Name: "wss_port", Type: script.IntParam, Min: 1, Max: 65535, Default: "443", Help: "The port where none is said.", Set: script.Into(&cfg.Proxy.WSSPort)},
		{Name: "cert_check_on_conn_reusage", Type: script.BoolParam, Default: "0", Help: "Has a connection of ours used again only for the client domain and the certificate that it was made with.", Set: script.Into(&s.CertCheckOnReuse)},
		{Name: "wss_tls_handshake_timeout", Type: script.IntParam, Help: "How long a TLS handshake may take.",
			Note: "one time bounds TLS and WebSocket: wss_accept_timeout for clients, wss_handshake_timeout for servers"},
	}, stream.WebParameters("wss_", s)...)
	return &script.Module{
		Name:       "proto_wss",
		AtStart:    true,
		Instance:   t,
		Help:       "Carries SIP by WebSocket, over TLS.",
		Parameters: append(script.AtStart(all), stream.Parameters("wss_", s, t)...),
		Check:      func(l *script.Loading) { stream.Check(l, "proto_wss", t) },
	}
}
