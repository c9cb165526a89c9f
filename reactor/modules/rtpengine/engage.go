package rtpengine

import (
	"errors"
	"strconv"
	"strings"

	"sipreactor/reactor/modules/internal/relay"
	"sipreactor/reactor/modules/rtpengine/ng"
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

// Exchange is relay.Engine's.
func (m *module) Exchange(x *relay.Exchange) ([]byte, string, error) {
	text := x.Flags
	if x.In != "" && x.Out != "" {
		text += " in-iface=" + x.In + " out-iface=" + x.Out
	}
	if x.IP != "" {
		text += " media-address=" + x.IP
	}
	o, err := parseOptions(text + " " + x.Type)
	if err != nil {
		return nil, "", err
	}
	command := "offer"
	if x.Answer {
		command = "answer"
	}
	q := m.about(&x.Media, command, &o)
	if x.To != "" {
		q.dict.Add("to-tag", x.To)
	}
	o.appendTo(&q.dict)
	if o.received == "" {
		o.received = x.Source
	}
	if o.received != "" {
		q.dict.Add("received-from", ng.List{family(o.received), o.received})
	}
	q.dict.Add("sdp", string(x.SDP))
	answer, n, err := m.counted(q)
	if err != nil {
		return nil, "", err
	}
	sdp := answer.Text("sdp")
	if sdp == "" {
		return nil, "", errNoSDP
	}
	return []byte(sdp), n.URL, nil
}

// Delete is relay.Engine's.
func (m *module) Delete(x *relay.Media, flags string) error {
	o, err := parseOptions(flags)
	if err != nil {
		return err
	}
	q := m.about(x, "delete", &o)
	o.appendTo(&q.dict)
	_, _, err = m.counted(q)
	return err
}

// about begins a request that is about media. One that ends them is about all branches.
func (m *module) about(x *relay.Media, command string, o *options) *question {
	q := &question{command: command, set: x.Set, url: x.Node, callID: x.CallID}
	if o.callID != "" {
		q.callID = o.callID
	}
	from := x.From
	if o.fromTag != "" {
		from = o.fromTag
	}
	q.dict = ng.Dict{{Key: "command", Value: command}, {Key: "call-id", Value: q.callID}, {Key: "from-tag", Value: from}}
	switch {
	case o.viaParam != "":
		q.dict.Add("via-branch", o.viaParam)
	case command != "delete":
		q.dict.Add("via-branch", "b"+strconv.Itoa(x.Branch))
	}
	return q
}

// counted asks, and counts that.
func (m *module) counted(q *question) (ng.Dict, *node, error) {
	answer, n, err := m.ask(q)
	m.asked.Add(1)
	if err != nil {
		m.refused.Add(1)
	}
	return answer, n, err
}

// family is what ng calls the family of an address.
func family(addr string) string {
	if strings.Contains(addr, ":") {
		return "IP6"
	}
	return "IP4"
}
