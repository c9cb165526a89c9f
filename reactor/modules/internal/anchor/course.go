package anchor

import (
	"log/slog"
	"strings"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/modules/internal/relay"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

// happened follows transactions: transaction.Listener.
func (f *Follower) happened(h *transaction.Happening) {
	switch h.What {
	case transaction.Created:
		if s, ok := h.Context.Attachment(sessionKey(f.Name)).(*Session); ok {
			h.Exchange.Attach(sessionKey(f.Name), &course{session: s, place: f.dialog.PlaceOf(h.Context)})
		}
	case transaction.BranchOut:
		f.out(h)
	case transaction.ResponseIn:
		f.in(h)
	default:
	}
}

// courseOf returns the course of a transaction; nil: no relay has to do with it.
func (f *Follower) courseOf(e *transaction.Exchange) *course {
	if k, ok := e.Attachment(sessionKey(f.Name)).(*course); ok {
		if engine, _, _ := k.session.Engaged(); engine == "" {
			return nil
		}
		return k
	}
	p := f.dialog.PlaceOfExchange(e)
	if !p.Later {
		return nil
	}
	s := f.ofDialog(p.Dialog)
	if s == nil {
		return nil
	}
	k := &course{session: s, place: p}
	e.Attach(sessionKey(f.Name), k)
	return k
}

// sender is who has sent the requests of a direction.
func sender(dir core.Direction) Side {
	if dir == core.Upstream {
		return Callee
	}
	return Caller
}

// out has the SDP of a request that is about to be sent for a branch pass.
func (f *Follower) out(h *transaction.Happening) {
	k := f.courseOf(h.Exchange)
	if k == nil {
		return
	}
	sdp := relay.SDP(h.Context)
	s, n, side := k.session, h.Leg.Number(), Caller
	if k.place.Later {
		if k.offered {
			return // a branch has it
		}
		n, side = s.byTag(k.place.Tag), sender(k.place.Dir)
		answer := sdp != nil && h.Exchange.Method() == sipframe.PRACK && s.take(n, side)
		k.offered = sdp != nil && !answer
		f.pass(h.Context, k, n, side, sdp, answer)
		return
	}
	s.mu.Lock()
	b := s.of(n)
	engaged := s.All || b.Engaged
	b.offered = sdp != nil
	s.mu.Unlock()
	if engaged {
		f.pass(h.Context, k, n, side, sdp, false)
	}
}

// in has the SDP of a response pass.
func (f *Follower) in(h *transaction.Happening) {
	k := f.courseOf(h.Exchange)
	if k == nil || h.Code <= 100 || h.Code >= 300 && k.place.Later {
		return
	}
	s := k.session
	if k.place.Later {
		side := sender(k.place.Dir).Other()
		sdp, n := relay.SDP(h.Context), s.byTag(k.place.Tag)
		if sdp != nil && !k.offered {
			s.offers(n, side)
		}
		f.pass(h.Context, k, n, side, sdp, k.offered)
		return
	}
	n := h.Leg.Number()
	s.mu.Lock()
	b := s.of(n)
	engaged, offered := s.All || b.Engaged, b.offered
	if to, err := h.Context.Msg.To(); err == nil && h.Code < 300 {
		b.Tag = string(h.Context.Msg.Bytes(to.Tag))
	}
	s.mu.Unlock()
	switch {
	case !engaged:
		return
	case h.Code >= 300:
		f.release(k, n, false)
		return
	}
	sdp := relay.SDP(h.Context)
	if sdp != nil && !offered {
		s.offers(n, Callee)
	}
	f.pass(h.Context, k, n, Callee, sdp, offered)
	if h.Code >= 200 {
		s.mu.Lock()
		first := s.Won < 0
		if first {
			s.Won = n
		}
		s.mu.Unlock()
		if first {
			f.release(k, n, true)
			f.keep(k.place.Dialog, s)
		}
	}
}

// offers notes that a side of a branch has made an offer in a response, whose answer comes in an ACK or a PRACK.
func (s *Session) offers(number int, side Side) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of(number).owed[side] = true
}

// take reports whether the answer to that is awaited of a side, which is so no longer.
func (s *Session) take(number int, of Side) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	owed := &s.of(number).owed[of.Other()]
	was := *owed
	*owed = false
	return was
}

