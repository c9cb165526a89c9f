package transaction

import (
	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
)

// Branches that a transaction gets when its request's script is done, and how it waits for them (wait.go).

// Fork returns the branches of the last fork.
func (x *Exchange) Fork() []*Leg { return x.legs[x.Transaction.fork:len(x.branches)] }

// WaitForBranches has the transaction wait for n more branches to be injected after all that it has are done, until
// fr_inv_timeout is over; 0 ends that.
func (x *Exchange) WaitForBranches(n int) {
	now := x.layer.now()
	x.Transaction.Wait(now, n)
}

// Waits reports whether it waits for branches.
func (x *Exchange) Waits() bool { return x.Transaction.waits > 0 }

// Inject adds the branches of the request in c, which is the transaction's, and sends them: those it has are canceled
// first, or it no longer waits for further ones.
func (x *Exchange) Inject(c *proxy.Context, cancel, last bool) int {
	if cancel {
		x.CancelLegs(nil, true, true)
	}
	n := c.Branches()
	rc := x.relay(c, &Options{}, false)
	if last {
		n = MaxBranches
	}
	if x.Transaction.waits > 0 {
		x.Transaction.Wait(x.layer.now(), max(int(x.Transaction.waits)-n, 0))
	}
	return rc
}

// KeepChanges keeps what the script has made of the request in c, for branches that are injected when it is done: where
// nothing is relayed before.
func (x *Exchange) KeepChanges(c *proxy.Context) {
	if x.base == nil && x.c == c {
		x.base = x.layer.takeChanges()
		c.Save(x.base)
	}
}

// Injected is a branch that a transaction gets from outside of its messages.
type Injected struct {
	URI, Destination, Path string
	Q                      int // as proxy.Branch has it
	Flags                  uint64
	Socket                 *reactor.Socket // to send from; nil: any
	Flow                   reactor.Handle  // the connection to go by; 0: any
	Bound                  bool            // by Flow and by nothing else
}

// InjectBranches adds branches to the request as it came, and sends them, as Inject does. It reports what became of it by
// the code of a relay; negative: there is no request any more, or a branch is none.
func (x *Exchange) InjectBranches(list []Injected, cancel, last bool) int {
	o := x.restored()
	if o == nil || len(list) == 0 {
		return -1
	}
	defer x.layer.putContext(o)
	defer o.End()
	o.ResetDestination()
	for i := range list {
		b := o.Branch(0)
		var err error
		if i == 0 {
			err = o.SetRequestURI([]byte(list[i].URI))
		} else {
			b, err = o.AppendBranch([]byte(list[i].URI), false)
		}
		if err == nil {
			err = list[i].into(b)
		}
		if err != nil {
			return -1
		}
	}
	before := x.rc
	x.rc = o
	defer func() { x.rc = before }()
	return x.Inject(o, cancel, last)
}

func (i *Injected) into(b *proxy.Branch) error {
	if err := b.SetPath([]byte(i.Path)); err != nil {
		return err
	}
	if err := b.SetDestURI([]byte(i.Destination)); err != nil {
		return err
	}
	b.SetQ(i.Q)
	b.SetFlags(i.Flags)
	b.SetSocket(i.Socket)
	b.SetFlow(i.Flow, i.Bound)
	return nil
}
