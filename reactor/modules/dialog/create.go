package dialog

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

// flagNames are those of create_dialog(), with the letters of older versions.
var flagNames = []struct {
	name   string
	letter byte
	flag   core.Flag
}{
	{"bye-on-timeout", 'B', core.ByeOnTimeout},
	{"options-ping-caller", 'P', core.OptionsPingCaller},
	{"options-ping-callee", 'p', core.OptionsPingCallee},
	{"reinvite-ping-caller", 'R', core.ReinvitePingCaller},
	{"reinvite-ping-callee", 'r', core.ReinvitePingCallee},
	{"end-on-race-condition", 'E', core.EndOnRace},
	{"auto-prack", 0, core.AutoPRACK},
}

// parseFlags reads the flags of create_dialog(): names with commas between them, or letters.
func parseFlags(text string) (f core.Flag, err error) {
	for w := range strings.SplitSeq(text, ",") {
		if w = strings.TrimSpace(w); w == "" {
			continue
		}
		one, ok := flagOf(w)
		if !ok {
			return 0, fmt.Errorf("unknown flag %q: bye-on-timeout (B), options-ping-caller (P), options-ping-callee (p), "+
				"reinvite-ping-caller (R), reinvite-ping-callee (r), end-on-race-condition (E), auto-prack", w)
		}
		f |= one
	}
	return f, nil
}

func flagOf(w string) (f core.Flag, ok bool) {
	for _, x := range flagNames {
		if x.name == w {
			return x.flag, true
		}
	}
	for i := range len(w) {
		known := false
		for _, x := range flagNames {
			if x.letter == w[i] {
				f, known = f|x.flag, true
			}
		}
		if !known {
			return 0, false
		}
	}
	return f, true
}

// create builds create_dialog(): 1, -1 if there can be none; 0 behind a retransmission.
func (m *Module) create(a *script.Args) script.Action {
	flags, at := a.Text(0), a.Site()
	var fixed core.Flag
	text, constant := a.Fixed(0)
	if constant || !a.Given(0) {
		var err error
		if fixed, err = parseFlags(text); err != nil {
			a.Errorf(0, "%v", err)
			return nil
		}
		constant = true
	}
	return func(x *script.Machine) int {
		f := fixed
		if !constant {
			b, _ := flags(x)
			var err error
			if f, err = parseFlags(string(b)); err != nil {
				return x.Fail(at, err.Error())
			}
		}
		return m.Create(x, at, f)
	}
}

// ParseFlags reads the flags of create_dialog().
func ParseFlags(text string) (core.Flag, error) { return parseFlags(text) }

// Create keeps a dialog of the INVITE, whose transaction it makes if there is none: for create_dialog() and for other
// modules. It returns what create_dialog() does; 0 also where who is told of it has refused the INVITE.
func (m *Module) Create(x *script.Machine, at *script.Site, f core.Flag) int {
	c := x.Context()
	if d := m.Of(c); d != nil {
		d.AddFlags(f)
		return 1
	}
	if c.Msg.Method() != sipframe.INVITE || c.HasToTag() {
		return -1
	}
	var in core.Init
	if !m.initOf(x, f, &in) {
		return -1
	}
	switch e, err := m.tm.Layer().Begin(c); {
	case err == nil:
		e.Imply()
	case errors.Is(err, transaction.ErrExists):
	default: // a retransmission, or it has been answered
		return 0
	}
	d, err := m.dialogs.Create(&in, x.Now().Unix())
	if err != nil {
		x.Say(at, script.LevelError, "dialog: a call is not followed", "error", err)
		return -1
	}
	b := &bond{dialog: d, dir: core.Downstream}
	m.bind(c, b)
	e := transaction.Of(c)
	e.Attach(bondKey{}, b)
	b.handle = e.Handle()
	d.Attach(handleKey, b)
	if m.mode != byTags {
		id := d.ID.AppendTo(append(append(append(make([]byte, 0, 64), ';'), m.param...), '='))
		if err := c.AddRRParam(id); err != nil {
			x.Say(at, script.LevelError, "dialog: the Record-Route cannot name the dialog", "error", err)
		}
	}
	for _, f := range m.onCreate {
		f(c, d)
	}
	if e.Responded() >= 200 { // one of them has refused it
		return 0
	}
	return 1
}

// initOf reads what a dialog begins with.
func (m *Module) initOf(x *script.Machine, f core.Flag, in *core.Init) bool {
	msg := x.Message()
	from, err := msg.From()
	to, err2 := msg.To()
	seq, _, err3 := msg.CSeq()
	if err != nil || err2 != nil || err3 != nil || from.Tag.Len == 0 {
		return false
	}
	// All texts of the dialog are one.
	room := make([]byte, 0, 512)
	var ends [7]int
	for i, text := range [...][]byte{msg.CallID(), msg.Bytes(from.Tag), msg.Bytes(from.URI), msg.Bytes(to.URI)} {
		room = append(room, text...)
		ends[i] = len(room)
	}
	same := bytes.Equal(msg.RequestURI(), msg.Bytes(to.URI))
	if !same {
		room = append(room, msg.RequestURI()...)
	}
	ends[4] = len(room)
	room = append(room, contactOf(x.Context())...)
	ends[5] = len(room)
	room = appendRoutes(room, msg.RecordRoutes(), msg)
	ends[6] = len(room)
	all, at := string(room), 0
	next := func(i int) string {
		text := all[at:ends[i]]
		at = ends[i]
		return text
	}
	*in = core.Init{CallID: next(0), FromTag: next(1), FromURI: next(2), ToURI: next(3), RequestURI: next(4), CSeq: seq, Flags: f, Timeout: m.timeout, Delay: m.delay}
	if same {
		in.RequestURI = in.ToURI
	}
	in.Caller = core.Leg{Tag: in.FromTag, Contact: next(5), CSeq: seq, Routes: next(6), Socket: x.Context().Src.Socket}
	if m.keeps(f) {
		in.Caller.SDP = append([]byte(nil), msg.Body()...)
	}
	return true
}
