// Package sst is OpenSIPS' module sst: session timers (RFC 4028). A call of which a party is gone without a
// BYE is one whose refreshes stop, and its dialog ends with its session.
//
// An INVITE with the flag sst_flag, whose dialog is kept by create_dialog(), has its session refreshed: by the
// parties if they say so, else Session-Expires is asked for here. What a 2xx to it, to a later INVITE or to an
// UPDATE says is how long the dialog lasts from then on; where neither side knows session timers, that is again
// what it was.
package sst

import (
	"fmt"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
)

// module is sst of one configuration.
type module struct {
	minSE    int64 // seconds, as all here
	interval int64
	refuses  bool
	flagName script.Literal
	flag     uint
	dialog   *dialog.Module
	tm       *tm.Module
	unlisten func()
	expired  script.Count
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{minSE: 1800, refuses: true}
	return &script.Module{
		Name: "sst", Help: "Session timers: calls whose parties are gone end.", Needs: []string{"dialog", "tm"}, Instance: m,
		Parameters: []script.Parameter{
			{Name: "enable_stats", Type: script.BoolParam, Help: "Statistics.", Note: "they are always kept"},
			{Name: "min_se", Type: script.IntParam, Min: lowest, Max: 86400, Unit: "seconds", Default: "1800", Set: script.Into(&m.minSE), Help: "The shortest session that is taken."},
			{Name: "sst_interval", Type: script.IntParam, Max: 86400, Unit: "seconds", Default: "0", Set: script.Into(&m.interval), Help: "How long a session is asked for where the caller asks for none, if that is more than min_se and the Min-SE of the request."},
			{Name: "reject_to_small", Type: script.BoolParam, Default: "1", Set: script.Into(&m.refuses), Help: "Whether create_dialog() answers 422 to an INVITE that asks for a session below min_se."},
			{Name: "sst_flag", Type: script.StringParam, Set: func(v script.Literal) error { m.flagName = v; return nil }, Help: "Flag of the INVITEs whose sessions have a timer. It must be set."},
		},
		Functions: []script.Function{{
			Name: "sstCheckMin", Usage: "sstCheckMin(reply)", Args: []script.ArgKind{script.IntArg}, Min: 1, Routes: script.Routes(script.RequestRoute), Reach: script.Requests, Build: m.checkMin,
			Help: "Reports whether Session-Expires or Min-SE of the request is below min_se, and with 1 answers it 422 then.",
		}},
		Statistics: []script.Statistic{{Name: "expired_sst", Help: "Calls with a session timer whose time was over.", Count: &m.expired}},
		Check:      m.check, Start: m.start, Stop: func(any) {
			if m.unlisten != nil {
				m.unlisten()
			}
		},
	}
}

func (m *module) check(l *script.Loading) {
	if !l.IsSet("sst_flag") {
		l.Errorf(l.Place("sst_flag"), `sst needs modparam("sst", "sst_flag", "name")`)
		return
	}
	m.flag = l.Flag(m.flagName)
	m.tm, _ = l.Instance("tm").(*tm.Module)
	if m.dialog, _ = l.Instance("dialog").(*dialog.Module); m.dialog == nil {
		return
	}
	m.dialog.OnCreate(m.created)
	m.dialog.OnRequest(m.later)
	m.dialog.Watch(func(c core.Change) {
		if c.New == core.Ended && c.Dialog.Reason() == core.Timeout && sessionOf(c.Dialog) != nil {
			m.expired.Add(1)
		}
	})
}

func (m *module) start(e *script.Env) error {
	if l := m.tm.Layer(); l != nil && !e.Trial {
		m.unlisten = l.Listen(m.happened)
	}
	return nil
}

// checkMin builds sstCheckMin(): 1 if a session of the request is too short, else -1.
func (m *module) checkMin(a *script.Args) script.Action {
	reply, at := a.Int(0), a.Site()
	return func(x *script.Machine) int {
		msg := x.Message()
		session, asked := sessionExpires(msg)
		least, given := minSE(msg)
		if (!asked || session >= m.minSE) && (!given || least >= m.minSE) {
			return -1
		}
		if n, _ := reply(x); n != 0 {
			if err := m.refuse(x.Context()); err != nil {
				return x.Fail(at, err.Error())
			}
		}
		return 1
	}
}

// refuse answers a request 422.
func (m *module) refuse(c *proxy.Context) error {
	if err := c.AppendToResponse(fmt.Appendf(nil, "Min-SE: %d\r\n", m.minSE)); err != nil {
		return err
	}
	if transaction.Of(c) == nil {
		return c.Respond(422, []byte(tooSmall))
	}
	m.tm.Layer().Respond(c, 422, []byte(tooSmall), nil)
	return nil
}

const tooSmall = "Session Timer Too Small"
