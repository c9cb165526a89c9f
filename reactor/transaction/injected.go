package transaction

import (
	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
)

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

// nameKey is what a transaction that a message is not of is kept by.
type nameKey struct{}

// Name has the message in c name a transaction, which is not its own.
func Name(c *proxy.Context, handle uint64) { c.Attach(nameKey{}, handle) }

// Named returns the handle of the transaction that the message in c names; 0: none.
func Named(c *proxy.Context) uint64 {
	h, _ := c.Attachment(nameKey{}).(uint64)
	return h
}
