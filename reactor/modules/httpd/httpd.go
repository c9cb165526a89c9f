// Package httpd is OpenSIPS' module httpd: the HTTP server of mi_http and
// prometheus. The program serves it; here is what a configuration says of it.
package httpd

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"sipreactor/reactor/script"
)

// Config is what a configuration says: the module's Instance. What is not said has
// OpenSIPS' default, but that only this machine may use the socket.
type Config struct {
	At      script.Pos    // where it is said, for errors
	IP      string        // ip, 127.0.0.1
	Port    uint16        // port, 8888
	Timeout time.Duration // conn_timeout; 0 leaves it to the server
	// CertFile and KeyFile are tls_cert_file and tls_key_file, PEM; both or none.
	CertFile, KeyFile string
	// Allow is who may speak: allow, ours. It is needed where IP is no loopback
	// address.
	Allow []netip.Prefix
	// Token is what clients have to send: token, ours; "" is one of the caller's. Open
	// is token "none".
	Token string
	Open  bool
	// Realm, User and Password are auth_realm, auth_username and auth_password, the
	// last two both or none.
	Realm, User, Password string
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	h := &Config{IP: "127.0.0.1", Port: 8888}
	text := func(name, help string, to *string) script.Parameter {
		return script.Parameter{Name: name, Type: script.StringParam, Restart: true, Help: help, Set: script.NonEmpty(to)}
	}
	buffer := func(name, what string) script.Parameter {
		return script.Parameter{Name: name, Type: script.IntParam, Help: "The size of a buffer.", Note: what + " have no fixed buffer"}
	}
	return &script.Module{
		Name:     "httpd",
		AtStart:  true,
		Instance: h,
		Help:     "Serves HTTP for the modules mi_http and prometheus.",
		Parameters: []script.Parameter{
			{Name: "ip", Type: script.StringParam, Default: h.IP, Restart: true, Help: "The address to listen on.", Set: func(v script.Literal) error {
				if _, err := netip.ParseAddr(v.Text); err != nil && v.Text != "localhost" {
					return fmt.Errorf("is an address; %s is none", script.Clip(v.Text))
				}
				h.IP = v.Text
				return nil
			}},
			{Name: "port", Type: script.IntParam, Min: 1, Max: 65535, Default: "8888", Restart: true, Help: "The port to listen on.", Set: script.Into(&h.Port)},
			{Name: "conn_timeout", Type: script.IntParam, Min: 1, Max: 3600, Unit: "seconds", Restart: true, Help: "How long a connection may be idle.", Set: script.Seconds(&h.Timeout)},
			text("tls_cert_file", "The certificate, PEM: with tls_key_file the server speaks HTTPS.", &h.CertFile),
			text("tls_key_file", "The private key of tls_cert_file, PEM.", &h.KeyFile),
			{Name: "allow", Type: script.StringParam, Restart: true, Help: "Who may come, a comma list of addresses and networks; needed where ip is no loopback address.", Set: script.Networks(&h.Allow)},
			{Name: "token", Type: script.StringParam, Restart: true, Help: "The token that clients have to send; none asks for none. Without it one is made and kept in state_dir.", Set: func(v script.Literal) error {
				if v.Text == "" {
					return errors.New("is empty; none asks for no token")
				}
				h.Token, h.Open = v.Text, v.Text == "none"
				if h.Open {
					h.Token = ""
				}
				return nil
			}},
			text("auth_realm", "The realm of the password.", &h.Realm),
			text("auth_username", "The user that clients have to name, with auth_password.", &h.User),
			text("auth_password", "The password of auth_username.", &h.Password),
			buffer("buf_size", "answers"),
			buffer("post_buf_size", "requests"),
			buffer("receive_buf_size", "requests"),
		},
		Lacks: []script.Lack{
			{Kind: script.LacksParameter, Names: "tls_ciphers", Why: "what Go's crypto/tls offers is not to be narrowed here"},
			{Kind: script.LacksCommand, Names: "httpd_list_root_path", Why: "paths belong to mi_http and prometheus, whose parameter root says them"},
		},
		Check: func(l *script.Loading) {
			switch {
			case l.IsSet("port"):
				h.At = l.Place("port")
			default:
				h.At = l.Place("ip")
			}
			together(l, "tls_cert_file", h.CertFile, "tls_key_file", h.KeyFile)
			together(l, "auth_username", h.User, "auth_password", h.Password)
			if !l.IsSet("ip") && !l.Partial() {
				l.Notef(l.Place(""), `httpd listens on 127.0.0.1 here, where OpenSIPS listens on all addresses: modparam("httpd", "ip", "...") says where, and allow who may come`)
			}
		},
	}
}

// together wants both of two parameters or neither.
func together(l *script.Loading, name, value, other, its string) {
	if (value == "") == (its == "") {
		return
	}
	said, missing := name, other
	if value == "" {
		said, missing = other, name
	}
	l.Errorf(l.Place(said), "httpd has no %s: it takes %s and %s, or neither", missing, name, other)
}
