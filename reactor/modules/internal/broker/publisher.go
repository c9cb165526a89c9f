package broker

import (
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"sipreactor/reactor/rescue"
)

// Publisher sends messages to a broker, over a connection that it makes and keeps. Any goroutine
// may use it; one that publishes waits for the one before.
type Publisher struct {
	Server Server
	// Returned is told of messages that had to reach a queue and could not; nil: nobody is.
	Returned func(r amqp.Return)

	mu      sync.Mutex
	conn    *amqp.Connection // nil: none
	channel *amqp.Channel
	failed  error // why there is none, until again
	again   time.Time
}

// pause is for how long a broker that could not be reached is left alone.
const pause = time.Second

// Message is what is published, and to whom.
type Message struct {
	Exchange, Key        string
	Mandatory, Immediate bool
	amqp.Publishing
}

// Publish sends a message. Over a connection that turns out to have ended it is tried once more,
// and retries times where the broker cannot be reached. One that could not be reached a moment
// ago fails at once.
func (p *Publisher) Publish(t Timeouts, m *Message, retries int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn == nil && time.Now().Before(p.again) {
		return p.failed
	}
	for old := p.conn != nil; ; old = false {
		err := p.try(t, m)
		if err == nil {
			return nil
		}
		p.hangUp()
		if old {
			continue
		}
		if retries--; retries < 0 {
			p.failed, p.again = err, time.Now().Add(pause)
			return err
		}
	}
}

func (p *Publisher) try(t Timeouts, m *Message) (err error) {
	if p.conn == nil {
		if p.conn, err = p.Server.Dial(t); err != nil {
			p.conn = nil
			return err
		}
		if p.channel, err = p.conn.Channel(); err != nil {
			return err
		}
		if p.Returned != nil {
			returned := p.channel.NotifyReturn(make(chan amqp.Return, 16))
			rescue.Go(nil, "rabbitmq: returned messages", func() {
				for r := range returned {
					p.Returned(r)
				}
			})
		}
	}
	if p.channel.IsClosed() {
		return amqp.ErrClosed
	}
	return p.channel.Publish(m.Exchange, m.Key, m.Mandatory, m.Immediate, m.Publishing)
}

func (p *Publisher) hangUp() {
	if p.conn != nil {
		_ = p.conn.CloseDeadline(time.Now().Add(pause)) // nothing is left to be sent
	}
	p.conn, p.channel = nil, nil
}

// Close ends the connection.
func (p *Publisher) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hangUp()
}
