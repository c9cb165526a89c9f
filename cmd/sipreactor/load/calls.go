package load

import (
	"context"
	"slices"
	"strconv"
	"time"
)

// sdp is a body of an ordinary size.
const sdp = "v=0\r\no=load 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n" +
	"m=audio 6000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"

// Calls is a load of calls: INVITE, 180, 200, ACK, BYE, 200.
type Calls struct {
	Peer        Peer
	URI         string        // of the callee
	Connections int           // persistent ones, at least 1
	Window      int           // closed loop: calls under way on each connection
	Rate        float64       // calls a second on all connections together; 0: closed loop
	Hold        time.Duration // between ACK and BYE
	Duration    time.Duration // calls begin for this long
	Count       int           // closed loop: end after this many; 0: any
	Timeout     time.Duration // a call that has not ended this long after its begin and Hold is lost; 4 s if 0
	Tally       *Tally        // to watch the load under way; may be nil

	// Trace, if set, is told of each message: its first line or status, and whether the client sent it.
	Trace func(sent bool, message string)
}

// Run offers the load and waits for the end of its last call. The latency is from INVITE to 200, the phase "bye"
// from BYE to 200. The error tells that it could not start.
func (c Calls) Run(ctx context.Context) (Result, error) {
	if c.Tally == nil {
		c.Tally = NewTally()
	}
	if c.Timeout <= 0 {
		c.Timeout = 4 * time.Second
	}
	f, err := newFleet(ctx, c.Peer, c.Connections, c.Timeout+c.Hold, c.Tally)
	if err != nil {
		return Result{}, err
	}
	r := &caller{Calls: c, byes: c.Tally.Phase("bye")}
	f.open, f.receive = r.invite, r.receive
	c.Tally.Begin()
	if c.Rate > 0 {
		err = f.openLoop(ctx, c.Rate, c.Duration)
	} else {
		f.closedLoop(ctx, c.Window, c.Duration, c.Count)
	}
	f.running.Wait()
	res := c.Tally.Result("calls")
	f.close()
	return res, err
}

type caller struct {
	Calls
	byes *Latency
}

func (c *caller) trace(sent bool, message string) {
	if c.Trace != nil {
		c.Trace(sent, message)
	}
}

func (c *caller) invite(a *agent, u *unit) {
	c.trace(true, "INVITE")
	a.Queue(func(out []byte) []byte {
		out = a.request(out, u, "INVITE", c.URI, "<"+c.URI+">", "i", 1)
		return body(out, "application/sdp", []byte(sdp))
	})
}

func (c *caller) receive(a *agent, u *unit, m *Message) {
	if c.Trace != nil {
		c.Trace(false, strconv.Itoa(m.Status))
	}
	switch method := string(m.CSeqMethod()); {
	case m.Status < 200:
		u.ringing = true
	case method == "INVITE" && u.answered:
		c.Tally.Duplicated.Add(1)
		c.ack(a, u)
	case method == "INVITE" && m.Status < 300:
		c.Tally.Latency.Record(time.Since(u.due))
		c.answer(a, u, m)
	case method == "INVITE":
		u.to = string(m.To)
		a.Queue(func(out []byte) []byte {
			return body(a.request(out, u, "ACK", c.URI, u.to, "i", 1), "", nil)
		})
		a.failed(u, "INVITE answered "+strconv.Itoa(m.Status))
	case method == "BYE" && m.Status < 300:
		c.byes.Record(time.Since(u.due) - time.Duration(u.hungUp.Load()))
		a.done(u)
	default:
		a.failed(u, method+" answered "+strconv.Itoa(m.Status))
	}
}

// answer takes the dialog from the 200, acknowledges it and hangs up.
func (c *caller) answer(a *agent, u *unit, m *Message) {
	u.answered = true
	u.to, u.target = string(m.To), string(addressURI(m.Contact))
	for _, v := range slices.Backward(m.RecordRoutes) {
		u.routes = append(u.routes, string(v))
	}
	if u.target == "" || param(m.To, "tag") == nil {
		a.failed(u, "200 without Contact or To tag")
		return
	}
	c.ack(a, u)
	if c.Hold > 0 {
		time.AfterFunc(c.Hold, func() {
			c.bye(a, u)
			a.Flush()
		})
		return
	}
	c.bye(a, u)
}

func (c *caller) ack(a *agent, u *unit) {
	c.trace(true, "ACK")
	a.Queue(func(out []byte) []byte {
		return body(routed(a.request(out, u, "ACK", u.target, u.to, "a", 1), u), "", nil)
	})
}

func (c *caller) bye(a *agent, u *unit) {
	c.trace(true, "BYE")
	u.hungUp.Store(int64(time.Since(u.due)))
	a.Queue(func(out []byte) []byte {
		return body(routed(a.request(out, u, "BYE", u.target, u.to, "b", 2), u), "", nil)
	})
}

func routed(out []byte, u *unit) []byte {
	for _, r := range u.routes {
		out = append(append(append(out, "Route: "...), r...), "\r\n"...)
	}
	return out
}
