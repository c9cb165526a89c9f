// Package mi_datagram is OpenSIPS' module mi_datagram: the management interface on
// a socket of datagrams. The program serves it; here is what a configuration says of
// it.
package mi_datagram

import (
	"sipreactor/reactor/modules/internal/manage"
	"sipreactor/reactor/script"
)

// New makes the module for a configuration.
func New(cfg *script.Config) *script.Module {
	d := &cfg.MI.Datagram
	return &script.Module{
		Name:    "mi_datagram",
		AtStart: true,
		Help:    "Serves the management interface on a socket of datagrams.",
		Parameters: append([]script.Parameter{
			{Name: "socket_name", Type: script.StringParam, Restart: true, Help: "The socket: a path, or udp:ip:port.", Set: script.NonEmpty(&d.Socket)},
			manage.Mode("unix_socket_mode", "The permissions of the socket at a path.", &d.Mode),
			{Name: "socket_timeout", Type: script.IntParam, Min: 1, Unit: "milliseconds", Default: "2000", Restart: true, Help: "How long writing an answer may take.", Set: script.Milliseconds(&d.Timeout)},
			{Name: "allow", Type: script.StringParam, Restart: true, Help: "Who may speak by UDP, a comma list of addresses and networks.", Set: script.Networks(&d.Allow)},
			{Name: "socket_buf_size", Type: script.IntParam, Min: 1024, Max: 16 << 20, Unit: "bytes", Restart: true, Help: "The size of the socket's buffers.", Set: script.Into(&d.Buffer)},
			{Name: "reply_indent", Type: script.StringParam, Help: "What answers are indented by.", Note: manage.AsItStands},
			{Name: "children_count", Type: script.IntParam, Default: "1", Help: "The number of processes.", Note: "there are no processes"},
			{Name: "unix_socket_user", Type: script.AnyParam, Help: "Who owns the socket at a path.", Note: manage.AsItStands},
			{Name: "unix_socket_group", Type: script.AnyParam, Help: "Whose group the socket at a path has.", Note: manage.AsItStands},
		}, manage.Parameters()...),
		Check: func(l *script.Loading) {
			d.At = l.Place("socket_name")
			if d.Socket == "" && !l.Partial() {
				l.Errorf(l.Place(""), `mi_datagram has no socket: modparam("mi_datagram", "socket_name", "/path or udp:ip:port")`)
			}
		},
	}
}
