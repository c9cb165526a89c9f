// Package event_rabbitmq is OpenSIPS' module event_rabbitmq: events to a RabbitMQ broker, as
// JSON-RPC notifications. What a broker does not take is lost, and counted.
package event_rabbitmq

import (
	"errors"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"sipreactor/reactor/modules/internal/broker"
	"sipreactor/reactor/modules/internal/notify"
	"sipreactor/reactor/script"
)

type module struct {
	timeouts   broker.Timeouts
	heartbeat  time.Duration
	sent, lost script.Count
}

var _ script.EventTransport = (*module)(nil)

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := new(module)
	return &script.Module{
		Name: "event_rabbitmq", Help: "Sends events to RabbitMQ: " + usage + ".", Instance: m,
		Parameters: append(m.timeouts.Parameters(true),
			script.Parameter{Name: "heartbeat", Type: script.IntParam, Max: 3600, Unit: "seconds", Default: "0", Help: "The pause between two signs of life; 0 is what the broker says.", Set: script.Seconds(&m.heartbeat)}),
		Statistics: []script.Statistic{
			{Name: "events_sent", Help: "Events that were sent.", Count: &m.sent},
			{Name: "events_lost", Help: "Events that could not be sent.", Count: &m.lost},
		},
	}
}

const usage = "rabbitmq:[user[:password]@]host[:port]/[exchange=name;persistent?]routing key"

// EventSchemes is script.EventTransport.
func (m *module) EventSchemes() []string { return []string{"rabbitmq"} }

// EventSocket is script.EventTransport.
func (m *module) EventSocket(name string) (script.EventSocket, error) {
	where, rest, ok := strings.Cut(strings.TrimPrefix(name, "rabbitmq:"), "/")
	s := &socket{timeouts: m.timeouts}
	if params, key, given := strings.Cut(rest, "?"); given {
		rest = key
		if err := s.params(params); err != nil {
			return nil, err
		}
	}
	server, err := broker.Parse("amqp://" + where + "/")
	if !ok || rest == "" || strings.HasSuffix(where, "@") || where == "" || err != nil {
		return nil, errors.New("a socket is " + usage)
	}
	server.Heartbeat = m.heartbeat
	s.publisher.Server, s.message.Key = server, rest
	s.queue = notify.NewQueue("event_rabbitmq: a socket", &m.sent, &m.lost, s.deliver, s.publisher.Close)
	return s, nil
}

// socket sends events in the order in which they were raised.
type socket struct {
	timeouts  broker.Timeouts
	publisher broker.Publisher
	message   broker.Message
	queue     *notify.Queue
}

// params reads what stands before the routing key; one alone is the exchange, as OpenSIPS 2 had it.
func (s *socket) params(text string) error {
	if !strings.ContainsAny(text, "=;") && text != "persistent" {
		s.message.Exchange = text
		return nil
	}
	return broker.Settings(text, func(name, value string) error {
		switch name {
		case "exchange":
			s.message.Exchange = value
		case "persistent":
			s.message.DeliveryMode = amqp.Persistent
		case "tls_domain":
			return broker.ErrDomain
		default:
			return errors.New("has the parameter " + script.Clip(name) + ": there are exchange and persistent")
		}
		return nil
	})
}

// Send is script.EventSocket.
func (s *socket) Send(event string, params []script.Param) {
	s.queue.Put((&notify.Call{Method: event, Params: params}).JSON())
}

// Close is script.EventSocket.
func (s *socket) Close() { s.queue.Close() }

func (s *socket) deliver(b []byte) error {
	s.message.Body = b
	return s.publisher.Publish(s.timeouts, &s.message, 0)
}
