package anchor

import (
	"context"
	"sync/atomic"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/modules/internal/relay"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
)

// Follower has calls keep to their relays, for one module. Its zero value with a Name is usable: Check, Start and Stop are
// to be called in the module's.
type Follower struct {
	// Name tells the calls of this module from those of others, also where they are stored.
	Name string
	// Engines are what calls can be engaged with, by name.
	Engines map[string]relay.Engine

	dialog   *dialog.Module
	tm       *tm.Module
	env      *script.Env
	unlisten func()
	jobs     chan job
	dropped  atomic.Uint64
}

// sessionKey is the key of a session, by its Follower's name.
type sessionKey string

// course is how an INVITE or a later request goes on.
type course struct {
	session *Session
	place   dialog.Place
	offered bool // a later request had an SDP
}

// Check finds the modules that are needed. It reports whether they are there.
func (f *Follower) Check(l *script.Loading) bool {
	f.tm, _ = l.Instance("tm").(*tm.Module)
	f.dialog, _ = l.Instance("dialog").(*dialog.Module)
	if f.tm == nil || f.dialog == nil {
		return false
	}
	f.dialog.Watch(f.changed)
	f.dialog.OnRequest(f.request)
	return true
}

// Start begins to follow. previous is the Follower of the configuration that this one replaces; nil at the start.
func (f *Follower) Start(e *script.Env, previous *Follower) {
	f.env = e
	if f.dialog == nil {
		return
	}
	if previous != nil && previous.jobs != nil {
		f.jobs = previous.jobs
	} else {
		f.jobs = make(chan job, maxJobs)
	}
	f.unlisten = f.tm.Layer().Listen(f.happened)
	for range enders {
		e.Go(func(ctx context.Context) { f.end(ctx) })
	}
}

// Stop leaves the calls to the next configuration.
func (f *Follower) Stop() {
	if f.unlisten != nil {
		f.unlisten()
	}
}

// Ready reports whether the modules that are needed are there.
func (f *Follower) Ready() bool { return f.dialog != nil }

// Dialogs calls g for each call that is engaged, until it returns false.
func (f *Follower) Dialogs(g func(d *core.Dialog, s *Session) bool) {
	f.dialog.Dialogs().Each(func(d *core.Dialog) bool {
		if s := f.ofDialog(d); s != nil && d.State() != core.Ended {
			return g(d, s)
		}
		return true
	})
}

// ByCallID returns a dialog; nil: there is none.
func (f *Follower) ByCallID(id string) *core.Dialog { return f.dialog.Dialogs().ByCallID([]byte(id)) }

// Dead ends a call of a Call-ID that has no media any more. It reports whether there was one.
func (f *Follower) Dead(callID string) bool {
	if f.dialog == nil {
		return false
	}
	_, err := f.dialog.EndCall(callID, core.MediaTimeout)
	return err == nil
}

// OfDialog returns the session of a call; nil: it has none.
func (f *Follower) OfDialog(d *core.Dialog) *Session { return f.ofDialog(d) }

func (f *Follower) ofDialog(d *core.Dialog) *Session {
	if d == nil {
		return nil
	}
	if s, ok := d.Attachment(sessionKey(f.Name)).(*Session); ok {
		return s
	}
	v, ok := d.Get(f.value())
	if !ok {
		return nil
	}
	s := parse(v.Text)
	if s != nil { // of an earlier life of the program
		d.Attach(sessionKey(f.Name), s)
	}
	return s
}

// value is the name of the dialog's value that a session is stored as.
func (f *Follower) value() string { return "_" + f.Name + "_" }

// keep stores a session.
func (f *Follower) keep(d *core.Dialog, s *Session) {
	if text := s.text(); text != "" {
		d.Set(core.Value{Name: f.value(), Text: text})
	}
}

// Of returns the session of the message at hand, and where that stands. create makes one for an INVITE that has none; nil:
// there is none, and can be none.
func (f *Follower) Of(c *proxy.Context, create bool) (*Session, dialog.Place) {
	key := sessionKey(f.Name)
	p := f.dialog.PlaceOf(c)
	if s, ok := c.Attachment(key).(*Session); ok {
		return s, p
	}
	e := transaction.Of(c)
	if e != nil {
		if k, ok := e.Attachment(key).(*course); ok {
			return k.session, p
		}
	}
	if s := f.ofDialog(p.Dialog); s != nil || !create || p.Later || c.HasToTag() {
		return s, p
	}
	s := newSession()
	c.Attach(key, s)
	if e != nil {
		e.Attach(key, &course{session: s, place: p})
	}
	return s, p
}

// Engage has the media of the INVITE at hand pass a relay of a set, in one branch, or -1 for all. It makes the dialog if
// there is none. It returns what a function of a script does.
func (f *Follower) Engage(x *script.Machine, at *script.Site, engine string, set, branch int) int {
	c := x.Context()
	if rc := f.dialog.Create(x, at, 0); rc <= 0 {
		return rc
	}
	s, p := f.Of(c, true)
	if s == nil || p.Dialog == nil {
		return -1
	}
	s.mu.Lock()
	s.Engine, s.Set = engine, set
	if branch < 0 {
		s.All = true
	} else {
		s.of(branch).Engaged = true
	}
	s.mu.Unlock()
	p.Dialog.Attach(sessionKey(f.Name), s)
	if e := transaction.Of(c); e != nil {
		e.Attach(sessionKey(f.Name), &course{session: s, place: p})
	}
	return 1
}
