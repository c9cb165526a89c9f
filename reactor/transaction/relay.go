package transaction

import (
	"errors"

	"sipreactor/reactor/names"
	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

// What Relay returns: the codes of t_relay().
const (
	Relayed       = 1  // a branch is under way, or the failure has been answered
	Failed        = -1 // an error of ours, no room for another branch
	BadMessage    = -2
	NoDestination = -3 // no branch was added, or the request was canceled
	Unresolved    = -4
	Filtered      = -5 // by a blacklist
	Unsent        = -6
	Repeated      = 0 // a retransmission: the script ends
)

// Options are the flags of t_relay(), and its outbound proxy.
type Options struct {
	// To is where the request goes unless it has a destination URI: [proto:]host[:port].
	To []byte
	// NoResponse leaves a failure of all branches to the script (no-auto-477).
	NoResponse bool
	// NoFailover tries the first address only (no-dns-failover).
	NoFailover bool
	// PassReason trusts the Reason of a CANCEL (pass-reason-hdr); without it, too, it is passed.
	PassReason bool
	// NoCancel follows "Content-Disposition: no-cancel" (allow-no-cancel).
	NoCancel bool
	// Quiet has a transaction that is made send no 100 (0x01 of before OpenSIPS 3).
	Quiet bool
	// Silent keeps responses from the client (t_replicate).
	Silent bool
}

// failure says what a failure of all branches is to the client and to the script.
type failure struct {
	rc     int
	code   int
	reason []byte
}

var (
	failResolve = failure{Unresolved, 476, []byte("Unresolvable destination (476/TM)")}
	failSend    = failure{Unsent, 477, []byte("Send failed (477/TM)")}
	failSocket  = failure{Unsent, 500, []byte("Server error occurred (7/TM)")}
	failNone    = failure{NoDestination, 500, []byte("Server error occurred (1/TM)")}
	failURI     = failure{Unresolved, 400, []byte("Bad Request-URI (400/TM)")}
	failRoute   = failure{Unresolved, 400, []byte("Bad Route (400/TM)")}
	failHops    = failure{Unsent, 483, nil}
	failLarge   = failure{Unsent, 513, nil}
	failBreadth = failure{Failed, 440, nil}
	failBranch  = failure{Failed, 500, []byte("Server error occurred (1/TM)")}
	failCancel  = failure{NoDestination, 487, nil}
)

// failureOf says what an error of a branch comes to.
func failureOf(err error) failure {
	switch {
	case errors.Is(err, proxy.ErrHops):
		return failHops
	case errors.Is(err, proxy.ErrTooLarge):
		return failLarge
	case errors.Is(err, proxy.ErrURI):
		return failURI
	case errors.Is(err, proxy.ErrRoute):
		return failRoute
	case errors.Is(err, proxy.ErrNoSocket), errors.Is(err, proxy.ErrTransport):
		return failSocket
	case errors.Is(err, names.ErrUnresolved), errors.Is(err, names.ErrBusy):
		return failResolve
	case errors.Is(err, ErrBranches), errors.Is(err, Err6xx):
		return failBranch
	case errors.Is(err, ErrCanceled):
		return failCancel
	default:
		return failSend
	}
}

// Relay sends the request in c on: by a transaction, which it makes where there is none. All branches of the request are
// sent at once. An ACK to a final response that is no 2xx ends here, one to a 2xx goes on without a transaction; a CANCEL
// that belongs to a transaction is answered and has that canceled, and any other goes on without one.
//
// Where nothing could be sent, the client is answered, unless o or an earlier Begin leaves that to the script; then the
// code says why.
func (l *Layer) Relay(c *proxy.Context, o *Options) int {
	switch c.Msg.Method() {
	case sipframe.ACK:
		if Of(c) == nil && l.Find(c) != 0 {
			return Relayed
		}
		return l.forward(c, o)
	case sipframe.CANCEL:
		if l.Cancel(c, o) {
			return Relayed
		}
		return l.forward(c, o)
	}
	x := Of(c)
	automatic := x == nil || x.implied
	if x == nil {
		var err error
		if x, err = l.begin(c, o.Quiet); err != nil {
			if err == ErrRepeat {
				return Repeated
			}
			return Relayed // it has been answered
		}
	}
	x.implied = false
	return x.relay(c, o, automatic && !o.NoResponse)
}

// forward sends a request on without a transaction.
func (l *Layer) forward(c *proxy.Context, o *Options) int {
	to := o.To
	if len(c.DestURI()) > 0 {
		to = nil
	}
	err := c.Forward(to)
	if err == nil {
		return Relayed
	}
	return failureOf(err).rc
}

// undo takes back what a branch's route has changed, but for the flags of the message: those go on.
func (x *Exchange) undo(c *proxy.Context, to *proxy.Changes) {
	flags := c.Flags()
	c.Restore(to)
	c.SetFlags(flags)
}

// relay adds the branches of the request in c.
func (x *Exchange) relay(c *proxy.Context, o *Options, automatic bool) int {
	if x.overtake(); x.Canceled() {
		c.ClearBranches()
		return NoDestination
	}
	x.noFail = x.noFail || o.NoFailover
	x.KeepPending = x.KeepPending || o.NoCancel && noCancel(c.Msg)
	common := x.layer.takeChanges()
	c.Save(common)
	shared := x.base == nil && x.c == c // until the request is answered: then the base goes
	if shared {
		x.base = common
	}
	sent, worst := 0, failNone
	broad, n := x.broad(c), c.Branches()
	for i := range n {
		if i > 0 {
			if shared && x.base != common {
				break
			}
			x.undo(c, common)
			c.TakeBranch(i)
		}
		if !x.share(c, broad, i, n) {
			worst, automatic = failBreadth, x.pending() == 0
			break
		}
		switch err := x.branch(c, o); {
		case err == nil:
			sent++
		case err == errDropped:
		default:
			worst = failureOf(err)
			if errors.Is(err, proxy.ErrHops) {
				automatic = true
			}
		}
		if x.Canceled() || x.status != 0 {
			break
		}
	}
	if !shared || x.base == common {
		x.undo(c, common)
	}
	if c.ClearBranches(); !shared {
		x.layer.giveChanges(common)
	}
	x.at = nil
	if sent > 0 {
		return Relayed
	}
	if automatic && x.rc == c && x.status == 0 && !x.deciding {
		x.respond(worst.code, wording{reason: worst.reason})
		return Relayed
	}
	return worst.rc
}

var errDropped = errors.New("transaction: the branch route dropped the branch")

// branch adds a branch with the changes in c, and sends it.
func (x *Exchange) branch(c *proxy.Context, o *Options) error {
	l := x.layer
	if len(x.branches) == MaxBranches {
		return ErrBranches
	}
	leg := l.leg()
	leg.Index = len(x.branches) // for the script; Add says it, too
	leg.Set.Copy(c.Branch(0))
	_ = leg.Set.SetURI(c.RequestURI())
	x.legs, x.at = append(x.legs, leg), leg
	if s := l.user(); s != nil && s.Branch(c, x, leg) {
		x.legs = x.legs[:len(x.branches)]
		l.putLeg(leg)
		return errDropped
	}
	leg.Set.Copy(c.Branch(0))
	_ = leg.Set.SetURI(c.RequestURI())
	to := o.To
	if len(c.DestURI()) > 0 {
		to = nil
	}
	leg.breadth = int32(c.BreadthSet())
	leg.Minor = l.Config().MinorFlag != 0 && leg.Set.Flags()&l.Config().MinorFlag != 0
	err := c.Aim(to, &leg.way)
	if err == nil {
		if x.noFail {
			leg.way.OnlyFirst()
		}
		x.overtake() // it may have been canceled while its next hop was looked up
		err = x.Add(&leg.Branch, leg.way.Reliable())
	}
	if err != nil {
		x.legs = x.legs[:len(x.branches)]
		l.putLeg(leg)
		return err
	}
	if h := x.ownHeaders(); len(h) > 0 {
		_ = c.AppendHeader(h) // AddHeaders has looked at them
	}
	x.tellOn(c, BranchOut, leg, 0, nil)
	if leg.way.Several() && !x.noFail {
		leg.own = l.takeChanges()
		c.Save(leg.own)
	}
	before := x.rc
	x.rc = c
	err = x.Launch(l.now(), &leg.Branch)
	x.rc = before
	if !leg.way.More() {
		l.putChanges(leg)
	}
	return err
}
