// Package rabbitmq is OpenSIPS' module rabbitmq: scripts send messages to a RabbitMQ broker.
package rabbitmq

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"

	"sipreactor/reactor/modules/internal/broker"
	"sipreactor/reactor/script"
)

// server is a broker that scripts name.
type server struct {
	broker.Publisher
	id                              string
	exchange                        string
	retries                         int
	immediate, mandatory, transient bool
}

type module struct {
	timeouts broker.Timeouts
	servers  []*server
	sent     script.Count
	lost     script.Count
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := new(module)
	text := script.TextArg
	return &script.Module{
		Name: "rabbitmq", Help: "Sends messages to RabbitMQ.", Instance: m,
		Parameters: append(m.timeouts.Parameters(true), script.Parameter{
			Name: "server_id", Type: script.StringParam, Set: m.add,
			Help: "A broker: [name] uri=amqp://user:password@host[; exchange=name][; retries=n][; heartbeat=seconds][; frames=bytes][; mandatory][; immediate][; non-persistent].",
		}),
		Functions: []script.Function{{
			Name: "rabbitmq_publish", Async: true,
			Usage: `rabbitmq_publish("name", "routing key", "message"[, "content type"[, $avp(names), $avp(values)]])`,
			Help:  "Sends a message to a broker, with headers from two AVPs. -1: it could not be sent.",
			Args:  []script.ArgKind{text, text, text, text, script.AVPArg, script.AVPArg}, Min: 3, Routes: script.Anywhere, Build: m.publish,
		}},
		Statistics: []script.Statistic{
			{Name: "messages_sent", Help: "Messages that were sent.", Count: &m.sent},
			{Name: "messages_lost", Help: "Messages that could not be sent.", Count: &m.lost},
		},
		Start: func(e *script.Env) error {
			for _, s := range m.servers {
				if s.mandatory {
					s.Returned = func(r amqp.Return) {
						e.Log.Warn("rabbitmq: a message reaches no queue", "server", s.id, "routing_key", r.RoutingKey, "why", r.ReplyText)
					}
				}
			}
			return nil
		},
		Stop: func(any) {
			for _, s := range m.servers {
				s.Close()
			}
		},
	}
}

// add reads a server_id.
func (m *module) add(v script.Literal) error {
	name, rest, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(v.Text), "["), "]")
	s := &server{id: strings.TrimSpace(name)}
	if !ok || s.id == "" || m.find(s.id) != nil {
		return errors.New("is [name] uri=amqp://host; …, with a name for each")
	}
	if err := broker.Settings(rest, func(name, value string) (err error) {
		switch name {
		case "exchange":
			s.exchange = value
		case "retries":
			s.retries, err = broker.Number(name, value, 0, 10)
		case "immediate":
			s.immediate = true
		case "mandatory":
			s.mandatory = true
		case "non-persistent":
			s.transient = true
		default:
			known := false
			if known, err = s.Server.Common(name, value); !known {
				return fmt.Errorf("has the unknown %s%s", script.Clip(name), script.Choices(name, []string{"uri", "exchange", "retries", "immediate", "mandatory", "non-persistent", "frames", "heartbeat"}))
			}
		}
		return err
	}); err != nil {
		return err
	}
	if !s.Server.Known() {
		return errors.New("has no uri")
	}
	m.servers = append(m.servers, s)
	return nil
}

func (m *module) find(id string) *server {
	if i := slices.IndexFunc(m.servers, func(s *server) bool { return s.id == id }); i >= 0 {
		return m.servers[i]
	}
	return nil
}

func (m *module) publish(a *script.Args) script.Action {
	id, key, body, kind, names, values, at := a.Text(0), a.Text(1), a.Text(2), a.Text(3), a.AVP(4), a.AVP(5), a.Site()
	if fixed, ok := a.Fixed(0); ok && m.find(fixed) == nil {
		a.Errorf(0, "there is no server_id %s", script.Clip(fixed))
		return nil
	}
	if (names == nil) != (values == nil) {
		a.Errorf(-1, "the names of headers and their values go together")
		return nil
	}
	return func(x *script.Machine) int {
		name, _ := id(x)
		s := m.find(string(name))
		k, keyed := key(x)
		b, ok := body(x)
		if s == nil || !keyed || !ok {
			return x.Fail(at, "there is no such server, or an argument is NULL")
		}
		t, _ := kind(x)
		p := broker.Message{Exchange: s.exchange, Key: string(k), Mandatory: s.mandatory, Immediate: s.immediate,
			Publishing: amqp.Publishing{Body: []byte(string(b)), ContentType: string(t), DeliveryMode: amqp.Persistent}}
		if s.transient {
			p.DeliveryMode = amqp.Transient
		}
		if names != nil {
			if names.Len(x) != values.Len(x) {
				return x.Fail(at, "there are more names of headers than values, or fewer")
			}
			p.Headers = amqp.Table{}
			for i := range names.Len(x) {
				p.Headers[string(x.Text(names.Get(x, i)))] = string(x.Text(values.Get(x, i)))
			}
		}
		var err error
		if !x.Wait(func() { err = s.Publish(m.timeouts, &p, s.retries) }) {
			err = errors.New("too many messages wait")
		}
		if err != nil {
			m.lost.Add(1)
			x.Say(at, script.LevelError, "rabbitmq: a message is not sent", "server", s.id, "error", err)
			return -1
		}
		m.sent.Add(1)
		return 1
	}
}
