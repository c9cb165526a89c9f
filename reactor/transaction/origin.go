package transaction

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/netip"
	"strconv"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

// Request is a request of our own. What is empty is made up or left out, as each field says.
type Request struct {
	Method string // such as "OPTIONS"
	URI    []byte // Request-URI
	// From and To are header values: URIs, with or without display name and tag. A From without a tag gets one.
	From, To []byte
	CallID   []byte // empty: a new one
	CSeq     uint32 // 0: 10
	Headers  []byte // further header lines, Content-Type among them
	Body     []byte

	// NextHop is where it goes, as for Relay; empty: by its Route or Request-URI.
	NextHop []byte
	Socket  *reactor.Socket // to send from; nil: any
	Domain  string          // TLS client domain; "" chooses by the next hop
	Flow    reactor.Handle  // the connection to go by; 0: any
	// FlowOnly has the request fail where that connection is gone: no other is used, and none opened.
	FlowOnly bool
	// NoAnswer is how long to wait for a response; 0: as configured.
	NoAnswer time.Duration
	// Local is kept with the Exchange for who sends it: Exchange.Origin.
	Local any
	// Attached is what the Script finds in Exchange.Attached.
	Attached any
	// Done is called with each response: provisional ones, and then the final one, for an INVITE each 2xx. It is called
	// by the Exchange's holder, with what may be sent by. nil: nobody waits.
	Done func(o *Outcome)
	// Ack has 2xx responses to an INVITE acknowledged. Without it that is left to Done.
	Ack bool
}

// Outcome is a response to a request of ours. It is valid in the call only.
type Outcome struct {
	Exchange *Exchange
	Context  *proxy.Context
	Code     int
	Reason   []byte
	Local    bool              // it is ours: 408, or 503 where it could not be delivered
	Message  *sipframe.Message // nil with Local
}

// origin is what an Exchange has in the place of a client.
type origin struct {
	ack   bool
	done  func(o *Outcome)
	local any
	msg   sipframe.Message
}

// ErrRequest: a request of ours would be no message.
var ErrRequest = errors.New("transaction: not a request")

// Origin returns what Request.Local was, and whether the request is one of ours.
func (x *Exchange) Origin() (local any, ours bool) {
	if x.origin == nil {
		return nil, false
	}
	return x.origin.local, true
}

// Originate sends a request of our own by a transaction, from a goroutine that has a Context, whose message is not
// touched; nil, or one that sends nothing: from any goroutine, on a worker, and the outcome is told by Done alone. The error is why it could not be
// sent; then Done is not called. An ACK goes out without a transaction, and nothing is told of it.
func (l *Layer) Originate(c *proxy.Context, r *Request) (handle uint64, err error) {
	text, err := r.text()
	if err != nil {
		return 0, err
	}
	if c == nil || !c.Sends() {
		if l.engine == nil {
			return 0, errors.New("transaction: there is no engine")
		}
		l.engine.Post(int(l.turn.Add(1))%len(l.shards), &posted{l, r, text})
		return 0, nil
	}
	return l.originate(c, r, text)
}

// posted is a request that waits for a worker.
type posted struct {
	layer *Layer
	r     *Request
	text  []byte
}

// Run sends it.
func (p *posted) Run(w *reactor.Worker) {
	c := p.layer.workerContext(w)
	defer p.layer.putContext(c)
	if _, err := p.layer.originate(c, p.r, p.text); err != nil && p.r.Done != nil {
		p.r.Done(&Outcome{Context: c, Code: failureOf(err).code, Reason: failureOf(err).reason, Local: true})
	}
}

func (l *Layer) originate(by *proxy.Context, r *Request, text []byte) (uint64, error) {
	c := l.context(by)
	defer l.putContext(c)
	if err := c.BeginLocal(text); err != nil {
		c.End()
		return 0, ErrRequest
	}
	defer c.End()
	if c.Msg.Method() == sipframe.ACK {
		c.SetSendSocket(r.Socket)
		c.SetTLSDomain(r.Domain)
		return 0, c.Forward(firstRoute(c.Msg))
	}
	if int(l.table.live.Load()) >= l.Config().Max {
		return 0, ErrBusy
	}
	x := l.make(by.W)
	if x == nil {
		return 0, ErrBusy
	}
	x.origin = &origin{ack: r.Ack, done: r.Done, local: r.Local}
	x.method, x.request, x.Attached = c.Msg.Method(), hoard(text), r.Attached
	if x.method == sipframe.INVITE {
		n, _, _ := c.Msg.CSeq()
		x.invited.Store(^l.proxy.InviteKey(c.Msg.CallID(), n)) // which is no client's
	}
	x.SetTimeouts(r.NoAnswer, 0)
	handle := x.handle.Load()
	c.SetSendSocket(r.Socket)
	c.SetTLSDomain(r.Domain)
	c.Branch(0).SetFlow(r.Flow, r.FlowOnly)
	c.Transaction = x
	if s := l.user(); s != nil {
		s.Local(c, x)
	}
	return handle, x.depart(c, &Options{To: r.NextHop})
}

// depart sends the request in c, which is the only branch of a transaction without a client.
func (x *Exchange) depart(c *proxy.Context, o *Options) error {
	l := x.layer
	x.c, x.rc, c.Transaction = c, c, x
	x.Init(x, x.shard.wheel, x.timing, l.now(), x.method == sipframe.INVITE, true)
	x.Key, x.Own = x.handle.Load(), true
	l.owed.Add(1)
	x.shard.stat.add(statUAC)
	err := x.branch(c, o)
	if err != nil {
		x.origin.done = nil
		x.Transaction.Respond(l.now(), 503)
		if !x.over { // an INVITE's
			x.Transaction.Acknowledged(l.now())
		}
	}
	c.Transaction = nil
	x.letGo(c)
	return err
}

