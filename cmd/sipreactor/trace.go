package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"

	"sipreactor/reactor"
	"sipreactor/reactor/hep"
	"sipreactor/reactor/mi"
	"sipreactor/reactor/script"
)

// tracing tells collectors what happens to connections: the tracer and a sender for each collector that something
// is traced to.
type tracing struct {
	*hep.Tracer
	senders map[string]*hep.Sender
}

// newTracing makes what the configuration says of proto_hep and of trace_destination. Whoever gets it closes it.
func newTracing(cfg *script.Config, log *slog.Logger) (*tracing, error) {
	t := &tracing{senders: make(map[string]*hep.Sender)}
	c := &cfg.Trace
	hc := hep.Config{
		Style:     hep.Style{Homer5: c.Homer5, Delimiter: c.Homer5Delim},
		CaptureID: c.CaptureID,
		AuthKey:   c.AuthKey,
		Logger:    log,
	}
	for _, l := range []struct {
		lane *hep.Lane
		conn *script.ConnTrace
	}{{&hc.TLS, &c.TLS}, {&hc.TCP, &c.TCP}} {
		l.lane.On = l.conn.On
		if l.conn.FilterRoute != "" {
			route := l.conn.FilterRoute
			l.lane.Filter = func(src *reactor.Source) bool { return cfg.Program.Filter(route, src) }
		}
		if l.conn.Destination == "" {
			continue
		}
		var err error
		if l.lane.To, err = t.sender(c, l.conn.Destination, log); err != nil {
			t.close()
			return nil, err
		}
	}
	t.Tracer = hep.New(hc)
	return t, nil
}

// sender gives the sender to a collector, made when it is first asked for.
func (t *tracing) sender(c *script.TraceConfig, name string, log *slog.Logger) (*hep.Sender, error) {
	if s := t.senders[name]; s != nil {
		return s, nil
	}
	for _, d := range c.Destinations {
		if d.Name != name {
			continue
		}
		sc := hep.SenderConfig{
			Destination: hep.Destination{Name: d.Name, Host: d.Host, Port: d.Port, Transport: hep.Transport(d.Transport)},
			Queue:       c.MaxMessages,
			Logger:      log,
		}
		if sc.Destination.Transport == hep.TLS {
			sc.Dial = dialTLS(d.Host)
		}
		s, err := hep.NewSender(sc)
		if err != nil {
			return nil, fmt.Errorf("%v: %w", d.Pos, err)
		}
		t.senders[name] = s
		return s, nil
	}
	return nil, fmt.Errorf("trace_destination %q is no hep_id", name)
}

// dialTLS connects to a collector and checks its certificate against the system's authorities.
func dialTLS(host string) func(ctx context.Context, network, addr string) (net.Conn, error) {
	d := tls.Dialer{Config: &tls.Config{ServerName: host}}
	return d.DialContext
}

// close ends the senders; what waits is sent for a moment.
func (t *tracing) close() {
	for _, s := range t.senders {
		s.Close()
	}
}

// collectors tells what became of the packets for each collector, by name.
func (t *tracing) collectors() []mi.TraceCollector {
	var all []mi.TraceCollector
	for _, name := range slices.Sorted(maps.Keys(t.senders)) {
		s := t.senders[name].Stats()
		all = append(all, mi.TraceCollector{Name: name, Sent: s.Sent, Dropped: s.Dropped, Redials: s.Redials, Queued: s.Queued})
	}
	return all
}

// tlsSwitch is what tls_trace turns.
type tlsSwitch struct{ t *hep.Tracer }

// On tells whether TLS connections are traced.
func (s tlsSwitch) On() bool { return s.t.On(reactor.TLS) }

// Set turns the tracing of TLS connections.
func (s tlsSwitch) Set(on bool) { s.t.Switch(reactor.TLS, on) }

// observers are told one after the other.
type observers []reactor.Observer

// Observe tells all of them.
func (o observers) Observe(e *reactor.Event) {
	for _, one := range o {
		one.Observe(e)
	}
}
