// Package broker is what modules share that talk to a RabbitMQ broker (AMQP 0-9-1): where one
// is, and connections whose connect and writes have deadlines.
package broker

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"sipreactor/reactor/script"
)

// Server is a broker, and how it is talked to.
type Server struct {
	uri string
	// Frame is the size of a frame in bytes, and Heartbeat the pause between two signs of
	// life; 0 is what the library has, or the broker says.
	Frame     int
	Heartbeat time.Duration
}

// Parse reads an AMQP URI, amqp:// or amqps://. Its errors do not show the text, which may have
// a password.
func Parse(uri string) (Server, error) {
	if _, err := amqp.ParseURI(uri); err != nil {
		return Server{}, errors.New("is no amqp://[user:password@]host[:port][/vhost]")
	}
	return Server{uri: uri}, nil
}

// Timeouts are those of modules' parameters.
type Timeouts struct {
	Connect time.Duration
	Write   time.Duration // of any command
}

// Parameters returns connect_timeout, use_tls, and with a write timeout timeout.
func (t *Timeouts) Parameters(writes bool) []script.Parameter {
	t.Connect, t.Write = 500*time.Millisecond, defaultWrite
	list := []script.Parameter{
		{Name: "connect_timeout", Type: script.IntParam, Min: 1, Max: 60000, Unit: "milliseconds", Default: "500", Help: "How long a connect to a broker may take.", Set: script.Milliseconds(&t.Connect)},
		{Name: "use_tls", Type: script.BoolParam, Default: "0", Help: "Lets a connection name a TLS domain.", Note: "an amqps:// URI is TLS, verified by the system's authorities or those of its cacertfile"},
	}
	if writes {
		list = append(list, script.Parameter{Name: "timeout", Type: script.IntParam, Max: 60000, Unit: "milliseconds", Default: "5000", Help: "How long a message to a broker may take to be written; 0 is 5000.", Set: func(v script.Literal) error {
			if v.Int > 0 {
				t.Write = time.Duration(v.Int) * time.Millisecond
			}
			return nil
		}})
	}
	return list
}

const defaultWrite = 5 * time.Second

// ErrDomain is that a TLS domain is named.
var ErrDomain = errors.New("has a tls_domain, which is not supported: an amqps:// URI is verified by the system's authorities, or those of ?cacertfile=/path")

// Dial connects to a broker, and logs in.
func (s *Server) Dial(t Timeouts) (*amqp.Connection, error) {
	dial := amqp.DefaultDial(t.Connect)
	return amqp.DialConfig(s.uri, amqp.Config{
		FrameSize: s.Frame, Heartbeat: s.Heartbeat, Locale: "en_US",
		Dial: func(network, address string) (net.Conn, error) {
			c, err := dial(network, address)
			if err != nil {
				return nil, err
			}
			return &writer{c, t.Write}, nil
		},
	})
}

// writer is a connection whose writes have a deadline.
type writer struct {
	net.Conn
	timeout time.Duration
}

func (w *writer) Write(b []byte) (int, error) {
	if err := w.SetWriteDeadline(time.Now().Add(w.timeout)); err != nil {
		return 0, err
	}
	return w.Conn.Write(b)
}

// Settings reads name=value and lone names, with semicolons between them, and calls set for
// each.
func Settings(text string, set func(name, value string) error) error {
	for one := range strings.SplitSeq(text, ";") {
		name, value, _ := strings.Cut(one, "=")
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if err := set(name, strings.TrimSpace(value)); err != nil {
			return err
		}
	}
	return nil
}

// Number reads a setting that is one.
func Number(name, value string, least, most int) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("has %s=%s, not %d to %d", name, script.Clip(value), least, most)
	}
	return n, nil
}

// Common takes the settings that all modules have; false: it is none of them.
func (s *Server) Common(name, value string) (ok bool, err error) {
	n := 0
	switch name {
	case "uri":
		parsed, err := Parse(value)
		s.uri = parsed.uri
		return true, err
	case "frames", "frame_max":
		s.Frame, err = Number(name, value, 4096, 1<<24)
	case "heartbeat":
		n, err = Number(name, value, 0, 3600)
		s.Heartbeat = time.Duration(n) * time.Second
	case "tls_domain":
		err = ErrDomain
	default:
		return false, nil
	}
	return true, err
}

// Known reports whether there is a URI.
func (s *Server) Known() bool { return s.uri != "" }
