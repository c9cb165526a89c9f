package rtpengine

import (
	"bytes"
	"errors"
	"net/netip"
	"strconv"
	"strings"

	"sipreactor/reactor/modules/internal/relay"
)

var _ relay.Engine = (*module)(nil)

// HasSet is relay.Engine's.
func (m *module) HasSet(set int) bool { return m.fleet.Has(set) }

// DefaultSet is relay.Engine's.
func (m *module) DefaultSet() int { return 0 }

// KeepsBranches is relay.Engine's: via-branch tells them apart.
func (m *module) KeepsBranches() bool { return true }

// Check is relay.Engine's.
func (m *module) Check(flags string) error {
	o, err := parseOptions(flags)
	if err == nil && o.viaBranch != "" {
		err = errors.New("via-branch has no message here that it could be of: branches are told apart as it is")
	}
	return err
}

// Begin is relay.Engine's.
func (m *module) Begin(x *relay.Exchange, loop int, done func()) {
	q, err := m.exchangeOf(x)
	if err != nil {
		x.Err = err
		done()
		return
	}
	q.begin(loop, func() {
		if x.Err = q.err; q.err == nil {
			if x.Fresh, x.Reached = bytes.Clone(q.answer.Text("sdp")), q.node.URL; len(x.Fresh) == 0 {
				x.Err = errNoSDP
			}
		}
		q.free()
		done()
	})
}

// exchangeOf makes the request of an exchange.
func (m *module) exchangeOf(x *relay.Exchange) (*question, error) {
	text := x.Flags
	if x.In != "" && x.Out != "" {
		text += " in-iface=" + x.In + " out-iface=" + x.Out
	}
	if x.IP != "" {
		text += " media-address=" + x.IP
	}
	o, err := parseOptions(text + " " + x.Type)
	if err != nil {
		return nil, err
	}
	command := "offer"
	if x.Answer {
		command = "answer"
	}
	q := m.about(&x.Media, command, &o)
	if x.To != "" {
		q.request.Text("to-tag", x.To)
	}
	o.appendTo(&q.request)
	if o.received == "" {
		o.received = x.Source
	}
	if o.received != "" {
		q.request.Pair("received-from", family(o.received), []byte(o.received))
	}
	q.request.Bytes("sdp", x.SDP)
	return q, nil
}

// Delete is relay.Engine's.
func (m *module) Delete(x *relay.Media, flags string) error {
	o, err := parseOptions(flags)
	if err != nil {
		return err
	}
	q := m.about(x, "delete", &o)
	o.appendTo(&q.request)
	defer q.free()
	return q.ask()
}

// about begins a request that is about media. One that ends them is about all branches.
func (m *module) about(x *relay.Media, command string, o *options) *question {
	q := m.newQuestion(command)
	q.set, q.url, q.callID = x.Set, x.Node, x.CallID
	if o.callID != "" {
		q.callID = o.callID
	}
	from := x.From
	if o.fromTag != "" {
		from = o.fromTag
	}
	q.request.Text("command", command)
	q.request.Text("call-id", q.callID)
	q.request.Text("from-tag", from)
	switch {
	case o.viaParam != "":
		q.request.Text("via-branch", o.viaParam)
	case command != "delete":
		q.request.Text("via-branch", "b"+strconv.Itoa(x.Branch))
	}
	return q
}

// familyOf is family for an address that is parsed.
func familyOf(addr netip.Addr) string {
	if addr.Is4() {
		return "IP4"
	}
	return "IP6"
}

// family is what ng calls the family of an address.
func family(addr string) string {
	if strings.Contains(addr, ":") {
		return "IP6"
	}
	return "IP4"
}
