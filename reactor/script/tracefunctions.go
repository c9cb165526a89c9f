package script

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
)

// MessageTrace is the tracing of messages by one trace_id, such as a
// *hep.Messages. Workers call it, many at once: it must not block.
type MessageTrace interface {
	// Active tells whether messages are traced at the moment.
	Active() bool
	// Trace takes a message that came from src at a time, or is outgoing to it.
	// All arguments are borrowed. An empty correlation id leaves it to the trace.
	Trace(src *reactor.Source, at time.Time, data []byte, outgoing bool, correlation []byte)
}

// SetTracer gives trace() what each trace_id of the configuration stands for;
// nil, and all of them without this call, trace nothing. Call it before the
// first message.
func (p *Program) SetTracer(find func(traceID string) MessageTrace) {
	for i, name := range p.traceIDs {
		p.traces[i] = find(name)
	}
}

// legs are the sides of a stateless proxy: where requests come from and replies
// go to, and where requests go to and replies come from.
type legs uint8

const (
	callerLeg legs = 1 << iota
	calleeLeg
	bothLegs = callerLeg | calleeLeg
)

// traced is one trace_id by which a message is traced.
type traced struct {
	id          int
	to          MessageTrace
	legs        legs
	correlation []byte
	// only is where a reply has to go to be traced; at is when it came, which is
	// traced then. Both are zero where that does not matter, or is done.
	only netip.Addr
	at   time.Time
}

// witness passes on what is sent because of a traced message: proxy.Witness.
type witness struct {
	list []traced
	c    *proxy.Context // of entries that tell how the message came when it goes
}

// Sent passes one message on.
func (w *witness) Sent(to *reactor.Source, at time.Time, data []byte) {
	leg := calleeLeg
	if isReply(data) {
		leg = callerLeg
	}
	for i := range w.list {
		if t := &w.list[i]; t.legs&leg != 0 && t.comeFor(w.c, to) {
			t.to.Trace(to, at, data, true, t.correlation)
		}
	}
}

func isReply(message []byte) bool { return bytes.HasPrefix(message, []byte("SIP/2.0 ")) }

// TraceMessage is the Build of trace() of the module tracer: the message as it came, and from here on all
// that is sent because of it.
func TraceMessage(a *Args) Action {
	k := a.k
	id, correlation := a.list[0], a.list[5]
	if id.fixed && k.traceID(id.str) < 0 && !k.partial {
		names := slices.Clone(k.prog.traceIDs)
		k.rep.errorf(id.expr.Pos(), "there is no trace_id %s%s", clip(id.str), choices(id.str, names))
		return nil
	}
	sides, ok := k.traceOptions(a)
	if !ok {
		return nil
	}
	if a.list[3].given {
		k.rep.notef(a.list[3].expr.Pos(), "trace_attrs of trace() are not sent: HEP has no place for them")
	}
	fixed := -1
	if id.fixed {
		fixed = k.traceID(id.str)
	}
	return func(m *Machine) int {
		n := fixed
		if n < 0 {
			name, _ := id.text(m)
			if n = m.prog.traceID(name); n < 0 {
				return m.Fail(a.at, "there is no trace_id "+clip(string(name)))
			}
		}
		to := m.prog.traces[n]
		if to == nil || !to.Active() {
			return 1
		}
		var own []byte
		if correlation.given {
			b, _ := correlation.text(m)
			from := len(m.arena)
			m.arena = append(m.arena, b...)
			own = m.arena[from:len(m.arena):len(m.arena)]
		}
		m.trace(traced{id: n, to: to, legs: sides, correlation: own})
		return 1
	}
}

// trace has the message traced, unless it is by the same trace_id already.
func (m *Machine) trace(t traced) {
	for i := range m.witness.list {
		if m.witness.list[i].id == t.id {
			return
		}
	}
	m.witness.list = append(m.witness.list, t)
	m.c.SetWitness(&m.witness)
	leg := calleeLeg
	if m.msg.IsRequest() {
		leg = callerLeg
	}
	if t.legs&leg != 0 {
		t.to.Trace(m.c.Src, time.Now(), m.c.Received(), false, t.correlation)
	}
}

// traceOptions reads scope, type and flags of trace().
func (k *compiler) traceOptions(a *Args) (sides legs, ok bool) {
	scope, kind, flags := a.list[1], a.list[2], a.list[4]
	wrong := func(arg argument, format string, args ...any) (legs, bool) {
		k.rep.errorf(arg.expr.Pos(), format, args...)
		return 0, false
	}
	if scope.given && !strings.EqualFold(scope.str, "m") && !strings.EqualFold(scope.str, "t") {
		return wrong(scope, `trace() has the scope %s: tracing follows no dialogs: "m" and "t", which are one here, `+
			`take the message and what is sent because of it; trace() in onreply_route takes replies`, clip(scope.str))
	}
	if kind.given && kind.str != "sip" {
		return wrong(kind, `trace() has the type %s: messages are traced, "sip"`, clip(kind.str))
	}
	for _, f := range flags.str {
		switch f {
		case 'C':
			sides |= callerLeg
		case 'c':
			sides |= calleeLeg
		default:
			return wrong(flags, `trace() has the flag %c: there are C (the caller's side) and c (the callee's)`, f)
		}
	}
	if sides == 0 {
		sides = bothLegs
	}
	return sides, true
}

// traceID gives the number of a trace_id; -1 when there is none.
func (k *compiler) traceID(name string) int { return k.prog.traceID([]byte(name)) }

func (p *Program) traceID(name []byte) int {
	for i, id := range p.traceIDs {
		if id == string(name) {
			return i
		}
	}
	return -1
}

// traceNames gives the trace_ids, each once.
func (c *SIPTrace) traceNames() (names []string) {
	seen := make(map[string]bool)
	for _, id := range c.IDs {
		if !seen[id.Name] {
			seen[id.Name] = true
			names = append(names, id.Name)
		}
	}
	return names
}
