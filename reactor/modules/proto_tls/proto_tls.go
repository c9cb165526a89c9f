// Package proto_tls is OpenSIPS' module proto_tls: sockets of TLS. Certificates and
// who is trusted are of tls_mgm.
package proto_tls

import (
	"sipreactor/reactor/modules/internal/stream"
	"sipreactor/reactor/modules/proto_hep"
	"sipreactor/reactor/script"
)

// Config is what a configuration says of the tracing of TLS: the module's Instance.
type Config struct {
	Trace proto_hep.ConnTrace
	// MasterKey sends the secrets of connections along; MasterKeyAt is where that
	// was said, zero for the default. MasterKeyInClear says it again for a
	// collector that others on the way can listen to.
	MasterKey        bool
	MasterKeyAt      script.Pos
	MasterKeyInClear bool
}

// New makes the module for a configuration.
func New(cfg *script.Config) *script.Module {
	s, t := &cfg.Engine.TLS, &Config{MasterKey: true}
	return &script.Module{
		Name:     "proto_tls",
		AtStart:  true,
		Instance: t,
		Help:     "Carries SIP by TLS.",
		Parameters: append(script.AtStart([]script.Parameter{
			{Name: "tls_port", Type: script.IntParam, Min: 1, Max: 65535, Default: "5061", Help: "The port where none is said.", Set: script.Into(&cfg.Proxy.TLSPort)},
			{Name: "tls_handshake_timeout", Type: script.IntParam, Min: 1, Max: 60000, Unit: "milliseconds", Help: "How long a handshake may take.", Set: script.Milliseconds(&s.HandshakeTimeout)},
			{Name: "tls_async_handshake_timeout", Type: script.IntParam, Max: 60000, Unit: "milliseconds", Help: "How long the message itself waits for a handshake of ours before it is parked.", Set: script.Milliseconds(&s.LocalHandshakeTimeout)},
			{Name: "cert_check_on_conn_reusage", Type: script.BoolParam, Default: "0", Help: "Has a connection of ours used again only for the client domain and the certificate that it was made with.", Set: script.Into(&s.CertCheckOnReuse)},
			{Name: "trace_master_key", Type: script.BoolParam, Default: "1", Help: "Sends the secrets of traced connections along, to a collector on this machine or by TLS.", Set: script.Into(&t.MasterKey)},
			{Name: "trace_master_key_in_clear", Type: script.BoolParam, Default: "0", Help: "Sends the secrets to a collector that others on the way can listen to, too.", Set: script.Into(&t.MasterKeyInClear)},
		}), stream.Parameters("tls_", s, &t.Trace)...),
		Check: func(l *script.Loading) {
			stream.Check(l, "proto_tls", &t.Trace)
			if l.IsSet("trace_master_key") {
				t.MasterKeyAt = l.Place("trace_master_key")
			}
		},
	}
}
