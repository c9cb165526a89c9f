package anchor

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
	"sipreactor/sipframe/body"
)

// Move is what becomes of the relay of a running call. A nil field stays as it is.
type Move struct {
	Engine *string
	Set    *int
	Node   *string
	Sides  [2]Flags // those that are named are set
}

// answer is what a request of ours came to.
type answer struct {
	code int
	seq  uint32
	sdp  []byte
}

var errUnsent = errors.New("the request could not be sent")

// Move has the media of a running call pass a relay anew: the caller is asked for an offer, which the callee gets through
// the relay, and whose answer goes back with the ACK. It blocks until the parties have answered.
func (f *Follower) Move(ctx context.Context, d *core.Dialog, s *Session, to Move) error {
	if err := s.move(f, d, &to); err != nil {
		return err
	}
	offer, err := f.ask(ctx, d, &dialog.Sequential{Method: "INVITE", Dir: core.Upstream, Callee: -1, Contact: f.dialog.ContactFor(d, core.Upstream), NoAck: true})
	if err != nil {
		return fmt.Errorf("the caller was not asked: %w", err)
	}
	if offer.code >= 300 {
		return fmt.Errorf("the caller answered %d", offer.code)
	}
	ack := &dialog.Sequential{Method: "ACK", Dir: core.Upstream, Callee: -1, CSeq: offer.seq}
	defer func() { f.dialog.Send(d, ack) }()
	if offer.sdp == nil {
		return errors.New("the caller offers nothing")
	}
	fresh, err := f.through(d, s, Caller, offer.sdp, false)
	if err != nil {
		return err
	}
	got, err := f.ask(ctx, d, &dialog.Sequential{Method: "INVITE", Dir: core.Downstream, Callee: -1, Contact: f.dialog.ContactFor(d, core.Downstream),
		Type: "application/sdp", Body: string(fresh)})
	switch {
	case err != nil:
		return fmt.Errorf("the callee was not asked: %w", err)
	case got.code >= 300 || got.sdp == nil:
		return fmt.Errorf("the callee answered %d", got.code)
	}
	if fresh, err = f.through(d, s, Callee, got.sdp, true); err != nil {
		return err
	}
	ack.Type, ack.Body = "application/sdp", string(fresh)
	f.keep(d, s)
	return nil
}

// move changes the session, and has the old media ended if that is elsewhere.
func (s *Session) move(f *Follower, d *core.Dialog, to *Move) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	engine, number := s.Engine, s.Set
	if to.Engine != nil {
		engine = *to.Engine
	}
	e := f.Engines[engine]
	if e == nil {
		return fmt.Errorf("there is no engine %q", engine)
	}
	if to.Set != nil {
		number = *to.Set
	}
	if !e.HasSet(number) {
		return fmt.Errorf("there is no set %d", number)
	}
	if engine != s.Engine || number != s.Set || to.Node != nil && *to.Node != s.Node {
		f.push(s.job(d, max(s.Won, 0)))
		s.Node = ""
	}
	s.Engine, s.Set = engine, number
	if to.Node != nil {
		s.Node = *to.Node
	}
	for side, flags := range to.Sides {
		for name, v := range flags {
			set(&s.Sides[side], name, v)
			for i := range s.Branches {
				delete(s.Branches[i].Sides[side], name)
			}
		}
	}
	return nil
}

// through has an SDP of one side name the relay. It blocks.
func (f *Follower) through(d *core.Dialog, s *Session, from Side, sdp []byte, answer bool) ([]byte, error) {
	s.mu.Lock()
	number := max(s.Won, 0)
	e := f.Engines[s.Engine]
	s.mu.Unlock()
	x, off := s.exchange(d, number, from, answer)
	if off {
		return sdp, nil
	}
	if x.SDP == nil {
		x.SDP = sdp
	}
	over := make(chan struct{})
	begin(e, x, -1, func() { close(over) })
	<-over
	if x.Err != nil {
		return nil, x.Err
	}
	s.reached(number, x.Reached)
	return x.Fresh, nil
}

// ask sends a request of ours and waits for its final response.
func (f *Follower) ask(ctx context.Context, d *core.Dialog, q *dialog.Sequential) (*answer, error) {
	done := make(chan *answer, 1)
	q.Done = func(o *transaction.Outcome) {
		a := &answer{code: o.Code}
		if o.Message != nil {
			a.seq, _, _ = o.Message.CSeq()
			b := o.Message.Body()
			if begin, end, there := body.FindSDP(b, o.Message.Value(sipframe.HeaderContentType)); there {
				a.sdp = bytes.Clone(b[begin:end])
			}
		}
		select {
		case done <- a:
		default: // another 2xx of a fork
		}
	}
	if !f.dialog.Send(d, q) {
		return nil, errUnsent
	}
	select {
	case a := <-done:
		return a, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
