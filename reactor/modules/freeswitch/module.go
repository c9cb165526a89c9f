package freeswitch

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor/rescue"
	"sipreactor/reactor/script"
)

// Module is the module in one configuration, for the modules that use it.
type Module struct {
	heartbeat, connectTimeout, commandTimeout time.Duration

	log       *slog.Logger
	env       *script.Env // nil: not started
	connected atomic.Int64

	mu      sync.Mutex
	servers map[URL]*server
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &Module{heartbeat: time.Second, connectTimeout: 5 * time.Second, commandTimeout: 5 * time.Second, log: slog.New(slog.DiscardHandler), servers: map[URL]*server{}}
	number := script.IntParam
	return &script.Module{
		Name: "freeswitch", Help: "Connects to the Event Socket of FreeSWITCH servers, for load_balancer, dispatcher and freeswitch_scripting.", Instance: m,
		Parameters: []script.Parameter{
			{Name: "event_heartbeat_interval", Type: number, Min: 1, Max: 3600, Unit: "seconds", Default: "1", Help: "How often a server tells its load; one of which nothing is heard for three times as long, a minute at least, is dialled again.", Set: script.Seconds(&m.heartbeat)},
			{Name: "esl_connect_timeout", Type: number, Min: 1, Max: 60000, Unit: "milliseconds", Default: "5000", Help: "How long a connect may take.", Set: script.Milliseconds(&m.connectTimeout)},
			{Name: "esl_cmd_timeout", Type: number, Min: 1, Max: 60000, Unit: "milliseconds", Default: "5000", Help: "How long a command, or the login, may take.", Set: script.Milliseconds(&m.commandTimeout)},
			{Name: "esl_cmd_polling_itv", Type: number, Unit: "µs", Help: "The pause between two looks for an answer.", Note: "an answer is awaited, not polled for"},
		},
		Statistics: []script.Statistic{
			{Name: "servers", Help: "Servers that are followed.", Gauge: true, Value: m.followed},
			{Name: "connections", Help: "Connections to servers that are followed.", Gauge: true, Value: func() uint64 { return uint64(max(m.connected.Load(), 0)) }},
		},
		Start: func(e *script.Env) error {
			m.log, m.env = e.Log, e
			return nil
		},
		Stop: func(any) { m.stop() },
	}
}

// silence is after what time without a word a connection is given up.
func (m *Module) silence() time.Duration { return max(3*m.heartbeat, time.Minute) }

func (m *Module) followed() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return uint64(len(m.servers))
}

// Follow replaces what an owner, a module's name, follows. Servers that nobody follows any
// more are left. The module has started.
func (m *Module) Follow(owner string, subs []Subscription) {
	if m.env == nil || m.env.Trial {
		return
	}
	by := make(map[URL][]Subscription)
	for _, s := range subs {
		by[s.URL] = append(by[s.URL], s)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for u := range by {
		if m.servers[u] == nil {
			s := &server{m: m, url: u, subs: map[string][]Subscription{}, change: make(chan struct{}, 1)}
			var ctx context.Context
			ctx, s.cancel = context.WithCancel(context.Background())
			m.servers[u] = s
			m.env.Go(func(module context.Context) {
				defer context.AfterFunc(module, s.cancel)()
				defer s.cancel()
				s.run(ctx)
			})
		}
	}
	for u, s := range m.servers {
		s.mu.Lock()
		if list := by[u]; list != nil {
			s.subs[owner] = list
		} else {
			delete(s.subs, owner)
		}
		left := len(s.subs) == 0
		s.mu.Unlock()
		if !left {
			s.changed()
			continue
		}
		delete(m.servers, u)
		s.cancel()
	}
}

// ErrPassword is that there is no password for a server that nobody follows.
var ErrPassword = errors.New("nobody follows the server, so its URL has to have the password")

// Run has a server carry out a command, over the connection that there is or, given the
// password, over one for it alone. It may block.
func (m *Module) Run(ctx context.Context, u URL, command string) (string, error) {
	if s := m.server(u); s != nil {
		s.mu.Lock()
		c := s.conn
		s.mu.Unlock()
		if c != nil {
			return c.run(ctx, command)
		}
		u = s.url
	}
	if u.Password == "" {
		return "", ErrPassword
	}
	ctx, cancel := context.WithTimeout(ctx, m.connectTimeout+2*m.commandTimeout)
	defer cancel()
	c, read, err := dial(ctx, u, m.connectTimeout, m.commandTimeout, nil, m.log)
	if err != nil {
		return "", err
	}
	done := make(chan struct{})
	rescue.Go(m.log, "freeswitch: a command", func() {
		defer close(done)
		_ = read(m.silence()) // the command tells
	})
	defer func() { <-done }()
	defer c.end()
	return c.run(ctx, command)
}

// server gives the one that is followed and that a URL means: without a password, that at its
// address.
func (m *Module) server(u URL) *server {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.servers[u]; s != nil || u.Password != "" {
		return s
	}
	for other, s := range m.servers {
		if other.Host == u.Host && other.Port == u.Port {
			return s
		}
	}
	return nil
}

func (m *Module) stop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.servers) // their goroutines have ended with the module
}
