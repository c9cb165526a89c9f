package rtpproxy

import (
	"bytes"
	"errors"
	"log/slog"
	"strconv"
	"strings"

	"sipreactor/reactor/modules/internal/relay"
	"sipreactor/reactor/script"
	"sipreactor/sipframe/body"
)

// session is the call that a command is about, and where it goes.
type session struct {
	set                    int
	url                    string // of the node; "" the call's
	callID, fromTag, toTag string
}

// act is one call of a function in the configuration.
type act struct {
	m     *module
	at    *script.Site
	set   func(*script.Machine) (int64, bool)
	given bool // set
	node  script.Setter
	named func(*script.Machine) script.Value // node, read
}

// newAct compiles the arguments that all functions have.
func (m *module) newAct(a *script.Args, setArg, nodeArg int) *act {
	f := &act{m: m, at: a.Site(), set: a.Int(setArg), given: a.Given(setArg), node: a.Setter(nodeArg)}
	if f.node != nil {
		f.named = a.Read(nodeArg)
	}
	return f
}

var (
	errNoSDP  = relay.ErrNoSDP
	errMarked = errors.New("the SDP is marked: another relay is in the path")
	errBroken = errors.New("a stream of the SDP has no address")
	errNoCall = errors.New("the Call-ID or the tag of a party is missing")
	errSet    = errors.New("there is no such set of nodes")
	errNoNode = errors.New("no rtpproxy is there")
	errMany   = errors.New("too many messages wait")
	errAnswer = errors.New("rtpproxy: the answer is no port")
)

func (f *act) failed(x *script.Machine, err error) int {
	x.Say(f.at, script.LevelWarn, "rtpproxy: nothing was done", slog.Any("error", err))
	return -1
}

// session names the call of the message. swap has the parties change places, where the
// offer came from the one in To.
func (f *act) session(x *script.Machine, swap bool) (*session, error) {
	msg := x.Message()
	s := &session{set: f.m.defaultSet, callID: string(x.Context().CallID())}
	if n, ok := f.m.chosen.Get(x).(int); ok {
		s.set = n
	}
	if f.given {
		n, ok := f.set(x)
		if !ok {
			return nil, errSet
		}
		s.set = int(n)
	}
	if !f.m.fleet.Has(s.set) {
		return nil, errSet
	}
	if f.named != nil {
		if v := f.named(x); !v.IsNull() {
			s.url = string(x.Text(v))
		}
	}
	if a, err := msg.From(); err == nil {
		s.fromTag = string(msg.Bytes(a.Tag))
	}
	if a, err := msg.To(); err == nil {
		s.toTag = string(msg.Bytes(a.Tag))
	}
	if swap {
		s.fromTag, s.toTag = s.toTag, s.fromTag
	}
	// A blank would make further words of the command.
	if s.callID == "" || s.fromTag == "" || strings.ContainsAny(s.callID+s.fromTag+s.toTag, " \t") {
		return nil, errNoCall
	}
	return s, nil
}

// with asks the call's node, and for an offer another one where that fails, and stores which one it was. The message waits
// meanwhile.
func (f *act) with(x *script.Machine, q *question) error {
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

// words are what names the call in a command; i is the number of the stream, 0 is all.
func (s *session) words(i int) string {
	number := ""
	if i > 0 {
		number = ";" + strconv.Itoa(i)
	}
	text := s.fromTag + number
	if s.toTag != "" {
		text += " " + s.toTag + number
	}
	return text
}

// exchange is an offer or answer of rtpproxy_offer() and rtpproxy_answer().
type exchange struct {
	*act
	answer         bool
	flags, address func(*script.Machine) ([]byte, bool)
	ret, body      script.Setter
	bodyNow        func(*script.Machine) script.Value
	local          func(*script.Machine) ([]byte, bool)
}

func (e *exchange) run(x *script.Machine) int {
	text, _ := e.flags(x)
	f, err := parseFlags(string(text))
	if err != nil {
		return e.failed(x, err)
	}
	answer := e.answer || f.lookup
	c := x.Context()
	b := c.Body()
	begin, end, there := body.FindSDP(b, c.BodyType())
	var sdp []byte
	switch {
	case e.body != nil:
		sdp = bytes.Clone(x.Text(e.bodyNow(x)))
	case there:
		sdp = bytes.Clone(b[begin:end])
	}
	if len(sdp) == 0 {
		return e.failed(x, errNoSDP)
	}
	s, err := e.session(x, x.Message().IsRequest() == answer)
	if err != nil {
		return e.failed(x, err)
	}
	source := ""
	if c.Src != nil {
		source = c.Src.Remote.Addr().Unmap().String()
	}
	local, _ := e.local(x)
	forced, _ := e.address(x)
	t := &translation{session: s, flags: f, answer: answer, sdp: sdp, source: source, local: string(local), forced: string(forced)}
	if err := t.prepare(e.m); err != nil {
		return e.failed(x, err)
	}
	if err := e.with(x, t.question(e.m)); err != nil {
		return e.failed(x, err)
	}
	if e.ret != nil && len(t.list) > 0 {
		e.ret(x, script.Text(x.KeepString(t.list[0].to.String())))
	}
	if f.keep {
		return 1
	}
	fresh := t.written(e.m)
	if e.body != nil {
		return e.body(x, script.Text(x.Keep(fresh)))
	}
	return x.Reported(e.at, relay.SetSDP(c, fresh))
}

// plain sends a command about the call and returns the answer's words.
func (f *act) plain(x *script.Machine, command string) ([]string, error) {
	s, err := f.session(x, false)
	if err != nil {
		return nil, err
	}
	q := f.m.newQuestion(s, command+" "+s.callID+" "+s.words(0))
	if err := f.with(x, q); err != nil {
		return nil, err
	}
	if command == "D" {
		f.m.fleet.Ended(s.set, s.callID)
	}
	return q.words, nil
}
