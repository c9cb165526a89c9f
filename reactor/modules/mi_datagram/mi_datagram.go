// Package mi_datagram is OpenSIPS' module mi_datagram: the management interface on
// a socket of datagrams. The program serves it; here is what a configuration says of
// it.
package mi_datagram

import (
	"net/netip"
	"time"

	"sipreactor/reactor/modules/internal/manage"
	"sipreactor/reactor/script"
)

// Config is what a configuration says: the module's Instance. What is not said has
// OpenSIPS' default, but that nobody but the owner may use the socket.
type Config struct {
	At      script.Pos     // where it is said, for errors
	Socket  string         // socket_name: a path or udp:ip:port, "" none
	Mode    uint32         // unix_socket_mode: permission bits, 0600
	Timeout time.Duration  // socket_timeout, 2 s
	Buffer  int            // socket_buf_size: bytes of the socket's buffers; 0 leaves them to the system
	Allow   []netip.Prefix // who may speak by UDP: allow, ours
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	d := &Config{Mode: 0o600, Timeout: 2 * time.Second}
	return &script.Module{
		Name:     "mi_datagram",
		AtStart:  true,
		Instance: d,
		Help:     "Serves the management interface on a socket of datagrams.",
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
