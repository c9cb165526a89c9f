// Package event_datagram is OpenSIPS' module event_datagram: events as datagrams, by UDP
// or to a Unix socket.
//
// A datagram is a JSON-RPC notification: the event is the method, its parameters are an
// object, or an array if they have no names. What a subscriber does not take is lost.
package event_datagram

import (
	"errors"
	"net"
	"strings"
	"time"

	"sipreactor/reactor/modules/internal/notify"
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
	s := &socket{network: network, address: address}
	s.queue = notify.NewQueue("event_datagram: a socket", &m.sent, &m.lost, s.deliver, s.end)
	return s, nil
}

// socket sends events in the order in which they were raised.
type socket struct {
	network, address string
	queue            *notify.Queue
	conn             net.Conn // of the queue's goroutine; nil none
}

// Send is script.EventSocket.
func (s *socket) Send(event string, params []script.Param) {
	b := (&notify.Call{Method: event, Params: params}).JSON()
	if len(b) > maxDatagram {
		s.queue.Lose()
		return
	}
	s.queue.Put(b)
}

// Close is script.EventSocket.
func (s *socket) Close() { s.queue.Close() }

func (s *socket) end() {
	if s.conn != nil {
		_ = s.conn.Close() // nothing is left to be sent
	}
}

func (s *socket) deliver(b []byte) (err error) {
	for range 2 { // a Unix socket may have been made anew
		if s.conn == nil {
			if s.conn, err = net.DialTimeout(s.network, s.address, patience); err != nil {
				s.conn = nil
				return err
			}
		}
		_ = s.conn.SetWriteDeadline(time.Now().Add(patience))
		if _, err = s.conn.Write(b); err == nil {
			return nil
		}
		_ = s.conn.Close()
		s.conn = nil
	}
	return err
}
