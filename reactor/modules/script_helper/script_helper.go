// Package script_helper is OpenSIPS' module script_helper: what each proxy's script does
// with first and later requests is done around the routes. A first request is
// recorded before the routes see it, and with use_dialog followed; a later one goes where its Route
// says and reaches no route but sequential_route.
package script_helper

import (
	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/modules/rr"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

type module struct {
	useDialog bool
	flags     core.Flag
	routeName script.Literal
	route     *script.Routine // nil: none
	at        *script.Site
	tm        *tm.Module
	rr        *rr.Module
	dialog    *dialog.Module
	program   *script.Program
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{}
	return &script.Module{
		Name: "script_helper", Help: "Records first requests and routes later ones, around the routes.", Needs: []string{"tm", "rr"}, Uses: []string{"dialog"},
		Parameters: []script.Parameter{
			{Name: "use_dialog", Type: script.BoolParam, Default: "0", Help: "Whether a dialog is kept of each INVITE, by the module dialog.", Set: script.Into(&m.useDialog)},
			{Name: "create_dialog_flags", Type: script.StringParam, Help: "The flags of create_dialog() for that.", Set: func(v script.Literal) (err error) {
				m.flags, err = dialog.ParseFlags(v.Text)
				return err
			}},
			{Name: "sequential_route", Type: script.StringParam, Help: "The route for later requests before they are relayed; its exit leaves that to it.", Set: func(v script.Literal) error {
				m.routeName = v
				return nil
			}},
		},
		Wrap:  func(routes proxy.Router) proxy.Router { return router{routes, m} },
		Check: m.check,
		Start: func(e *script.Env) error {
			m.program = e.Program
			return nil
		},
	}
}

func (m *module) check(l *script.Loading) {
	m.tm, _ = l.Instance("tm").(*tm.Module)
	m.rr, _ = l.Instance("rr").(*rr.Module)
	m.dialog, _ = l.Instance("dialog").(*dialog.Module)
	m.at = l.Site(l.Place("use_dialog"), "script_helper")
	if m.useDialog && m.dialog == nil && !l.Partial() {
		l.Errorf(l.Place("use_dialog"), `use_dialog is for the module dialog, which is not loaded: loadmodule "dialog.so"`)
	}
	if m.routeName.Text != "" {
		m.route = l.Route(script.RequestRoute, m.routeName)
	}
}

// router does that around the routes.
type router struct {
	proxy.Router
	m *module
}

// Request is proxy.Router's.
func (r router) Request(c *proxy.Context) {
	if c.HasToTag() {
		r.m.sequential(c)
		return
	}
	switch c.Msg.Method() {
	case sipframe.REGISTER, sipframe.MESSAGE, sipframe.PUBLISH, sipframe.OPTIONS, sipframe.CANCEL, sipframe.ACK:
	default:
		_ = c.RecordRoute(nil) // which the routes would not be told either
	}
	if r.m.useDialog && c.Msg.Method() == sipframe.INVITE {
		r.m.program.With(c, func(x *script.Machine) { r.m.dialog.Create(x, r.m.at, r.m.flags) })
	}
	r.Router.Request(c)
}

var notHere = []byte("Not here")

// sequential has a later request go where its Route says.
func (m *module) sequential(c *proxy.Context) {
	layer, ack := m.tm.Layer(), c.Msg.Method() == sipframe.ACK
	if ack && layer.Find(c) != 0 { // of one hop
		layer.Relay(c, &transaction.Options{})
		return
	}
	followed := false
	m.program.With(c, func(x *script.Machine) { followed = m.rr.Follow(x) })
	if !followed {
		if !ack {
			_ = c.Respond(404, notHere)
		}
		return
	}
	if m.route != nil && m.route.Run(c, script.Run{Kind: script.RequestRoute})&script.Exited != 0 {
		return
	}
	layer.Relay(c, &transaction.Options{})
}