// request looks at an ACK, which has no transaction that could be followed.
func (f *Follower) request(x *script.Machine, p dialog.Place) {
	if c := x.Context(); c.Msg.Method() == sipframe.ACK && f.ofDialog(p.Dialog) != nil {
		c.Attach(passingKey(f.Name), &passing{f, p})
	}
}

// passingKey is the key of an ACK that may have an answer, by its Follower's name.
type passingKey string

// passing is such an ACK: the script has not said yet whether it is to pass.
type passing struct {
	follower *Follower
	place    dialog.Place
}

// Decided has the answer in it pass: proxy.Decided.
func (k *passing) Decided(c *proxy.Context, code int) {
	f, p := k.follower, k.place
	s := f.ofDialog(p.Dialog)
	if code != 0 || s == nil {
		return
	}
	n, side := s.byTag(p.Tag), sender(p.Dir)
	if sdp := relay.SDP(c); s.take(n, side) && sdp != nil {
		f.pass(c, &course{session: s, place: p}, n, side, sdp, true)
	}
}

// pass has an SDP of one side, in the message at hand, name the relay. Where that fails, the message goes on with what it
// has, and a line says so.
func (f *Follower) pass(c *proxy.Context, k *course, number int, from Side, sdp []byte, answer bool) {
	if sdp == nil {
		return
	}
	x, off := k.session.exchange(k.place.Dialog, number, from, answer)
	engine, _, _ := k.session.Engaged()
	e := f.Engines[engine]
	if off || e == nil {
		return
	}
	if x.SDP == nil {
		x.SDP = sdp
	}
	if c.Src != nil && c.Src.Remote.IsValid() {
		x.Source = c.Src.Remote.Addr().Unmap().String()
	}
	err := errBusy
	if c.Await(func(loop int, resume func()) { begin(e, x, loop, resume) }) {
		err = x.Err
	}
	if err == nil {
		err = relay.SetSDP(c, x.Fresh)
	}
	if err != nil {
		f.env.Log.Warn(f.Name+": an SDP goes on as it is", slog.String("call", k.place.Dialog.CallID), slog.Any("error", err))
		return
	}
	k.session.reached(number, x.Reached)
}

// begin asks the node that a call has, and for an offer another one where that fails. It does not block.
func begin(e relay.Engine, x *relay.Exchange, loop int, done func()) {
	if x.Node == "" || x.Answer {
		e.Begin(x, loop, done)
		return
	}
	e.Begin(x, loop, func() {
		if x.Err == nil {
			done()
			return
		}
		x.Node = ""
		e.Begin(x, loop, done)
	})
}

// reached notes which node a branch has.
func (s *Session) reached(number int, node string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Node = node
	s.of(number).used = true
}

// media names the media of a branch, where one side has made an offer.
func (s *Session) media(d *core.Dialog, number int, offerer Side) relay.Media {
	first := func(a, b string) string {
		if a != "" {
			return a
		}
		return b
	}
	tags := [2]string{first(s.Context["from_tag"], d.FromTag), first(s.Context["to_tag"], s.of(number).Tag)}
	return relay.Media{Set: s.Set, Node: s.Node, CallID: first(s.Context["callid"], d.CallID), From: tags[offerer], To: tags[offerer.Other()], Branch: number}
}

// exchange makes an exchange of an SDP of one side. off: it is not to be.
func (s *Session) exchange(d *core.Dialog, number int, from Side, answer bool) (x *relay.Exchange, off bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	offerer, to := from, from.Other()
	if answer {
		offerer = to
	}
	x = &relay.Exchange{Media: s.media(d, number, offerer), Answer: answer,
		Flags: join(s.Context["flags"], s.flag(number, from, "flags"), s.flag(number, to, "peer")),
		IP:    s.flag(number, from, "ip"), Type: s.flag(number, to, "type"), In: s.flag(number, from, "iface"), Out: s.flag(number, to, "iface")}
	if text := s.flag(number, from, "body"); text != "" {
		x.SDP = []byte(text)
	}
	disabled := s.flag(number, from, "disabled")
	return x, disabled != "" && disabled != "0"
}

// join joins texts by blanks.
func join(texts ...string) string { return strings.Join(strings.Fields(strings.Join(texts, " ")), " ") }
