package b2b_logic

import (
	"strconv"
	"strings"

	b2b "sipreactor/reactor/modules/b2b_entities"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

// current is what the routes of a call are run for, attached to the message.
type current struct {
	leg     *leg // that the message is of
	method  string
	to      *leg // of a response: who asked for it; nil of the INVITE that began the leg
	code    int  // of a response, 0 of a request
	reason  string
	peer    *leg // of the leg, as the message came
	handled bool // it was passed on, or answered
	left    bool // the leg was taken out
	bridged bool // a leg is being joined with a new one
}

type currentKey struct{}

// Happened is b2b_entities.Owner's.
func (l *leg) Happened(s *b2b.Session, h b2b.Happening) {
	c := l.call
	c.mu.Lock()
	if l.session == nil {
		l.session = s
	}
	over := c.over
	c.mu.Unlock()
	if over {
		return // its sessions are being ended
	}
	now := &current{leg: l, method: h.Method, code: h.Code, reason: h.Reason}
	switch {
	case h.What == b2b.Early, h.What == b2b.Answered, h.What == b2b.Rejected:
		c.run(now, h.By, h.Message, true)
	case h.What == b2b.Updated && h.Method == "ACK":
		l.passACK(h.By, h.Message)
	case h.What == b2b.Updated && h.Method == "CANCEL":
		l.withdrawn(h.By)
	case h.What == b2b.Updated, h.Method == "BYE":
		c.run(now, h.By, h.Message, false)
	default: // a CANCEL, or the time of the session is over
		c.end(h.By)
	}
}

// run has the script's route decide on a message, or does with it what is usual.
func (c *call) run(now *current, by *proxy.Context, msg *sipframe.Message, response bool) {
	route, kind := c.onRequest, script.RequestRoute
	if response {
		route, kind = c.onReply, script.OnReplyRoute
	}
	c.mu.Lock()
	bridging := c.bridge != nil
	now.peer = now.leg.peer
	c.mu.Unlock()
	if route == nil || by == nil || msg == nil || !response && bridging {
		c.usual(now, by, msg)
		return
	}
	if !response {
		decide(by, route, kind, now)
	} else { // it is in no Context of its own
		own := by.Proxy().NewContext(by.Sender())
		own.Bind(by)
		if own.BeginShown(msg.Raw()) == nil {
			decide(own, route, kind, now)
		}
		own.End()
	}
	switch {
	case now.handled, response:
	case now.method == "BYE":
		c.left(by, now)
	default:
		_ = c.m.entities.Respond(by, now.leg.session, now.method, 500, "Not Handled", "", "", "")
	}
}

// decide runs a route.
func decide(x *proxy.Context, route *script.Routine, kind script.RouteKind, now *current) {
	x.Attach(currentKey{}, now)
	route.Run(x, script.Run{Kind: kind})
	x.Attach(currentKey{}, (*current)(nil))
}

// left does what follows a BYE with which the script has done nothing: the call is over, unless its peer is being joined
// with another party.
func (c *call) left(by *proxy.Context, now *current) {
	c.mu.Lock()
	if now.bridged {
		c.drop(now.leg)
	}
	c.mu.Unlock()
	if !now.bridged {
		c.end(by)
	}
}

// usual passes a message on.
func (c *call) usual(now *current, by *proxy.Context, msg *sipframe.Message) {
	now.handled = true
	switch {
	case now.code == 0:
		now.leg.pass(by, now.method, msg)
	case now.to != nil:
		c.m.answer(by, now.to, now, msg)
	default:
		now.leg.answered(by, now, msg)
	}
}

// pass sends a request of this leg to its peer, and the answer back.
func (l *leg) pass(by *proxy.Context, method string, msg *sipframe.Message) {
	c := l.call
	c.mu.Lock()
	to := l.peer
	var s *b2b.Session
	quiet := c.bridge != nil
	if to != nil {
		s = to.session
	}
	c.mu.Unlock()
	if method == "BYE" {
		c.mu.Lock()
		leaves := c.bridge != nil && c.bridge.old != l && c.bridge.to != l
		if leaves {
			c.drop(l) // others are being joined
		}
		c.mu.Unlock()
		if !leaves {
			c.end(by) // this leg's session is over, the other one gets its BYE
		}
		return
	}
	if s == nil || !s.Confirmed() || quiet {
		_ = c.m.entities.Respond(by, l.session, method, 491, "Request Pending", "", "", "")
		return
	}
	err := c.m.entities.Send(by, s, method, bodyOf(msg), c.m.passed(msg)+to.headers, typeOf(msg), func(o *transaction.Outcome) {
		now := &current{leg: to, method: method, to: l, code: o.Code, reason: string(o.Reason)}
		if o.Local && o.Exchange != nil && o.Exchange.Canceled() { // nobody has answered the CANCEL (RFC 3261 9.1)
			now.code, now.reason = 487, ""
		}
		c.run(now, o.Context, o.Message, true)
	})
	if err != nil {
		_ = c.m.entities.Respond(by, l.session, method, 500, "", "", "", "")
	}
}

// answer answers the request of a leg as its peer has.
func (m *Module) answer(by *proxy.Context, to *leg, now *current, msg *sipframe.Message) {
	code, reason := now.code, now.reason
	if code == 503 && msg == nil { // that the peer could not be reached does not say that we cannot be (RFC 3261 21.5.4)
		code, reason = 500, ""
	}
	if code > 100 {
		_ = m.entities.Respond(by, to.session, now.method, code, reason, bodyOf(msg), m.passed(msg), typeOf(msg))
	}
}

// withdrawn cancels what the peer was asked by this leg's INVITE, whose answer is then the peer's: a 2xx that crosses the
// CANCEL leaves both with what they have agreed. Where the peer was not asked the INVITE is answered here.
func (l *leg) withdrawn(by *proxy.Context) {
	c := l.call
	c.mu.Lock()
	to := l.peer
	c.mu.Unlock()
	if to == nil || to.session == nil || !c.m.entities.Cancel(by, to.session) {
		_ = c.m.entities.Respond(by, l.session, "INVITE", 487, "", "", "", "")
	}
}

// passACK sends the ACK of a leg's INVITE on, with the answer that it may have.
func (l *leg) passACK(by *proxy.Context, msg *sipframe.Message) {
	c := l.call
	c.mu.Lock()
	to := l.peer
	quiet := c.bridge != nil
	c.mu.Unlock()
	if to != nil && to.session != nil && !quiet {
		_ = c.m.entities.Send(by, to.session, "ACK", bodyOf(msg), to.headers, typeOf(msg), nil)
	}
}

// answered does what is usual with a response to the INVITE that began this leg.
func (l *leg) answered(by *proxy.Context, now *current, msg *sipframe.Message) {
	c := l.call
	c.mu.Lock()
	to, b := l.peer, c.bridge
	c.mu.Unlock()
	switch {
	case b != nil && b.to == l:
		b.answered(by, now, msg)
	case to == nil:
	default:
		if now.code >= 200 && now.code < 300 {
			c.settled()
		}
		c.m.answer(by, to, now, msg)
		if now.code >= 300 {
			c.end(by)
		}
	}
}

// always are the headers that are passed on, besides those of custom_headers.
var always = []string{"Supported", "Allow", "Proxy-Require", "Session-Expires", "Min-SE", "Require"}

// passed gives the header lines of a message that are passed on.
func (m *Module) passed(msg *sipframe.Message) string {
	if msg == nil {
		return ""
	}
	var b strings.Builder
	for i := range msg.NumHeaders() {
		h := msg.Header(i)
		if name := string(msg.Bytes(h.Name)); m.isPassed(h.Kind, name) {
			value := string(msg.Bytes(h.Value))
			if h.Kind == sipframe.HeaderRequire || h.Kind == sipframe.HeaderSupported {
				if value = without(value, "100rel"); value == "" {
					continue
				}
			}
			b.WriteString(name + ": " + value + "\r\n")
		}
	}
	return b.String()
}

// without takes a word out of a list: what one party does with its provisional responses is not asked of the other.
func without(list, word string) string {
	var kept []string
	for one := range strings.SplitSeq(list, ",") {
		if one = strings.TrimSpace(one); one != "" && !strings.EqualFold(one, word) {
			kept = append(kept, one)
		}
	}
	return strings.Join(kept, ", ")
}

// isPassed tells whether a header is passed on. What a message is by is our own in each leg.
func (m *Module) isPassed(kind sipframe.HeaderKind, name string) bool {
	switch kind {
	case sipframe.HeaderVia, sipframe.HeaderFrom, sipframe.HeaderTo, sipframe.HeaderCallID, sipframe.HeaderCSeq, sipframe.HeaderContact, sipframe.HeaderRoute,
		sipframe.HeaderRecordRoute, sipframe.HeaderMaxForwards, sipframe.HeaderContentType, sipframe.HeaderContentLength:
		return false
	}
	for _, list := range [][]string{always, m.custom} {
		for _, n := range list {
			if strings.EqualFold(n, name) {
				return true
			}
		}
	}
	return m.pattern != nil && m.pattern.MatchString(name)
}

// hops is the Max-Forwards line of an INVITE that is because of another; false: that one may go no further.
func hops(c *proxy.Context) (string, bool) {
	n, ok := c.HopsLeft()
	if !ok {
		n = 70
	}
	return "Max-Forwards: " + strconv.Itoa(min(n, 70)) + "\r\n", n > 0
}

func bodyOf(msg *sipframe.Message) string {
	if msg == nil {
		return ""
	}
	return string(msg.Body())
}

func typeOf(msg *sipframe.Message) string {
	if msg == nil {
		return ""
	}
	return string(msg.Value(sipframe.HeaderContentType))
}