// text writes the request, without a Via.
func (r *Request) text() ([]byte, error) {
	callID := r.CallID
	if len(callID) == 0 {
		callID = token(16)
	}
	cseq := r.CSeq
	if cseq == 0 {
		cseq = 10
	}
	b := make([]byte, 0, 512+len(r.Headers)+len(r.Body))
	b = append(append(append(append(b, r.Method...), ' '), r.URI...), " SIP/2.0\r\nFrom: "...)
	b = append(b, r.From...)
	if !tagged(r.From) {
		b = append(append(b, ";tag="...), token(8)...)
	}
	b = append(append(b, "\r\nTo: "...), r.To...)
	b = append(append(b, "\r\nCall-ID: "...), callID...)
	b = strconv.AppendUint(append(b, "\r\nCSeq: "...), uint64(cseq), 10)
	b = append(append(append(b, ' '), r.Method...), "\r\n"...)
	if len(r.Headers) > 0 {
		var err error
		if b, err = proxy.AppendHeaders(b, r.Headers); err != nil {
			return nil, err
		}
	}
	b = strconv.AppendInt(append(b, "Content-Length: "...), int64(len(r.Body)), 10)
	b = append(append(b, "\r\n\r\n"...), r.Body...)
	var m sipframe.Message
	if m.Parse(b) != nil || !m.IsRequest() || int(m.BodyOffset())+len(r.Body) != len(b) {
		return nil, ErrRequest
	}
	for _, k := range []sipframe.HeaderKind{sipframe.HeaderFrom, sipframe.HeaderTo, sipframe.HeaderCallID, sipframe.HeaderCSeq} {
		if i := m.Find(k); i < 0 || m.FindNext(k, i) >= 0 {
			return nil, ErrRequest
		}
	}
	if _, err := m.From(); err != nil {
		return nil, ErrRequest
	}
	if _, err := m.To(); err != nil {
		return nil, ErrRequest
	}
	return b, nil
}

// firstRoute returns the URI of the first Route of a message; nil: it has none.
func firstRoute(m *sipframe.Message) []byte {
	it := m.Routes()
	v, ok := it.Next()
	var a sipframe.NameAddr
	if !ok || sipframe.ParseNameAddr(m.Bytes(v), &a) != nil {
		return nil
	}
	return a.URI.In(m.Bytes(v))
}

// tagged reports whether a header value has a tag.
func tagged(value []byte) bool {
	var a sipframe.NameAddr
	return sipframe.ParseNameAddr(value, &a) == nil && a.Tag.Len > 0
}

// token returns n random bytes as hexadecimal digits.
func token(n int) []byte {
	raw := make([]byte, n)
	rand.Read(raw) // never fails
	return hex.AppendEncode(nil, raw)
}

// arrived tells who sent the request of a response; nil: one of our own.
func (x *Exchange) arrived(code int, text []byte) {
	o := x.origin
	out := Outcome{Exchange: x, Context: x.c, Code: code, Local: text == nil}
	x.responded = int32(code)
	if text != nil && o.msg.Parse(text) == nil {
		out.Message, out.Reason = &o.msg, o.msg.ReasonPhrase()
	} else {
		out.Local, out.Reason = true, localReason(code)
	}
	if code >= 200 && code < 300 && o.ack && x.Invite() && out.Message != nil {
		x.acknowledge2xx(out.Message)
	}
	if o.done != nil {
		o.done(&out)
	}
	if code >= 200 { // behind what done may have begun: a stop waits for that, and not for what is only kept
		x.settle()
	}
	if code >= 300 && x.Invite() {
		x.Transaction.Acknowledged(x.layer.now())
	}
}

func localReason(code int) []byte {
	if code == 408 {
		return timeoutReason
	}
	return failSend.reason
}

// acknowledge2xx sends the ACK to a 2xx of an INVITE of ours, to its Contact or, if it has none, where the INVITE went.
func (x *Exchange) acknowledge2xx(m *sipframe.Message) {
	if len(x.legs) == 0 || x.request == nil {
		return
	}
	var sent sipframe.Message
	if sent.Parse(x.request.Bytes()) != nil {
		return
	}
	uri := sent.RequestURI()
	if contact, err := m.Contact(); err == nil && contact.URI.Len > 0 {
		uri = m.Bytes(contact.URI)
	}
	n, _, _ := sent.CSeq()
	b := append(append(append([]byte("ACK "), uri...), " SIP/2.0\r\nFrom: "...), sent.Value(sipframe.HeaderFrom)...)
	b = append(append(b, "\r\nTo: "...), m.Value(sipframe.HeaderTo)...)
	b = append(append(b, "\r\nCall-ID: "...), sent.CallID()...)
	b = strconv.AppendUint(append(b, "\r\nCSeq: "...), uint64(n), 10)
	b = append(b, " ACK\r\n"...)
	var routes [][]byte
	values := m.Values(sipframe.HeaderRecordRoute)
	for v, ok := values.Next(); ok; v, ok = values.Next() {
		routes = append(routes, m.Bytes(v))
	}
	for i := len(routes) - 1; i >= 0; i-- {
		b = append(append(append(b, "Route: "...), routes[i]...), "\r\n"...)
	}
	b = append(append(b, x.ownHeaders()...), "Content-Length: 0\r\n\r\n"...)
	o := x.layer.context(x.c)
	defer x.layer.putContext(o)
	err := o.BeginLocal(b)
	if err == nil {
		err = o.Forward(firstRoute(o.Msg))
	}
	if err != nil {
		o.CountAck(err, netip.AddrPort{})
	}
	o.End()
}
