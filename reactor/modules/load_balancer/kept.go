package loadbalancer

import (
	"encoding/json"
	"slices"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/transaction"
)

// keptAs is the value of a dialog that tells what its call takes. It is stored with the dialog, so that the load is known
// again when the program comes back.
const keptAs = "lbX_load"

// earlyKey is the key of what a call takes that has no dialog yet, a []taken of its message or its transaction.
type earlyKey struct{}

// early gives that.
func early(c *proxy.Context) []taken {
	if all, ok := c.Attachment(earlyKey{}).([]taken); ok {
		return all
	}
	if x := transaction.Of(c); x != nil {
		all, _ := x.Attachment(earlyKey{}).([]taken)
		return all
	}
	return nil
}

// setEarly keeps it: a dialog may be made yet, by another of the transaction's routes, too.
func setEarly(c *proxy.Context, all []taken) {
	c.Attach(earlyKey{}, all)
	if x := transaction.Of(c); x != nil {
		x.Attach(earlyKey{}, all)
	}
}

// begun hands it on from the message to its transaction.
func begun(h *transaction.Happening) {
	if h.What != transaction.Created {
		return
	}
	if all, _ := h.Context.Attachment(earlyKey{}).([]taken); len(all) > 0 {
		h.Exchange.Attach(earlyKey{}, all)
	}
}

// created has a dialog know what its call took before it was made.
func (m *module) created(c *proxy.Context, d *core.Dialog) {
	if all := early(c); len(all) > 0 {
		setEarly(c, nil)
		m.store(d, all)
	}
}

// taken is what a call takes of a destination: by lb_start() and its like, or with Counted by lb_count_call().
type taken struct {
	Destination int
	Resources   []string
	Counted     bool
}

// is reports whether both are one hold: a call has one destination that was chosen.
func (t *taken) is(o *taken) bool {
	return t.Counted == o.Counted && (!t.Counted || t.Destination == o.Destination && slices.Equal(t.Resources, o.Resources))
}

// key is that of the hold.
func (t *taken) key() any {
	if t.Counted {
		return countedKey(t.Destination, t.Resources)
	}
	return selected{}
}

// keep notes with the dialog what its call takes, or with off that it takes it no more.
func (m *module) keep(c *proxy.Context, t *taken, off bool) {
	if m.dialog == nil {
		return
	}
	d := m.dialog.Of(c)
	all := early(c)
	if d != nil {
		all = kept(d)
	}
	all = slices.DeleteFunc(slices.Clone(all), func(o taken) bool { return o.is(t) })
	if !off {
		all = append(all, *t)
	}
	if d == nil {
		setEarly(c, all)
		return
	}
	m.store(d, all)
}

// store has a dialog know what its call takes.
func (m *module) store(d *core.Dialog, all []taken) {
	if len(all) == 0 {
		d.Unset(keptAs)
		return
	}
	if b, err := json.Marshal(all); err == nil && !d.Set(core.Value{Name: keptAs, Text: string(b)}) {
		m.log.Warn("load_balancer: the load of a call is not stored: its dialog has too many values")
	}
}

// kept gives what the call of a dialog takes.
func kept(d *core.Dialog) (all []taken) {
	if v, ok := d.Get(keptAs); ok && json.Unmarshal([]byte(v.Text), &all) != nil {
		return nil
	}
	return all
}

// resumedKey marks the dialogs whose load was counted by resume.
type resumedKey struct{}

// resume counts the calls that another life of the program has stored, each once, when all modules have started, and those
// that are read later.
func (m *module) resume() {
	if m.dialog == nil || m.dialog.Dialogs() == nil || !m.listen() {
		return
	}
	m.calls.resume.Lock()
	defer m.calls.resume.Unlock()
	m.dialog.Dialogs().Each(func(d *core.Dialog) bool {
		if !d.Restored || d.State() == core.Ended || d.Attachment(resumedKey{}) != nil {
			return true
		}
		d.Attach(resumedKey{}, true)
		for _, t := range kept(d) {
			l := m.life(t.Destination)
			for _, name := range t.Resources {
				l.load(name).Add(1)
			}
			m.calls.Resume(d.CallID, t.key(), func() {
				for _, name := range t.Resources {
					l.load(name).Add(-1)
				}
			})
		}
		if d.State() == core.Ended { // meanwhile
			m.calls.HungUp(d.CallID)
		}
		return true
	})
}
