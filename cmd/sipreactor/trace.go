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
	"sipreactor/reactor/modules/proto_hep"
	"sipreactor/reactor/modules/proto_tls"
	"sipreactor/reactor/modules/tracer"
	"sipreactor/reactor/script"
)

// tracing tells collectors what happens to connections: the tracer and a sender for each collector that something
// is traced to.
type tracing struct {
	*hep.Tracer
	senders      map[string]*hep.Sender
	destinations []proto_hep.Destination
	begun        *begunTraces // nil until the tracer is made
}

// newTracing makes what the configuration says of proto_hep and of trace_destination. Whoever gets it closes it.
func newTracing(cfg *script.Config, program func() *script.Program, log *slog.Logger) (*tracing, error) {
	c := proto_hep.Of(cfg)
	t := &tracing{senders: make(map[string]*hep.Sender), destinations: c.Destinations}
	hc := hep.Config{
		Style:     hep.Style{Homer5: c.Homer5, Delimiter: c.Homer5Delim},
		CaptureID: c.CaptureID,
		AuthKey:   c.AuthKey,
		Secrets:   said[proto_tls.Config](cfg, "proto_tls").MasterKey,
		Logger:    log,
	}
	for _, l := range []struct {
		lane *hep.Lane
		conn *proto_hep.ConnTrace
	}{{&hc.TLS, connTrace(cfg, reactor.TLS)}, {&hc.TCP, connTrace(cfg, reactor.TCP)},
		{&hc.WS, connTrace(cfg, reactor.WS)}, {&hc.WSS, connTrace(cfg, reactor.WSS)}} {
		l.lane.On = l.conn.On
		if l.conn.FilterRoute != "" {
			route := l.conn.FilterRoute
			l.lane.Filter = func(src *reactor.Source) bool { return program().Filter(route, src) }
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
	if err := t.traceIDs(&hc, cfg, log); err != nil {
		t.close()
		return nil, err
	}
	t.Tracer = hep.New(hc)
	t.begun = &begunTraces{t: t, program: program, queue: c.MaxMessages, log: log}
	cfg.Program.SetTracer(func(id string) script.MessageTrace {
		if m := t.Messages(id); m != nil {
			return m
		}
		return nil
	})
	return t, nil
}

// traceIDs makes what SIP messages are traced to; several trace_ids of one name become one.
func (t *tracing) traceIDs(hc *hep.Config, cfg *script.Config, log *slog.Logger) error {
	c := said[tracer.Config](cfg, "tracer")
	hc.SIP.On = c.On
	for _, id := range c.IDs {
		to, err := t.sender(proto_hep.Of(cfg), id.Destination, log)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(hc.SIP.IDs, func(other hep.TraceID) bool { return other.Name == id.Name })
		if i < 0 {
			i = len(hc.SIP.IDs)
			hc.SIP.IDs = append(hc.SIP.IDs, hep.TraceID{Name: id.Name})
		}
		hc.SIP.IDs[i].To = append(hc.SIP.IDs[i].To, to)
	}
	return nil
}

// sender gives the sender to a collector, made when it is first asked for.
func (t *tracing) sender(c *proto_hep.Config, name string, log *slog.Logger) (*hep.Sender, error) {
	if s := t.senders[name]; s != nil {
		return s, nil
	}
	for _, d := range c.Destinations {
		if d.Name != name {
			continue
		}
		s, err := newSender(hepDestination(&d), c.MaxMessages, log)
		if err != nil {
			return nil, fmt.Errorf("%v: %w", d.Pos, err)
		}
		t.senders[name] = s
		return s, nil
	}
	return nil, fmt.Errorf("trace_destination %q is no hep_id", name)
}

// newSender makes a sender with a queue of so many packets. Whoever gets it closes it.
func newSender(d hep.Destination, queue int, log *slog.Logger) (*hep.Sender, error) {
	sc := hep.SenderConfig{Destination: d, Queue: queue, Logger: log}
	if d.Transport == hep.TLS {
		sc.Dial = dialTLS(d.Host)
	}
	return hep.NewSender(sc)
}

func hepDestination(d *proto_hep.Destination) hep.Destination {
	return hep.Destination{Name: d.Name, Host: d.Host, Port: d.Port, Transport: hep.Transport(d.Transport)}
}

// connTrace returns what the module of a protocol says of tracing its connections.
func connTrace(cfg *script.Config, p reactor.Proto) *proto_hep.ConnTrace {
	if p == reactor.TLS {
		return &said[proto_tls.Config](cfg, "proto_tls").Trace
	}
	return said[proto_hep.ConnTrace](cfg, "proto_"+p.String())
}

// said returns what a configuration says of a module: its Instance, or nothing, the zero value,
// if it is not loaded.
func said[T any](cfg *script.Config, module string) *T {
	if c, ok := cfg.Instance(module).(*T); ok {
		return c
	}
	return new(T)
}

// settleMasterKey keeps the secrets of connections from a collector to whom others on the way can listen: they are left
// out, or an error when somebody asked for them and did not ask again.
func settleMasterKey(cfg *script.Config, log *slog.Logger) error {
	c, all := said[proto_tls.Config](cfg, "proto_tls"), proto_hep.Of(cfg).Destinations
	if !c.MasterKey || c.MasterKeyInClear {
		return nil
	}
	for i := range all {
		d := &all[i]
		if d.Name != c.Trace.Destination && d.Name != connTrace(cfg, reactor.WSS).Destination {
			continue
		}
		to := hepDestination(d)
		switch {
		case to.Private():
		case c.MasterKeyAt != (script.Pos{}):
			return fmt.Errorf("%v: trace_master_key sends the secrets of connections to %v, which is neither on this machine nor TLS: "+
				"transport=tls protects them, trace_master_key 0 keeps them here, and trace_master_key_in_clear 1 sends them all the same", c.MasterKeyAt, to)
		default:
			c.MasterKey = false
			log.Warn("the secrets of connections are not traced: the collector is neither on this machine nor TLS; see trace_master_key",
				"destination", to.String())
		}
	}
	return nil
}

// dialTLS connects to a collector and checks its certificate against the system's authorities.
func dialTLS(host string) func(ctx context.Context, network, addr string) (net.Conn, error) {
	d := tls.Dialer{Config: &tls.Config{ServerName: host}}
	return d.DialContext
}

// close ends the senders; what waits is sent for a moment.
func (t *tracing) close() {
	if t.begun != nil {
		t.begun.close()
	}
	for _, s := range t.senders {
		s.Close()
	}
}

// collectors tells what became of the packets for each collector, by name.
func (t *tracing) collectors() []mi.TraceCollector {
	var all []mi.TraceCollector
	for _, name := range slices.Sorted(maps.Keys(t.senders)) {
		all = append(all, traceCollector(name, t.senders[name].Stats()))
	}
	return append(all, t.begun.collectors()...)
}

func traceCollector(name string, s hep.SenderStats) mi.TraceCollector {
	return mi.TraceCollector{Name: name, Sent: s.Sent, Dropped: s.Dropped, Redials: s.Redials, Queued: s.Queued}
}

// switches are what turns the tracing of connections, TLS always.
func (t *tracing) switches(cfg *script.Config) (all []mi.ConnTrace) {
	for _, p := range [...]reactor.Proto{reactor.TLS, reactor.TCP, reactor.WS, reactor.WSS} {
		if p == reactor.TLS || slices.Contains(cfg.Modules, "proto_"+p.String()) {
			all = append(all, mi.ConnTrace{Switch: connSwitch{t.Tracer, p}, Proto: p, Nowhere: connTrace(cfg, p).Destination == ""})
		}
	}
	return all
}

// connSwitch is what tls_trace, ws_trace and wss_trace turn.
type connSwitch struct {
	t *hep.Tracer
	p reactor.Proto
}

// On tells whether connections of the protocol are traced.
func (s connSwitch) On() bool { return s.t.On(s.p) }

// Set turns their tracing.
func (s connSwitch) Set(on bool) { s.t.Switch(s.p, on) }

// messageSwitch is what trace turns when it names no trace_id.
type messageSwitch struct{ t *hep.Tracer }

// On tells whether SIP messages are traced.
func (s messageSwitch) On() bool { return s.t.MessagesOn() }

// Set turns the tracing of SIP messages.
func (s messageSwitch) Set(on bool) { s.t.SwitchMessages(on) }

// idSwitch is what trace turns for one trace_id.
type idSwitch struct{ m *hep.Messages }

// On tells whether SIP messages are traced by the trace_id.
func (s idSwitch) On() bool { return s.m.On() }

// Set turns the tracing by the trace_id.
func (s idSwitch) Set(on bool) { s.m.Switch(on) }

// messages is what the commands of module tracer act on.
func (t *tracing) messages() *mi.Tracer {
	all := &mi.Tracer{All: messageSwitch{t.Tracer}, Begun: t.begun}
	for _, m := range t.AllMessages() {
		id := m.ID()
		for _, to := range id.To {
			all.IDs = append(all.IDs, mi.TraceID{Name: id.Name, URI: to.Destination().Address(), Switch: idSwitch{m}})
		}
	}
	return all
}

// observers are told one after the other.
type observers []reactor.Observer

// Observe tells all of them.
func (o observers) Observe(e *reactor.Event) {
	for _, one := range o {
		one.Observe(e)
	}
}
