package main

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"sipreactor/reactor/hep"
	"sipreactor/reactor/mi"
	"sipreactor/reactor/script"
)

// maxBegun bounds the traces that commands have begun.
const maxBegun = 16

// begunTraces are the traces that commands have begun; each has a sender of its own.
type begunTraces struct {
	t       *tracing
	program func() *script.Program
	queue   int // bounds the packets that wait for one collector
	log     *slog.Logger

	mu     sync.Mutex
	list   []begunTrace
	ended  hep.SenderStats // of senders that are gone
	closed bool
}

// begunTrace is one of them.
type begunTrace struct {
	start    mi.TraceStart
	messages *hep.Messages
	sender   *hep.Sender
}

// Start begins a trace: mi.BegunTraces.
func (b *begunTraces) Start(s mi.TraceStart) error {
	d, err := b.destination(s)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return errors.New("the program ends")
	case len(b.list) >= maxBegun:
		return fmt.Errorf("%d traces are under way, which is the most; trace_stop ends one", maxBegun)
	}
	for i := range b.list {
		if b.list[i].start.ID == s.ID {
			return fmt.Errorf("the id %q is taken", s.ID)
		}
	}
	to, err := newSender(d, b.queue, b.log)
	if err != nil {
		return err
	}
	messages := b.t.NewMessages(hep.TraceID{Name: s.ID, To: []*hep.Sender{to}})
	b.list = append(b.list, begunTrace{s, messages, to})
	b.tell()
	if !d.Private() {
		b.log.Warn("SIP messages are traced where others can read them", "id", s.ID, "destination", d.String())
	}
	return nil
}

// destination reads where a trace goes: hep: and a hep_id, or host:port and parameters as a hep_id has them.
func (b *begunTraces) destination(s mi.TraceStart) (hep.Destination, error) {
	rest, ok := strings.CutPrefix(s.URI, "hep:")
	if !ok {
		return hep.Destination{}, fmt.Errorf("uri %q: messages are traced to HEP collectors only, hep:host:port or hep:hep_id", s.URI)
	}
	for _, d := range b.t.destinations {
		if d.Name == rest {
			to := hepDestination(&d)
			to.Name = begunName(s.ID)
			return to, nil
		}
	}
	d, err := hep.ParseID("[" + begunName(s.ID) + "]" + rest)
	if err != nil {
		return d, fmt.Errorf("uri %q: hep:host[:port][;transport=udp|tcp|tls] or hep:hep_id: %w", s.URI, err)
	}
	return d, nil
}

// begunName is a collector's name in metrics and in the log; no bracket ends it early.
func begunName(id string) string { return "trace_start:" + strings.ReplaceAll(id, "]", "_") }

// Stop ends a trace: mi.BegunTraces. What waits is sent for a moment.
func (b *begunTraces) Stop(id string) error {
	one, ok := b.take(id)
	if !ok {
		return fmt.Errorf("trace_start began none of the id %q", id)
	}
	b.end(one)
	return nil
}

// take removes a trace: nothing more is given to its sender.
func (b *begunTraces) take(id string) (one begunTrace, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, one := range b.list {
		if one.start.ID == id {
			b.list = append(b.list[:i:i], b.list[i+1:]...)
			b.tell()
			return one, true
		}
	}
	return one, false
}

// end closes a trace's sender, which may wait, and keeps what it has counted.
func (b *begunTraces) end(one begunTrace) {
	one.sender.Close()
	s := one.sender.Stats()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended.Sent += s.Sent
	b.ended.Dropped += s.Dropped
	b.ended.Redials += s.Redials
}

// tell gives the script what there is to trace.
func (b *begunTraces) tell() {
	list := make([]script.BegunTrace, len(b.list))
	for i, one := range b.list {
		s := &one.start
		list[i] = script.BegunTrace{To: one.messages, Caller: s.Caller, Callee: s.Callee, IP: s.IP, Responses: s.Responses}
	}
	b.program().SetBegunTraces(list)
}

// List gives the traces: mi.BegunTraces.
func (b *begunTraces) List() (ids []mi.TraceID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, one := range b.list {
		ids = append(ids, mi.TraceID{Name: one.start.ID, URI: one.sender.Destination().Address(), Switch: idSwitch{one.messages}})
	}
	return ids
}

// collectors tells what became of the packets; those of ended traces are one.
func (b *begunTraces) collectors() (all []mi.TraceCollector) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, one := range b.list {
		all = append(all, traceCollector(one.sender.Destination().Name, one.sender.Stats()))
	}
	if b.ended != (hep.SenderStats{}) {
		all = append(all, traceCollector("trace_start", b.ended))
	}
	return all
}

// close ends all of them.
func (b *begunTraces) close() {
	b.mu.Lock()
	list := b.list
	b.closed, b.list = true, nil
	b.tell()
	b.mu.Unlock()
	for _, one := range list {
		b.end(one)
	}
}
