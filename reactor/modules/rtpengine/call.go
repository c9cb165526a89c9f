package rtpengine

import (
	"bytes"
	"errors"
	"log/slog"

	"sipreactor/reactor/modules/internal/relay"
	"sipreactor/reactor/modules/rtpengine/ng"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
	"sipreactor/sipframe/body"
)

// act is one call of a function in the configuration.
type act struct {
	m     *module
	at    *script.Site
	flags func(*script.Machine) ([]byte, bool)
	fixed *options // what those are; nil: they are known only with the message
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
		f.fixed = &o
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
	if f.fixed != nil {
		return *f.fixed, nil
	}
	text, _ := f.flags(x)
	return parseOptions(string(text))
}

// question begins a request: its command and what names the call. swap has the parties
// change places, where the offer came from the one in To.
func (f *act) question(x *script.Machine, command string, o *options, swap bool) (*question, error) {
	q := f.m.newQuestion(command)
	if err := f.fill(x, q, o, swap); err != nil {
		q.free()
		return nil, err
	}
	return q, nil
}

func (f *act) fill(x *script.Machine, q *question, o *options, swap bool) (err error) {
	msg, command := x.Message(), q.command
	if q.callID = o.callID; q.callID == "" {
		q.callID = string(x.Context().CallID())
	}
	if q.callID == "" {
		return errNoCall
	}
	if q.set, err = f.m.setOf(x); err != nil {
		return err
	}
	if f.named != nil {
		if v := f.named(x); !v.IsNull() {
			q.url = string(x.Text(v))
		}
	}
	q.request.Text("command", command)
	q.request.Text("call-id", q.callID)
	from, to := tags(msg)
	if swap {
		from, to = to, from
	}
	if o.fromTag != "" {
		from = []byte(o.fromTag)
	}
	if o.toTag != "" {
		to = []byte(o.toTag)
	}
	whole := wholeCall[command]
	if len(from) > 0 && (!whole || o.fromTag != "") {
		q.request.Bytes("from-tag", from)
	}
	if len(to) > 0 && (o.withTo || command == "offer" || command == "answer") {
		q.request.Bytes("to-tag", to)
	}
	if (command == "offer" || command == "answer") && (len(from) == 0 || command == "answer" && len(to) == 0) {
		return errNoTag
	}
	if err := f.branch(x, q, o); err != nil {
		return err
	}
	o.appendTo(&q.request)
	return nil
}

// wholeCall are the commands that are about all of a call unless a from-tag is given.
var wholeCall = map[string]bool{
	"start recording": true, "stop recording": true, "pause recording": true, "start forwarding": true, "stop forwarding": true, "query": true,
}

// tags returns the tags of From and To, empty without one.
func tags(msg *sipframe.Message) (from, to []byte) {
	if a, err := msg.From(); err == nil {
		from = msg.Bytes(a.Tag)
	}
	if a, err := msg.To(); err == nil {
		to = msg.Bytes(a.Tag)
	}
	return from, to
}

// branch adds via-branch.
func (f *act) branch(x *script.Machine, q *question, o *options) error {
	if o.viaParam != "" {
		q.request.Text("via-branch", o.viaParam)
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
			q.request.Bytes("via-branch", x.Text(v))
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
		q.request.Bytes("via-branch", msg.Bytes(via.Branch))
		return nil
	}
}

// send asks, while others take over the work, and stores which node it was. The answer is
// the question's then.
func (f *act) send(x *script.Machine, q *question) error {
	if !x.Await(q.begin) {
		return errMany
	}
	if q.err != nil {
		return q.err
	}
	if f.node != nil {
		f.node(x, script.Text(x.KeepString(q.node.URL)))
	}
	return nil
}

// plain sends a command that has no SDP; more are further keys. got, if there is one, is given
// the answer, which is borrowed.
func (f *act) plain(x *script.Machine, command string, got func(ng.Answer), more ...ng.Entry) int {
	o, err := f.options(x)
	if err != nil {
		return f.failed(x, err)
	}
	q, err := f.question(x, command, &o, false)
	if err != nil {
		return f.failed(x, err)
	}
	defer q.free()
	for _, e := range more {
		q.request.Entry(e)
	}
	if err := f.send(x, q); err != nil {
		return f.failed(x, err)
	}
	if got != nil {
		got(q.answer)
	}
	return 1
}

// remove sends a delete, whose answer has the statistics of the call.
func (f *act) remove(x *script.Machine) int {
	if !f.m.told { // nobody asks for them
		return f.plain(x, "delete", nil)
	}
	return f.plain(x, "delete", func(a ng.Answer) { f.m.last.Set(x, a.Dict()) })
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
	var sdp []byte
	if f.given {
		sdp, _ = f.body(x)
	} else if there {
		sdp = b[begin:end]
	}
	if len(sdp) == 0 {
		return f.failed(x, errNoSDP)
	}
	// The party that the offer came from is the one in To where the offer is in a
	// response, and so its answer in the ACK.
	q, err := f.question(x, command, &o, request == (command == "answer"))
	if err != nil {
		return f.failed(x, err)
	}
	defer q.free()
	if src := c.Src; o.received != "" {
		q.request.Pair("received-from", family(o.received), []byte(o.received))
	} else if src != nil && src.Remote.IsValid() {
		var text [64]byte
		addr := src.Remote.Addr().Unmap()
		q.request.Pair("received-from", familyOf(addr), addr.AppendTo(text[:0]))
	}
	q.request.Bytes("sdp", sdp)
	if err := f.send(x, q); err != nil {
		return f.failed(x, err)
	}
	fresh := q.answer.Text("sdp")
	switch {
	case len(fresh) == 0:
		return f.failed(x, errNoSDP)
	case f.sdp != nil:
		return f.sdp(x, script.Text(x.KeepString(string(fresh))))
	case !there:
		return x.Reported(f.at, c.SetBody([]byte("application/sdp"), bytes.Clone(fresh)))
	}
	return x.Reported(f.at, relay.SetSDP(c, fresh))
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
