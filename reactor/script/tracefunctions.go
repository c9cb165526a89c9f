package script

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

// MessageTrace is the tracing of messages by one trace_id, such as a
// *hep.Messages. Workers call it, many at once: it must not block.
type MessageTrace interface {
	// Active tells whether messages are traced at the moment.
	Active() bool
	// Trace takes a message that came from src at a time, or is outgoing to it.
	// All arguments are borrowed. An empty correlation id leaves it to the trace.
	Trace(src *reactor.Source, at time.Time, data []byte, outgoing bool, correlation []byte)
	// Line takes a line that was logged over a message that came from src. All
	// arguments are borrowed.
	Line(src *reactor.Source, at time.Time, text, correlation []byte)
}

// SetTracer gives trace() what each trace_id of the configuration stands for;
// nil, and all of them without this call, trace nothing. Call it before the
// first message.
func (p *Program) SetTracer(find func(traceID string) MessageTrace) {
	for i, name := range p.traceIDs {
		p.traces[i] = find(name)
	}
}

// legs are the sides of a stateless proxy: where requests come from and responses
// go to, and where requests go to and responses come from.
type legs uint8

const (
	callerLeg legs = 1 << iota
	calleeLeg
	bothLegs = callerLeg | calleeLeg
)

// kinds are what is traced of a message.
type kinds uint8

const (
	traceSIP   kinds = 1 << iota // it
	traceLines                   // what is logged over it
)

// traceScope is how far the trace of a message goes.
type traceScope byte

const (
	scopeMessage     traceScope = 'm' // what is sent because of it
	scopeTransaction traceScope = 't' // its responses, ACK and CANCEL as well
	scopeDialog      traceScope = 'd' // its call
)

// traced is one trace_id by which a message is traced.
type traced struct {
	id          int
	to          MessageTrace
	kinds       kinds
	legs        legs
	correlation []byte
	// only is where a response has to go to be traced; at is when it came, which is
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
	if isResponse(data) {
		leg = callerLeg
	}
	for i := range w.list {
		if t := &w.list[i]; t.kinds&traceSIP != 0 && t.legs&leg != 0 && t.comeFor(w.c, to) {
			t.to.Trace(to, at, data, true, t.correlation)
		}
	}
}

func isResponse(message []byte) bool { return bytes.HasPrefix(message, []byte("SIP/2.0 ")) }

// TraceMessage is the Build of trace() of the module tracer: the message as it came, and from here on all
// that is sent because of it, of its transaction, or of its call.
func TraceMessage(a *Args) Action {
	k := a.k
	id, correlation := a.list[0], a.list[5]
	if !id.given { // as in OpenSIPS 1
		id = argument{given: true, fixed: true, str: "default"}
	}
	if id.fixed && k.traceID(id.str) < 0 && !k.partial {
		k.rep.errorf(a.Pos(0), "there is no trace_id %s%s", clip(id.str), choices(id.str, slices.Clone(k.prog.traceIDs)))
		return nil
	}
	o, ok := k.traceOptions(a)
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
		t := traced{id: n, to: to, kinds: o.kinds, legs: o.legs, correlation: own}
		if o.scope == scopeMessage {
			m.trace(t)
		} else {
			m.follow(t, o.scope)
		}
		return 1
	}
}

// follow has the message's transaction or call traced, from the message itself on.
func (m *Machine) follow(t traced, scope traceScope) {
	initial := m.msg.IsRequest() && m.msg.Method() == sipframe.INVITE && !m.c.HasToTag()
	one := followed{name: m.prog.traceIDs[t.id], to: t.to, kinds: t.kinds, legs: t.legs,
		correlation: slices.Clone(t.correlation), whole: scope == scopeDialog && initial}
	if m.prog.follow.add(m, one) {
		m.traceCame(t)
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
	m.traceCame(t)
}

// traceCame traces the message as it came.
func (m *Machine) traceCame(t traced) {
	leg := calleeLeg
	if m.msg.IsRequest() {
		leg = callerLeg
	}
	if t.kinds&traceSIP != 0 && t.legs&leg != 0 {
		t.to.Trace(m.c.Src, time.Now(), m.c.Received(), false, t.correlation)
	}
}

// traceLine traces a line that is logged over the message.
func (m *Machine) traceLine(text []byte) {
	if m.c == nil || m.msg == nil || m.c.Src == nil {
		return
	}
	line := func(to MessageTrace, correlation []byte) {
		if len(correlation) == 0 {
			correlation = m.msg.CallID()
		}
		to.Line(m.c.Src, time.Now(), text, correlation)
	}
	for i := range m.witness.list {
		if t := &m.witness.list[i]; t.kinds&traceLines != 0 {
			line(t.to, t.correlation)
		}
	}
	if m.prog.follow.on() {
		m.prog.follow.lines(m.msg, func(one *followed) { line(one.to, one.correlation) })
	}
}

// traceOptions are scope, types and flags of trace().
type traceOptions struct {
	scope traceScope
	kinds kinds
	legs  legs
}

// traceOptions reads them.
func (k *compiler) traceOptions(a *Args) (o traceOptions, ok bool) {
	scope, kind, flags := a.list[1], a.list[2], a.list[4]
	wrong := func(arg argument, format string, args ...any) (traceOptions, bool) {
		k.rep.errorf(arg.expr.Pos(), format, args...)
		return o, false
	}
	switch s := strings.ToLower(scope.str); {
	case !scope.given && k.loaded("dialog"):
		o.scope = scopeDialog
	case !scope.given && k.loaded("tm"):
		o.scope = scopeTransaction
	case !scope.given:
		o.scope = scopeMessage
	case s == "m", s == "d":
		o.scope = traceScope(s[0])
	case s == "t" && k.loaded("tm"):
		o.scope = scopeTransaction
	case s == "t": // what is sent because of the message is all there is
		o.scope = scopeMessage
	case s == "b":
		return wrong(scope, `trace() has the scope b, a B2B session, which is not traced as one; "d" is a call, "t" a transaction, "m" a message`)
	default:
		return wrong(scope, `trace() has the scope %s: "d" is a call, "t" a transaction, "m" a message`, clip(scope.str))
	}
	if !kind.given {
		o.kinds = traceSIP
	}
	for name := range strings.SplitSeq(kind.str, "|") {
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "sip":
			o.kinds |= traceSIP
		case "xlog":
			o.kinds |= traceLines
		case "rest":
			k.rep.notef(kind.expr.Pos(), "trace() has the type rest: requests of rest_client are not traced")
		case "":
		default:
			return wrong(kind, `trace() has the type %s: there are sip and xlog, and | between them`, clip(name))
		}
	}
	for _, f := range flags.str {
		switch f {
		case 'C':
			o.legs |= callerLeg
		case 'c':
			o.legs |= calleeLeg
		default:
			return wrong(flags, `trace() has the flag %c: there are C (the caller's side) and c (the callee's)`, f)
		}
	}
	if o.legs == 0 {
		o.legs = bothLegs
	}
	return o, true
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

// DeclareTrace declares a name for trace(), which SetTracer is asked about. A name may
// come again.
func (l *Loading) DeclareTrace(name string) {
	if p := l.k.prog; !slices.Contains(p.traceIDs, name) {
		p.traceIDs, p.traces = append(p.traceIDs, name), append(p.traces, nil)
	}
}
