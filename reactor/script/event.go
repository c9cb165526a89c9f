package script

import "slices"

// Param is a parameter of an event: $param(name) in its route.
type Param struct {
	name   string
	text   string
	n      int64
	number bool
}

// TextParam makes a parameter that is text.
func TextParam(name, text string) Param { return Param{name: name, text: text} }

// NumberParam makes a parameter that is a number.
func NumberParam(name string, n int64) Param { return Param{name: name, n: n, number: true} }

func (p *Param) value(m *Machine) Value {
	switch {
	case p.number:
		return Int(p.n)
	case p.name == "" && p.text == "":
		return null
	default:
		return Text(m.KeepString(p.text))
	}
}

// The events of connections. The first is of OpenSIPS, the others are ours. All
// have the parameters src_ip and src_port (the peer), dst_ip and dst_port (us),
// proto (tcp or tls) and, in words, reason.
const (
	// EventDisconnect is the end of a connection that was in use.
	EventDisconnect = "E_CORE_TCP_DISCONNECT"
	// EventConnectFailed is one that we could not open.
	EventConnectFailed = "E_TCP_CONNECT_FAILED"
	// EventHandshakeFailed is one whose TLS handshake failed, on either side.
	EventHandshakeFailed = "E_TLS_HANDSHAKE_FAILED"
)

// EventStatusChanged is a change of an identifier's status: see statusreport.Book.
const EventStatusChanged = "E_CORE_SR_STATUS_CHANGED"

// eventParams are the parameters of the events, in their order.
var eventParams = map[string][]string{
	EventDisconnect:      connParams,
	EventConnectFailed:   connParams,
	EventHandshakeFailed: connParams,
	EventStatusChanged:   {"group", "identifier", "status", "details", "old_status"},
}

var connParams = []string{"src_ip", "src_port", "dst_ip", "dst_port", "proto", "reason"}

// hasEvent tells whether there is an event_route for an event.
func (p *Program) hasEvent(name string) bool { return p.events[name] != nil }

// Event runs the event_route of an event, if there is one. Parameters that the
// event does not have are left out, those not given are NULL. Any goroutine; it
// takes as long as the script does, so a loop of the engine leaves it to a
// Background.
func (p *Program) Event(name string, params ...Param) {
	r := p.events[name]
	if r == nil {
		return
	}
	if r.params == nil {
		p.alone(r, EventRoute, &nowhere, params)
		return
	}
	var few [12]Param
	inOrder := few[:min(len(r.params), len(few))]
	if len(r.params) > len(few) {
		inOrder = make([]Param, len(r.params))
	}
	for i, n := range r.params {
		if at := slices.IndexFunc(params, func(q Param) bool { return q.name == n }); at >= 0 {
			inOrder[i] = params[at]
		}
	}
	p.alone(r, EventRoute, &nowhere, inOrder)
}

// paramNames are what $param() can name in a route.
func (k *compiler) paramNames(r *routeItem) []string {
	if r.Kind == EventRoute {
		params, _ := k.event(r.Name)
		return params
	}
	if r.Params == nil {
		return k.given[routeKey{r.Kind, r.Name}]
	}
	return r.Params
}
