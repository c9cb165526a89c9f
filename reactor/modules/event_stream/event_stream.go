// Package event_stream is OpenSIPS' module event_stream: events over TCP, as JSON-RPC.
//
// An event is a notification, or with reliable_mode a request whose answer is awaited. The connection stays for the next
// event; a subscriber that has closed it is dialed once more. What it does not take, or does not confirm, is lost.
package event_stream

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"sipreactor/reactor/modules/internal/notify"
	"sipreactor/reactor/rescue"
	"sipreactor/reactor/script"
)

type module struct {
	reliable   bool
	timeout    time.Duration
	eventParam string
	sent, lost script.Count
}

var _ script.EventTransport = (*module)(nil)

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{timeout: time.Second}
	return &script.Module{
		Name: "event_stream", Help: "Sends events over TCP: tcp:host:port, or tcp:host:port/method.", Instance: m,
		Parameters: []script.Parameter{
			{Name: "reliable_mode", Type: script.BoolParam, Default: "0", Set: script.Into(&m.reliable), Help: "Whether events are requests whose answers are awaited."},
			{Name: "timeout", Type: script.IntParam, Min: 1, Max: 60000, Unit: "milliseconds", Default: "1000", Set: script.Milliseconds(&m.timeout), Help: "How long connecting, sending and the answer may take together."},
			{Name: "event_param", Type: script.StringParam, Set: script.NonEmpty(&m.eventParam), Help: "The name by which the parameters name the event, too."},
		},
		Statistics: []script.Statistic{
			{Name: "events_sent", Help: "Events that were sent, with reliable_mode those that were confirmed.", Count: &m.sent},
			{Name: "events_lost", Help: "Events that could not be sent, or were not confirmed.", Count: &m.lost},
		},
	}
}

// EventSchemes is script.EventTransport.
func (m *module) EventSchemes() []string { return []string{"tcp"} }

// EventSocket is script.EventTransport.
func (m *module) EventSocket(name string) (script.EventSocket, error) {
	_, rest, _ := strings.Cut(name, ":")
	address, method, given := strings.Cut(rest, "/")
	if host, port, err := net.SplitHostPort(address); err != nil || host == "" || port == "" || given && method == "" {
		return nil, errors.New("a socket is tcp:host:port or tcp:host:port/method")
	}
	s := &socket{address: address, method: method, reliable: m.reliable, timeout: m.timeout, eventParam: m.eventParam}
	s.queue = notify.NewQueue("event_stream: a socket", &m.sent, &m.lost, s.deliver, s.hangUp)
	return s, nil
}

// socket sends events in the order in which they were raised. The fields below queue are its goroutine's.
type socket struct {
	address, method, eventParam string
	reliable                    bool
	timeout                     time.Duration
	queue                       *notify.Queue

	conn    net.Conn // nil: none
	limited *io.LimitedReader
	answers *json.Decoder
	id      uint64
}

// Send is script.EventSocket.
func (s *socket) Send(event string, params []script.Param) {
	c := notify.Call{Method: s.method, EventParam: s.eventParam, Event: event, Params: params}
	if c.Method == "" {
		c.Method = event
	}
	s.queue.Put(c.JSON())
}

// Close is script.EventSocket.
func (s *socket) Close() { s.queue.Close() }

func (s *socket) hangUp() {
	if s.conn != nil {
		_ = s.conn.Close() // nothing is left to be sent
	}
	s.conn = nil
}

// deliver sends a message, over the connection that there is or a new one.
func (s *socket) deliver(b []byte) (err error) {
	if s.reliable {
		s.id++
		b = append(fmt.Appendf(nil, `{"id":%d,`, s.id), b[1:]...)
	}
	deadline := time.Now().Add(s.timeout)
	for range 2 {
		fresh := s.conn == nil
		if fresh {
			if s.conn, err = net.DialTimeout("tcp", s.address, s.timeout); err != nil {
				s.conn = nil
				return err
			}
			s.read()
		}
		_ = s.conn.SetWriteDeadline(deadline)
		if s.reliable {
			_ = s.conn.SetReadDeadline(deadline)
		}
		if err = s.exchange(b); err == nil || errors.Is(err, errAnswer) {
			return err
		}
		if s.hangUp(); fresh || !errors.Is(err, errClosed) {
			return err
		}
	}
	return err
}

// read prepares a new connection for the answers. Those to notifications are read over; that shows, too, when the
// subscriber closes.
func (s *socket) read() {
	if s.reliable {
		s.limited = &io.LimitedReader{R: s.conn}
		s.answers = json.NewDecoder(s.limited)
		return
	}
	conn := s.conn
	rescue.Go(nil, "event_stream: a connection", func() {
		_, _ = io.Copy(io.Discard, conn)
		_ = conn.Close() // so that the next event finds it closed
	})
}

var (
	errClosed = errors.New("the subscriber has closed the connection")
	errAnswer = errors.New("the subscriber answers with an error")
)

// maxAnswer bounds an answer.
const maxAnswer = 64 << 10

// exchange writes a message and reads its answer.
func (s *socket) exchange(b []byte) error {
	if _, err := s.conn.Write(b); err != nil {
		return errClosed
	}
	if !s.reliable {
		return nil
	}
	for {
		var answer struct {
			ID    json.Number     `json:"id"`
			Error json.RawMessage `json:"error"`
		}
		s.limited.N = maxAnswer
		switch err := s.answers.Decode(&answer); {
		case errors.Is(err, io.EOF):
			return errClosed
		case err != nil:
			return err
		case answer.ID.String() != fmt.Sprint(s.id): // that of one before, which came late
		case answer.Error != nil && string(answer.Error) != "null":
			return errAnswer
		default:
			return nil
		}
	}
}
