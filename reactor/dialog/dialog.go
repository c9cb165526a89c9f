package dialog

import (
	"sync"

	"sipreactor/reactor"
	"sipreactor/reactor/attached"
)

// Leg is one side of a dialog: the caller, or a callee that a fork has reached.
type Leg struct {
	Tag     string // "" while it is not known
	Contact string // URI that requests to it are for
	Routes  string // Route values that they take, the first one first, joined by commas
	CSeq    uint32 // the highest of the requests that it sent
	Sent    uint32 // the highest of those that were sent to it, ours included
	Own     uint32 // how many of those were ours, or what dlg_inc_cseq() made of it
	// Invite is the CSeq of the last INVITE that was sent to it, as it came, and InviteShift what it grew by: its ACK does, too.
	Invite, InviteShift uint32
	RSeq                uint32 // of the last reliable provisional response that we acknowledged for the caller
	Socket              *reactor.Socket
	SDP                 []byte // what it said last; kept only where somebody asks for it
	Told                []byte // what it was told last, kept likewise
	// Answered tells that it has sent a 2xx, Acked that the caller has acknowledged that, Over that a BYE has ended it while
	// another callee's call goes on.
	Answered, Acked, Over bool
}

// maxLegs bounds the callees of a dialog.
const maxLegs = 12

// The flags of create_dialog().
const (
	ByeOnTimeout Flag = 1 << iota
	OptionsPingCaller
	OptionsPingCallee
	ReinvitePingCaller
	ReinvitePingCallee
	EndOnRace
	AutoPRACK
	HideTopology // set by topology hiding, not by a script
)

// Dialog is a call. Any goroutine may call its methods.
type Dialog struct {
	// ID and the fields below do not change.
	ID             ID
	CallID         string
	FromTag        string
	FromURI, ToURI string // with display names
	RequestURI     string // of the INVITE, as it came
	Created        int64
	InviteCSeq     uint32
	Restored       bool // it was stored by another life of the program
	table          *Table
	before, behind *Dialog        // in a slot of the wheel; guarded by its lock
	due            int64          // of the wheel
	chained        [kinds]chained // guarded by the locks of the indexes

	mu       sync.Mutex
	state    State
	reason   Reason
	started  int64 // of the 2xx; 0 none
	ended    int64
	expires  int64
	timeout  int64 // seconds it may last
	delay    int64 // seconds it is kept behind its end
	flags    Flag
	script   uint32 // flags of the script
	caller   Leg
	callees  []Leg
	parties  *Parties // nil: those that came
	answered int      // which callee answered; -1 none
	values   []Value
	links    []link
	attached attached.List
	dirty    bool // it waits for Changed
	copied   bool // Copy has given it as it stands
	stored   bool // there is a row of it
	left     bool // the table

	// What most dialogs have of slices, so that they are no allocations of their own.
	room struct {
		callees  [1]Leg
		attached [1]attached.Value
	}
}

// Parties are the URIs of From and To as the callee knows them, where the INVITE had others than the caller wrote; "" is the
// caller's.
type Parties struct{ From, To string }

// Parties returns who the call is between as one side knows it: the URI of the caller, and of the callee.
func (d *Dialog) Parties(dir Direction) (caller, callee string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	caller, callee = d.FromURI, d.ToURI
	if p := d.parties; p != nil && dir == Downstream {
		if p.From != "" {
			caller = p.From
		}
		if p.To != "" {
			callee = p.To
		}
	}
	return caller, callee
}

// named notes the parties that a callee names in its response. The dialog is locked.
func (d *Dialog) named(from, to []byte) {
	var p Parties
	if len(from) > 0 && string(from) != d.FromURI {
		p.From = string(from)
	}
	if len(to) > 0 && string(to) != d.ToURI {
		p.To = string(to)
	}
	if d.parties = nil; p != (Parties{}) {
		d.parties = &Parties{p.From, p.To}
	}
}

// Summary is a dialog at one moment. Its slices are copies.
type Summary struct {
	*Dialog
	State    State
	Reason   Reason
	Started  int64
	Ended    int64
	Expires  int64
	Flags    Flag
	Script   uint32
	Caller   Leg
	Callees  []Leg
	Callee   int // which of them answered; -1 none
	Parties  Parties
	Values   []Value
	Profiles []Membership
}

// Summary returns the dialog as it stands.
func (d *Dialog) Summary() Summary {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := Summary{Dialog: d, State: d.state, Reason: d.reason, Started: d.started, Ended: d.ended, Expires: d.expires,
		Flags: d.flags, Script: d.script, Caller: d.caller, Callees: append([]Leg(nil), d.callees...), Callee: d.answered,
		Values: append([]Value(nil), d.values...)}
	if d.parties != nil {
		s.Parties = *d.parties
	}
	for _, l := range d.links {
		s.Profiles = append(s.Profiles, Membership{l.profile, l.value})
	}
	return s
}

// State returns where the dialog is.
func (d *Dialog) State() State {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state
}

// Reason returns why it ended.
func (d *Dialog) Reason() Reason {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.reason
}

// Lifetime returns how many seconds the call has lasted, at a time.
func (d *Dialog) Lifetime(now int64) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.started == 0:
		return 0
	case d.ended != 0:
		return d.ended - d.started
	default:
		return now - d.started
	}
}

// Left returns how many seconds it may last yet.
func (d *Dialog) Left(now int64) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return max(0, d.expires-now)
}

// SetTimeout has the dialog last so many seconds from now.
func (d *Dialog) SetTimeout(seconds, now int64) {
	d.mu.Lock()
	d.timeout, d.expires = seconds, now+seconds
	ended := d.state == Ended
	d.change()
	d.mu.Unlock()
	if !ended {
		d.table.hasten(d, now+seconds)
	}
}

// Delay returns how many seconds the dialog is kept behind its end.
func (d *Dialog) Delay() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.delay
}

// SetDelay sets that.
func (d *Dialog) SetDelay(seconds int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.delay = seconds
}

// maxValues bounds the values of a dialog.
const maxValues = 256

// change notes that what is stored is old. The dialog is locked.
func (d *Dialog) change() {
	d.copied = false
	if !d.dirty && d.table.cfg.Persistent {
		d.dirty = true
		d.table.queue(d)
	}
}
