package rtpengine

import (
	"errors"
	"log/slog"

	"sipreactor/reactor/modules/internal/relay"
	"sipreactor/reactor/modules/rtpengine/ng"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
	"sipreactor/sipframe/body"
)

// question is a request of ours and which node it is for.
type question struct {
	command string
	set     int
	callID  string
	url     string // of the node; "" the call's
	dict    ng.Dict
}

// act is one call of a function in the configuration.
type act struct {
	m     *module
	at    *script.Site
	flags func(*script.Machine) ([]byte, bool)
	node  script.Setter
	named func(*script.Machine) script.Value // node, read
	sdp   script.Setter
	body  func(*script.Machine) ([]byte, bool)
	given bool // body
}

// newAct compiles what all functions have; nodeArg is the index of sock_var, and -1 for
// flags is none.
func (m *module) newAct(a *script.Args, flagsArg, nodeArg int) *act {
	f := &act{m: m, at: a.Site(), flags: a.Text(flagsArg), node: a.Setter(nodeArg)}
	if f.node != nil {
		f.named = a.Read(nodeArg)
	}
	if text, ok := a.Fixed(flagsArg); ok {
		o, err := parseOptions(text)
		switch {
		case err != nil:
			a.Errorf(flagsArg, "%v", err)
			return nil
		case o.viaBranch == "extra" && m.extra == nil:
			a.Errorf(flagsArg, "via-branch=extra takes the value of extra_id_pv, which is not set")
			return nil
		}
	}
	return f
}

var (
	errNoSDP  = relay.ErrNoSDP
	errNoCall = errors.New("there is no Call-ID")
	errNoTag  = errors.New("the tag of the party is missing")
	errExtra  = errors.New("via-branch=extra takes the value of extra_id_pv, which is not set")
	errVia    = errors.New("there is no such Via")
	errMany   = errors.New("too many messages wait")
)

// failed reports why a function did nothing.
func (f *act) failed(x *script.Machine, err error) int {
	if f.m.errorTo != nil {
		text := err.Error()
		var r refusal
		if errors.As(err, &r) {
			text = string(r)
		}
		f.m.errorTo(x, script.Text(x.KeepString(text)))
	}
	x.Say(f.at, script.LevelWarn, "rtpengine: nothing was done", slog.Any("error", err))
	return -1
}

// options reads the flags for the message.
func (f *act) options(x *script.Machine) (options, error) {
	text, _ := f.flags(x)
	return parseOptions(string(text))
}

// question begins a request: its command and what names the call. swap has the parties
// change places, where the offer came from the one in To.
func (f *act) question(x *script.Machine, command string, o *options, swap bool) (*question, error) {
	msg := x.Message()
	q := &question{command: command, callID: o.callID}
	if q.callID == "" {
		q.callID = string(msg.CallID())
	}
	if q.callID == "" {
		return nil, errNoCall
	}
	var err error
	if q.set, err = f.m.setOf(x); err != nil {
		return nil, err
	}
	if f.named != nil {
		if v := f.named(x); !v.IsNull() {
			q.url = string(x.Text(v))
		}
	}
	q.dict = ng.Dict{{Key: "command", Value: command}, {Key: "call-id", Value: q.callID}}
	from, to := tags(msg)
	if swap {
		from, to = to, from
	}
	if o.fromTag != "" {
		from = o.fromTag
	}
	if o.toTag != "" {
		to = o.toTag
	}
	whole := wholeCall[command]
	if from != "" && (!whole || o.fromTag != "") {
		q.dict.Add("from-tag", from)
	}
	if to != "" && (o.withTo || command == "offer" || command == "answer") {
		q.dict.Add("to-tag", to)
	}
	if (command == "offer" || command == "answer") && (from == "" || command == "answer" && to == "") {
		return nil, errNoTag
	}
	if err := f.branch(x, q, o); err != nil {
		return nil, err
	}
	o.appendTo(&q.dict)
	return q, nil
}

// wholeCall are the commands that are about all of a call unless a from-tag is given.
var wholeCall = map[string]bool{
	"start recording": true, "stop recording": true, "pause recording": true, "start forwarding": true, "stop forwarding": true, "query": true,
}

// tags returns the tags of From and To, "" without one.
func tags(msg *sipframe.Message) (from, to string) {
	if a, err := msg.From(); err == nil {
		from = string(msg.Bytes(a.Tag))
	}
	if a, err := msg.To(); err == nil {
		to = string(msg.Bytes(a.Tag))
	}
	return from, to
}

