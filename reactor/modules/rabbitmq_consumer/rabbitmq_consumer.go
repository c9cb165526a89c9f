// Package rabbitmq_consumer is OpenSIPS' module rabbitmq_consumer: messages in queues of a
// RabbitMQ broker become events.
package rabbitmq_consumer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"sipreactor/reactor/modules/internal/broker"
	"sipreactor/reactor/script"
)

// consumer is a queue and the event that its messages raise.
type consumer struct {
	server         broker.Server
	queue, event   string
	ack, exclusive bool
}

type module struct {
	timeouts  broker.Timeouts
	retry     time.Duration
	consumers []*consumer
	messages  script.Count
	env       *script.Env
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{retry: 5 * time.Second}
	declared := &script.Module{
		Name: "rabbitmq_consumer", Help: "Raises an event for each message in a queue of RabbitMQ; its parameter body is the message.", Instance: m,
		Statistics: []script.Statistic{{Name: "messages", Help: "Messages that came.", Count: &m.messages}},
		Start:      m.start,
	}
	declared.Parameters = append(m.timeouts.Parameters(false),
		script.Parameter{Name: "retry_timeout", Type: script.IntParam, Min: 1, Max: 3600000, Unit: "milliseconds", Default: "5000", Help: "The pause before a lost connection is made again.", Set: script.Milliseconds(&m.retry)},
		script.Parameter{
			Name: "connection_id", Type: script.StringParam, Help: "A queue and its event: uri=amqp://user:password@host; queue=name; event=name[; ack][; exclusive][; heartbeat=seconds][; frame_max=bytes].",
			Set: func(v script.Literal) error {
				c, err := parse(v.Text)
				if err != nil {
					return err
				}
				m.consumers = append(m.consumers, c)
				if !slices.ContainsFunc(declared.Events, func(e script.Event) bool { return e.Name == c.event }) {
					declared.Events = append(declared.Events, script.Event{Name: c.event, Help: "A message has come.", Params: []string{"body"}})
				}
				return nil
			},
		})
	return declared
}

func parse(text string) (*consumer, error) {
	c := new(consumer)
	if err := broker.Settings(text, func(name, value string) error {
		switch name {
		case "queue":
			c.queue = value
		case "event":
			c.event = value
		case "ack":
			c.ack = true
		case "exclusive":
			c.exclusive = true
		default:
			if known, err := c.server.Common(name, value); known {
				return err
			}
			return fmt.Errorf("has the unknown %s%s", script.Clip(name), script.Choices(name, []string{"uri", "queue", "event", "ack", "exclusive", "frame_max", "heartbeat"}))
		}
		return nil
	}); err != nil {
		return nil, err
	}
	if !c.server.Known() || c.queue == "" || c.event == "" {
		return nil, errors.New("has to have uri, queue and event")
	}
	return c, nil
}

func (m *module) start(e *script.Env) error {
	m.env = e
	for _, c := range m.consumers {
		e.Go(func(ctx context.Context) { m.consume(ctx, c) })
	}
	return nil
}

// consume holds a connection until the module ends.
func (m *module) consume(ctx context.Context, c *consumer) {
	select {
	case <-m.env.Running:
	case <-ctx.Done():
		return
	}
	told := false
	for {
		began := time.Now()
		err := m.once(ctx, c)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > time.Minute {
			told = false
		}
		if !told {
			told = true
			m.env.Log.Warn("rabbitmq_consumer: no messages come", "queue", c.queue, "why", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(m.retry):
		}
	}
}

// unconfirmed bounds the messages that are with us and not acknowledged.
const unconfirmed = 256

// once connects and raises events until the connection ends.
func (m *module) once(ctx context.Context, c *consumer) error {
	conn, err := c.server.Dial(m.timeouts)
	if err != nil {
		return err
	}
	end := func() { _ = conn.CloseDeadline(time.Now().Add(time.Second)) } // nothing is left to be sent
	defer end()
	defer context.AfterFunc(ctx, end)()
	ch, err := conn.Channel()
	if err != nil {
		return err
	}
	why := ch.NotifyClose(make(chan *amqp.Error, 1))
	if c.ack {
		if err := ch.Qos(unconfirmed, 0, false); err != nil {
			return err
		}
	}
	messages, err := ch.Consume(c.queue, "", !c.ack, c.exclusive, false, false, nil)
	if err != nil {
		return err
	}
	for d := range messages {
		m.messages.Add(1)
		m.env.Raise(c.event, script.TextParam("body", string(d.Body)))
		if c.ack {
			if err := d.Ack(false); err != nil {
				return err
			}
		}
	}
	if e := <-why; e != nil {
		return e
	}
	return errors.New("the broker has ended the connection")
}
