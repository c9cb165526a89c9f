package dialog

import (
	"time"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

// bond is a dialog that a message belongs to.
type bond struct {
	dialog  *core.Dialog
	dir     core.Direction
	tag     string       // of the callee, in a later request
	verdict core.Verdict // of validate_dialog(); 0: it is the INVITE
	said    *core.Within // what it is to change once it is let pass; nil: nothing any more
	method  sipframe.Method
	shift   uint32         // what our own requests add to its CSeq
	cseq    uint32         // as it came
	handle  uint64         // of the transaction, of the INVITE that made the dialog
	borrow  *bond          // what load_dialog_ctx() has covered
	inside  bool           // of a route that the dialog has armed: its INVITE's transaction is at hand
	offers  map[int][]byte // SDPs that the INVITE was sent with, by branch
}

// bondKey is the key of a message's or a transaction's bond, the same for all configurations: calls outlive theirs.
type bondKey struct{}

// of returns the dialog of the message or its transaction; nil: there is none.
func (m *Module) of(x *script.Machine) *core.Dialog {
	if b := m.bondOf(x); b != nil {
		return b.dialog
	}
	return nil
}

func (m *Module) bondOf(x *script.Machine) *bond { return m.bondAt(x.Context()) }

// Of returns the dialog of a message or its transaction, whatever other one its script has loaded; nil: there is none. It
// is for other modules.
func (m *Module) Of(c *proxy.Context) *core.Dialog {
	if b := m.ownBond(c); b != nil {
		return b.dialog
	}
	return nil
}

// Inside returns the dialog whose armed route runs, if that is while its INVITE's transaction is dealt with, by the same
// goroutine; nil otherwise.
func (m *Module) Inside(c *proxy.Context) *core.Dialog {
	if b := m.ownBond(c); b != nil && b.inside {
		return b.dialog
	}
	return nil
}

// Seen returns the dialog that the script of a message sees: one that it has loaded, or Of.
func (m *Module) Seen(c *proxy.Context) *core.Dialog {
	if b := m.bondAt(c); b != nil {
		return b.dialog
	}
	return nil
}

// OfExchange returns the dialog of a transaction; nil: there is none.
func (m *Module) OfExchange(e *transaction.Exchange) *core.Dialog {
	if b, ok := e.Attachment(bondKey{}).(*bond); ok {
		return b.dialog
	}
	return nil
}

func (m *Module) bondAt(c *proxy.Context) *bond {
	if b, ok := c.Attachment(bondKey{}).(*bond); ok {
		return b
	}
	if e := transaction.Of(c); e != nil {
		if b, ok := e.Attachment(bondKey{}).(*bond); ok {
			return b
		}
		if own, ours := e.Origin(); ours { // a request of our own, in its local_route
			b, _ := own.(*bond)
			return b
		}
	}
	return nil
}

// ownBond is bondAt beneath what load_dialog_ctx() has covered it with; nil: the message belongs to no dialog.
func (m *Module) ownBond(c *proxy.Context) *bond {
	b := m.bondAt(c)
	if b != nil && b.borrow != nil {
		b = b.borrow
	}
	if b == nil || b.dialog == nil {
		return nil
	}
	return b
}

// bind has the message belong to a dialog, which a loaded one goes on to cover.
func (m *Module) bind(c *proxy.Context, b *bond) {
	if was := m.bondAt(c); was != nil && was.borrow != nil {
		was.borrow = b
		return
	}
	c.Attach(bondKey{}, b)
	if n, ok := c.Attachment(timeoutKey{}).(int64); ok && b.dialog != nil {
		c.Attach(timeoutKey{}, nil)
		b.dialog.SetTimeout(n, time.Now().Unix())
	}
}