// branch adds via-branch.
func (f *act) branch(x *script.Machine, q *question, o *options) error {
	if o.viaParam != "" {
		q.dict.Add("via-branch", o.viaParam)
		return nil
	}
	if o.viaBranch == "" {
		return nil
	}
	if o.viaBranch == "extra" {
		if f.m.extra == nil {
			return errExtra
		}
		if v := f.m.extra(x); !v.IsNull() {
			q.dict.Add("via-branch", string(x.Text(v)))
		}
		return nil
	}
	msg, n := x.Message(), 1
	if o.viaBranch == "2" || o.viaBranch == "auto" && !msg.IsRequest() {
		n = 2
	}
	for it := msg.Values(sipframe.HeaderVia); ; n-- {
		span, ok := it.Next()
		if !ok {
			return errVia
		}
		if n > 1 {
			continue
		}
		var via sipframe.Via
		if err := msg.ViaAt(span, &via); err != nil {
			return err
		}
		q.dict.Add("via-branch", string(msg.Bytes(via.Branch)))
		return nil
	}
}

// send asks, while others take over the work, and stores which node it was.
func (f *act) send(x *script.Machine, q *question) (answer ng.Dict, err error) {
	var n *node
	if !x.Wait(func() { answer, n, err = f.m.counted(q) }) {
		return nil, errMany
	}
	if err != nil {
		return nil, err
	}
	if f.node != nil {
		f.node(x, script.Text(x.KeepString(n.URL)))
	}
	return answer, nil
}

// plain sends a command that has no SDP; more are further keys.
func (f *act) plain(x *script.Machine, command string, more ...ng.Entry) (ng.Dict, int) {
	o, err := f.options(x)
	if err != nil {
		return nil, f.failed(x, err)
	}
	q, err := f.question(x, command, &o, false)
	if err != nil {
		return nil, f.failed(x, err)
	}
	q.dict = append(q.dict, more...)
	answer, err := f.send(x, q)
	if err != nil {
		return nil, f.failed(x, err)
	}
	return answer, 1
}

// remove sends a delete, whose answer has the statistics of the call.
func (f *act) remove(x *script.Machine) int {
	answer, code := f.plain(x, "delete")
	if code > 0 {
		f.m.last.Set(x, answer)
	}
	return code
}

// exchange sends an offer or an answer and has the SDP of the message, or a variable, be
// what comes back.
func (f *act) exchange(x *script.Machine, command string) int {
	o, err := f.options(x)
	if err != nil {
		return f.failed(x, err)
	}
	if o.forceAnswer {
		command = "answer"
	}
	c, request := x.Context(), x.Message().IsRequest()
	b := c.Body()
	begin, end, there := body.FindSDP(b, c.BodyType())
	var sdp string
	if f.given {
		text, _ := f.body(x)
		sdp = string(text)
	} else if there {
		sdp = string(b[begin:end])
	}
	if sdp == "" {
		return f.failed(x, errNoSDP)
	}
	// The party that the offer came from is the one in To where the offer is in a
	// response, and so its answer in the ACK.
	q, err := f.question(x, command, &o, request == (command == "answer"))
	if err != nil {
		return f.failed(x, err)
	}
	if src := c.Src; src != nil && o.received == "" && src.Remote.IsValid() {
		o.received = src.Remote.Addr().Unmap().String()
	}
	if o.received != "" {
		q.dict.Add("received-from", ng.List{family(o.received), o.received})
	}
	q.dict.Add("sdp", sdp)
	answer, err := f.send(x, q)
	if err != nil {
		return f.failed(x, err)
	}
	fresh := answer.Text("sdp")
	switch {
	case fresh == "":
		return f.failed(x, errNoSDP)
	case f.sdp != nil:
		return f.sdp(x, script.Text(x.KeepString(fresh)))
	case !there:
		return x.Reported(f.at, c.SetBody([]byte("application/sdp"), []byte(fresh)))
	}
	return x.Reported(f.at, relay.SetSDP(c, []byte(fresh)))
}

// manage does what the message asks for.
func (f *act) manage(x *script.Machine) int {
	c, msg := x.Context(), x.Message()
	_, _, sdp := body.FindSDP(c.Body(), c.BodyType())
	if msg.IsRequest() {
		switch method := msg.Method(); {
		case x.Kind() == script.FailureRoute, method == sipframe.BYE, method == sipframe.CANCEL:
			return f.remove(x)
		case method == sipframe.INVITE && sdp:
			return f.exchange(x, "offer")
		case method == sipframe.ACK && sdp:
			return f.exchange(x, "answer")
		}
		return -1
	}
	switch code := msg.StatusCode(); {
	case x.Method() != sipframe.INVITE:
		return -1
	case code >= 300:
		return f.remove(x)
	case !sdp:
		return -1
	}
	if t := transaction.Of(c); t != nil && !hasSDP(t.Request()) {
		return f.exchange(x, "offer")
	}
	return f.exchange(x, "answer")
}

// hasSDP reports whether a message has an SDP.
func hasSDP(text []byte) bool {
	var msg sipframe.Message
	if msg.Parse(text) != nil {
		return false
	}
	_, _, there := body.FindSDP(msg.Body(), msg.Value(sipframe.HeaderContentType))
	return there
}
