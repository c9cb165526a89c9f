package rtpproxy

import (
	"fmt"
	"strconv"
	"strings"

	"sipreactor/reactor/modules/internal/anchor"
	"sipreactor/reactor/modules/internal/relay"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
)

var _ relay.Engine = (*module)(nil)

// HasSet is relay.Engine's.
func (m *module) HasSet(set int) bool { return m.fleet.Has(set) }

// DefaultSet is relay.Engine's.
func (m *module) DefaultSet() int { return m.defaultSet }

// KeepsBranches is relay.Engine's: branches are calls of their own for rtpproxy.
func (m *module) KeepsBranches() bool { return false }

// Check is relay.Engine's.
func (m *module) Check(text string) error {
	_, err := parseFlags(text)
	return err
}

// Begin is relay.Engine's.
func (m *module) Begin(x *relay.Exchange, loop int, done func()) {
	t, err := m.translationOf(x)
	if err != nil {
		x.Err = err
		done()
		return
	}
	q := t.question(m)
	q.begin(loop, func() {
		if x.Err = q.err; q.err == nil {
			x.Reached, x.Fresh = q.node.URL, x.SDP
			if !t.flags.keep {
				x.Fresh = t.written(m)
			}
		}
		done()
	})
}

// translationOf makes the commands of an exchange.
func (m *module) translationOf(x *relay.Exchange) (*translation, error) {
	f, err := parseFlags(x.Flags)
	if err != nil {
		return nil, err
	}
	if x.In != "" && x.Out != "" {
		side := map[string]string{"i": "I", "internal": "I", "e": "E", "external": "E"}
		if side[x.In] == "" || side[x.Out] == "" {
			return nil, fmt.Errorf("rtpproxy has the interfaces i, or internal, and e, or external, not %s and %s", x.In, x.Out)
		}
		f.command += side[x.In] + side[x.Out]
	}
	s, err := sessionOf(&x.Media)
	if err != nil {
		return nil, err
	}
	t := &translation{session: s, flags: f, answer: x.Answer || f.lookup, sdp: x.SDP, source: x.Source, forced: x.IP}
	return t, t.prepare(m)
}

// Delete is relay.Engine's. There are no flags.
func (m *module) Delete(x *relay.Media, _ string) error {
	s, err := sessionOf(x)
	if err != nil {
		return err
	}
	if err := m.newQuestion(s, "D "+s.callID+" "+s.words(0)).ask(); err != nil {
		return err
	}
	m.fleet.Ended(s.set, s.callID)
	return nil
}

// sessionOf names media as rtpproxy does: each branch but the first is another call.
func sessionOf(x *relay.Media) (*session, error) {
	s := &session{set: x.Set, url: x.Node, callID: x.CallID, fromTag: x.From, toTag: x.To}
	if x.Branch > 0 {
		s.callID += ";branch=" + strconv.Itoa(x.Branch)
	}
	if s.callID == "" || s.fromTag == "" || strings.ContainsAny(s.callID+s.fromTag+s.toTag, " \t") {
		return nil, errNoCall
	}
	return s, nil
}

// engage builds rtpproxy_engage(). The node is the one that offers go to first.
func (m *module) engage(a *script.Args) script.Action {
	if !m.follower.Ready() {
		a.Errorf(-1, "%s() follows calls: it needs the modules tm and dialog", a.Name())
		return nil
	}
	if text, ok := a.Fixed(0); ok {
		if !m.checkFlags(a, text) {
			return nil
		}
	}
	if a.Given(4) {
		a.Errorf(4, "which address and port rtpproxy uses is known when the INVITE is sent, behind %s(): rtpproxy_offer() tells it", a.Name())
		return nil
	}
	flags, address, at := a.Text(0), a.Text(1), a.Site()
	f := m.newAct(a, 2, 3)
	return func(x *script.Machine) int {
		s, err := f.session(x, false)
		if err != nil {
			return f.failed(x, err)
		}
		text, _ := flags(x)
		ip, _ := address(x)
		branch := -1
		if e := transaction.Of(x.Context()); x.Kind() == script.BranchRoute && e != nil && e.At() != nil {
			branch = e.At().Number()
		}
		call, _ := m.follower.Of(x.Context(), true)
		if call == nil {
			return -1
		}
		for _, side := range []anchor.Side{anchor.Caller, anchor.Callee} {
			if !call.SetFlag(branch, side, "flags", string(text)) || !call.SetFlag(branch, side, "ip", string(ip)) {
				return x.Fail(at, "an argument is too long")
			}
		}
		rc := m.follower.Engage(x, at, "rtpproxy", s.set, branch)
		if n := m.fleet.Choose(s.set, s.callID, s.url, nil); rc > 0 && n != nil && f.node != nil {
			f.node(x, script.Text(x.KeepString(n.URL)))
		}
		return rc
	}
}
