package script

import (
	"math"
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

const (
	asItStands = "answers are compact, and the socket belongs to the user that the program runs as"
	notTraced  = "management commands are not traced"
)

func miText(field func(m *MIConfig) *string) *globalSpec {
	return textParam(func(c *settings, s string) string {
		if s == "" {
			return "is empty"
		}
		*field(&c.MI) = s
		return ""
	})
}

// miWord is miText for what may be a bare word or a number, as names of users.
func miWord(field func(m *MIConfig) *string) *globalSpec {
	return &globalSpec{typ: AnyParam, set: func(c *settings, v Literal) string { *field(&c.MI) = v.Text; return "" }}
}

func miMode(field func(m *MIConfig) *uint32) *globalSpec {
	return number(0, 0o777, "permission bits", func(c *settings, n int) { *field(&c.MI) = uint32(n) })
}

func miAllow(field func(m *MIConfig) *[]netip.Prefix) *globalSpec {
	return textParam(func(c *settings, s string) string {
		nets, bad := networks(s)
		if nets == nil {
			return "is a comma list of addresses and networks; " + clip(bad) + " is none"
		}
		*field(&c.MI) = nets
		return ""
	})
}

// miParams adds what the modules have in common.
func miParams(m map[string]*globalSpec) map[string]*globalSpec {
	m["trace_destination"] = idle(StringParam, notTraced)
	m["trace_bwlist"] = idle(StringParam, notTraced)
	m["pretty_printing"] = idle(BoolParam, asItStands)
	return m
}

var miFIFOParams = miParams(map[string]*globalSpec{
	"fifo_name":  miText(func(m *MIConfig) *string { return &m.FIFO.Name }),
	"fifo_mode":  miMode(func(m *MIConfig) *uint32 { return &m.FIFO.Mode }),
	"fifo_user":  miWord(func(m *MIConfig) *string { return &m.FIFO.User }),
	"fifo_group": miWord(func(m *MIConfig) *string { return &m.FIFO.Group }),
	"reply_dir":  miText(func(m *MIConfig) *string { return &m.FIFO.ReplyDir }),
})

var miHTTPParams = miParams(map[string]*globalSpec{
	"root":         miText(func(m *MIConfig) *string { return &m.HTTP.Root }),
	"mi_http_root": miText(func(m *MIConfig) *string { return &m.HTTP.Root }),
})

var httpdParams = map[string]*globalSpec{
	"ip": textParam(func(c *settings, s string) string {
		if _, err := netip.ParseAddr(s); err != nil && s != "localhost" {
			return "is an address; " + clip(s) + " is none"
		}
		c.MI.HTTP.IP = s
		return ""
	}),
	"port":          number(1, 65535, "", func(c *settings, n int) { c.MI.HTTP.Port = uint16(n) }),
	"conn_timeout":  number(1, 3600, sec, func(c *settings, n int) { c.MI.HTTP.Timeout = time.Duration(n) * time.Second }),
	"tls_cert_file": miText(func(m *MIConfig) *string { return &m.HTTP.CertFile }),
	"tls_key_file":  miText(func(m *MIConfig) *string { return &m.HTTP.KeyFile }),
	"tls_ciphers":   refusedParam("what Go's crypto/tls offers is not to be narrowed here"),
	"allow":         miAllow(func(m *MIConfig) *[]netip.Prefix { return &m.HTTP.Allow }),
	"token": textParam(func(c *settings, s string) string {
		if s == "" {
			return "is empty; none asks for no token"
		}
		c.MI.HTTP.Token, c.MI.HTTP.Open = s, s == "none"
		if c.MI.HTTP.Open {
			c.MI.HTTP.Token = ""
		}
		return ""
	}),
	"auth_realm":       miText(func(m *MIConfig) *string { return &m.HTTP.Realm }),
	"auth_username":    miText(func(m *MIConfig) *string { return &m.HTTP.User }),
	"auth_password":    miText(func(m *MIConfig) *string { return &m.HTTP.Password }),
	"buf_size":         idle(IntParam, "answers have no fixed buffer"),
	"post_buf_size":    idle(IntParam, "requests have no fixed buffer"),
	"receive_buf_size": idle(IntParam, "requests have no fixed buffer"),
}

var miDatagramParams = miParams(map[string]*globalSpec{
	"socket_name":       miText(func(m *MIConfig) *string { return &m.Datagram.Socket }),
	"unix_socket_mode":  miMode(func(m *MIConfig) *uint32 { return &m.Datagram.Mode }),
	"socket_timeout":    number(1, math.MaxInt32, ms, func(c *settings, n int) { c.MI.Datagram.Timeout = milliseconds(n) }),
	"allow":             miAllow(func(m *MIConfig) *[]netip.Prefix { return &m.Datagram.Allow }),
	"socket_buf_size":   number(1024, 16<<20, "bytes", func(c *settings, n int) { c.MI.Datagram.Buffer = n }),
	"reply_indent":      idle(StringParam, asItStands),
	"children_count":    idle(IntParam, "there are no processes"),
	"unix_socket_user":  idle(AnyParam, asItStands),
	"unix_socket_group": idle(AnyParam, asItStands),
})

// finishMI checks what the modules say as a whole.
func (c *settings) finishMI() {
	h := &c.MI.HTTP
	h.At = c.placed("httpd/port", "httpd/ip", loadPlace+"httpd")
	c.MI.FIFO.At = c.placed("mi_fifo/fifo_name", loadPlace+"mi_fifo")
	c.MI.Datagram.At = c.placed("mi_datagram/socket_name", loadPlace+"mi_datagram")
	c.bothOrNeither("tls_cert_file", h.CertFile, "tls_key_file", h.KeyFile)
	c.bothOrNeither("auth_username", h.User, "auth_password", h.Password)
	if c.loaded("mi_http") && !c.loaded("httpd") && !c.partial {
		c.rep.errorf(c.top(), `mi_http answers by the module httpd, which is not loaded: loadmodule "httpd.so"`)
	}
	if at := c.places[loadPlace+"httpd"]; c.loaded("httpd") && c.places["httpd/ip"] == (Pos{}) && !c.partial {
		c.rep.notef(at, `httpd listens on 127.0.0.1 here, where OpenSIPS listens on all addresses: modparam("httpd", "ip", "...") says where, and allow who may come`)
	}
	if c.loaded("mi_datagram") && c.MI.Datagram.Socket == "" && !c.partial {
		c.rep.errorf(c.top(), `mi_datagram has no socket: modparam("mi_datagram", "socket_name", "/path or udp:ip:port")`)
	}
}

// placed gives the first of some places that there is.
func (c *settings) placed(names ...string) Pos {
	for _, n := range names {
		if at := c.places[n]; at.IsValid() {
			return at
		}
	}
	return Pos{}
}

// bothOrNeither wants two parameters of httpd together.
func (c *settings) bothOrNeither(name, value, other, its string) {
	if (value == "") == (its == "") {
		return
	}
	said, missing := name, other
	if value == "" {
		said, missing = other, name
	}
	c.rep.errorf(c.places["httpd/"+said], "httpd has no %s: it takes %s and %s, or neither", missing, name, other)
}
