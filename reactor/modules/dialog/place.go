package dialog

import (
	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
)

// Place is where a message or a transaction stands in a dialog. The zero value stands in none.
type Place struct {
	Dialog *core.Dialog
	Dir    core.Direction // of the request
	Tag    string         // of the callee, in a later request
	Later  bool           // it is not the INVITE that made the dialog
}

// PlaceOf returns the place of a message.
func (m *Module) PlaceOf(c *proxy.Context) Place { return placeOf(m.ownBond(c)) }

// PlaceOfExchange returns the place of a transaction.
func (m *Module) PlaceOfExchange(e *transaction.Exchange) Place {
	b, _ := e.Attachment(bondKey{}).(*bond)
	return placeOf(b)
}

func placeOf(b *bond) Place {
	if b == nil || b.dialog == nil {
		return Place{}
	}
	return Place{b.dialog, b.dir, b.tag, b.verdict != 0}
}

// OnRequest has f told of later requests as their dialogs are found, within the script: for the Check of another module.
func (m *Module) OnRequest(f func(x *script.Machine, p Place)) { m.onRequest = append(m.onRequest, f) }

// OnCreate has f told of each new dialog, with its INVITE in c, within the script: for the Check of another module.
func (m *Module) OnCreate(f func(c *proxy.Context, d *core.Dialog)) {
	m.onCreate = append(m.onCreate, f)
}

// ContactFor is the Contact of a request of ours that goes one way.
func (m *Module) ContactFor(d *core.Dialog, dir core.Direction) string { return m.contactFor(d, dir) }

// OnRead has f told when stored dialogs were read while the program runs, as the database was away at the start, or by
// dlg_db_sync: for the Check of another module.
func (m *Module) OnRead(f func()) { m.onRead = append(m.onRead, f) }
