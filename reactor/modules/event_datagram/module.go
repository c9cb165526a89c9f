// Package event_datagram is OpenSIPS' module event_datagram: events as datagrams, by UDP
// or to a Unix socket.
//
// A datagram is a JSON-RPC notification: the event is the method, its parameters are an
// object, or an array if they have no names. What a subscriber does not take is lost.
package event_datagram

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"sipreactor/reactor/rescue"
	"sipreactor/reactor/script"
)

type module struct{ sent, lost script.Count }

var _ script.EventTransport = (*module)(nil)

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := new(module)
	return &script.Module{
		Name: "event_datagram", Help: "Sends events as datagrams: udp:host:port and unix:/path.", Instance: m,
		Statistics: []script.Statistic{
			{Name: "events_sent", Help: "Events that were sent.", Count: &m.sent},
			{Name: "events_lost", Help: "Events that could not be sent.", Count: &m.lost},
		},
	}
}

// EventSchemes is script.EventTransport.
func (m *module) EventSchemes() []string { return []string{"udp", "unix"} }

const (
	maxWaiting  = 1024
	maxDatagram = 65457 // as there
	patience    = time.Second
)

// EventSocket is script.EventTransport.
func (m *module) EventSocket(name string) (script.EventSocket, error) {
	scheme, address, _ := strings.Cut(name, ":")
	network := "udp"
	if scheme == "unix" {
		if network = "unixgram"; !strings.HasPrefix(address, "/") {
			return nil, errors.New("a Unix socket is unix:/path")
		}
	} else if host, _, err := net.SplitHostPort(address); err != nil || net.ParseIP(host) == nil {
		return nil, errors.New("a socket is udp:IP:port")
	}
	s := &socket{network: network, address: address, queue: make(chan []byte, maxWaiting), sent: &m.sent, lost: &m.lost}
	go func() { rescue.Again(nil, "event_datagram: a socket", s.run) }()
	return s, nil
}

// socket sends events in the order in which they were raised.
type socket struct {
	network, address string
	queue            chan []byte
	closed           atomic.Bool
	sent, lost       *script.Count
}

// Send is script.EventSocket.
func (s *socket) Send(event string, params []script.Param) {
	b := datagram(event, params)
	if len(b) > maxDatagram || s.closed.Load() {
		s.lost.Add(1)
		return
	}
	select {
	case s.queue <- b:
	default:
		s.lost.Add(1)
	}
}

// Close is script.EventSocket.
func (s *socket) Close() {
	if !s.closed.Swap(true) {
		select {
		case s.queue <- nil: // ends run, behind what waits
		default:
			go func() { s.queue <- nil }()
		}
	}
}

func (s *socket) run() {
	var conn net.Conn
	defer func() {
		if conn != nil {
			_ = conn.Close() // nothing is left to be sent
		}
	}()
	for b := range s.queue {
		if b == nil {
			return
		}
		var err error
		for range 2 { // a Unix socket may have been made anew
			if conn == nil {
				if conn, err = net.DialTimeout(s.network, s.address, patience); err != nil {
					conn = nil
					break
				}
			}
			_ = conn.SetWriteDeadline(time.Now().Add(patience))
			if _, err = conn.Write(b); err == nil {
				break
			}
			_ = conn.Close()
			conn = nil
		}
		if err != nil {
			s.lost.Add(1)
			continue
		}
		s.sent.Add(1)
	}
}

// datagram writes the notification.
func datagram(event string, params []script.Param) []byte {
	b := append([]byte(`{"jsonrpc":"2.0","method":`), quote(event)...)
	if len(params) > 0 {
		open, end := byte('{'), byte('}')
		named := params[0].Name() != ""
		if !named {
			open, end = '[', ']'
		}
		b = append(append(b, `,"params":`...), open)
		for i, p := range params {
			if i > 0 {
				b = append(b, ',')
			}
			if named {
				b = append(append(b, quote(p.Name())...), ':')
			}
			if _, number := p.Number(); number {
				b = append(b, p.Text()...)
			} else {
				b = append(b, quote(p.Text())...)
			}
		}
		b = append(b, end)
	}
	return append(b, '}')
}

func quote(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always can be
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'})
}
