package script

import (
	"net/netip"
	"time"
)

// MIConfig is what the modules of the management interface say. What is not
// said has OpenSIPS' default, but that nobody but the owner may use files, and
// only this machine the sockets.
type MIConfig struct {
	FIFO     MIFIFO     // mi_fifo
	HTTP     MIHTTP     // mi_http on httpd
	Datagram MIDatagram // mi_datagram
}

// MIFIFO is what mi_fifo says.
type MIFIFO struct {
	At       Pos    // where it is said, for errors
	Name     string // fifo_name, /tmp/opensips_fifo
	Mode     uint32 // fifo_mode: permission bits, 0600
	User     string // fifo_user, by name or number; "" = ours
	Group    string // fifo_group, by name or number; "" = ours
	ReplyDir string // reply_dir, /tmp
}

// MIHTTP is what mi_http and httpd say.
type MIHTTP struct {
	At      Pos           // where it is said, for errors
	Root    string        // root of mi_http, mi
	IP      string        // ip of httpd, 127.0.0.1
	Port    uint16        // port of httpd, 8888
	Timeout time.Duration // conn_timeout of httpd; 0 leaves it to the server
	// CertFile and KeyFile are tls_cert_file and tls_key_file of httpd, PEM;
	// both or none.
	CertFile, KeyFile string
	// Allow is who may speak: allow of httpd, ours. It is needed where IP is no
	// loopback address.
	Allow []netip.Prefix
	// Token is what clients have to send: token of httpd, ours; "" is one of the
	// caller's. Open is token "none".
	Token string
	Open  bool
	// Realm, User and Password are auth_realm, auth_username and auth_password of
	// httpd, the last two both or none.
	Realm, User, Password string
}

// MIDatagram is what mi_datagram says.
type MIDatagram struct {
	At      Pos            // where it is said, for errors
	Socket  string         // socket_name: a path or udp:ip:port, "" none
	Mode    uint32         // unix_socket_mode: permission bits, 0600
	Timeout time.Duration  // socket_timeout, 2 s
	Buffer  int            // socket_buf_size: bytes of the socket's buffers; 0 leaves them to the system
	Allow   []netip.Prefix // who may speak by UDP: allow, ours
}

// defaultMI is what holds unless the configuration says otherwise.
func defaultMI() (m MIConfig) {
	m.FIFO = MIFIFO{Name: "/tmp/opensips_fifo", Mode: 0o600, ReplyDir: "/tmp"}
	m.HTTP = MIHTTP{Root: "mi", IP: "127.0.0.1", Port: 8888}
	m.Datagram = MIDatagram{Mode: 0o600, Timeout: 2 * time.Second}
	return m
}
