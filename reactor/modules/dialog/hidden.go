package dialog

import (
	"fmt"

	"sipreactor/reactor"
	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/script"
)

// CalleeCallID is the value of a dialog with the Call-ID that its callee knows, where that is another one.
const CalleeCallID = "_th_callid_"

// MatchHidden finds the dialog of a later request that was sent to a Contact of ours, since the dialog hides the topology:
// by did, what the Request-URI says of it, or as the mode allows, which is one of match_dialog() or "", by the Call-ID that
// the caller knows. The request then goes to the target of the other side, by its routes. It returns nil where there is no
// such dialog.
func (m *Module) MatchHidden(x *script.Machine, at *script.Site, did, callID []byte, mode string) (*core.Dialog, core.Direction) {
	c := x.Context()
	msg := c.Msg
	if !msg.IsRequest() || !c.HasToTag() || m.dialogs == nil {
		return nil, core.Unknown
	}
	how, ok := modes[mode]
	if !ok {
		how = m.mode
	}
	from, err := msg.From()
	to, err2 := msg.To()
	if err != nil || err2 != nil {
		return nil, core.Unknown
	}
	d, dir := m.lookUp(did, callID, msg.Bytes(from.Tag), msg.Bytes(to.Tag), how)
	if d == nil || d.Flags()&core.HideTopology == 0 {
		return nil, core.Unknown
	}
	side, ok := d.Reached(dir, msg.Bytes(to.Tag))
	if !ok {
		return nil, core.Unknown
	}
	if side.Contact == "" {
		return nil, core.Unknown
	}
	if m.ownBond(c) == nil {
		m.join(x, d, dir, &core.Way{URI: []byte(side.Contact), Routes: []byte(side.Routes)}) // those that it came with are ours, and right
	}
	if err := c.SetRequestURI([]byte(side.Contact)); err != nil {
		x.Say(at, script.LevelError, "dialog: a Contact leads nowhere", "error", err)
		return nil, core.Unknown
	}
	if err := c.SetRoutes([]byte(side.Routes)); err != nil {
		x.Say(at, script.LevelError, "dialog: routes lead nowhere", "error", err)
		return nil, core.Unknown
	}
	if side.Socket != nil {
		c.SetSendSocket(side.Socket)
	}
	return d, dir
}

// ownContact is the Contact of our own requests to one side of a dialog that hides the topology; "" where that side's
// socket does not tell where we are.
func (m *Module) ownContact(d *core.Dialog, to *core.Leg) string {
	s := to.Socket
	if s == nil {
		return ""
	}
	host, port := s.Advertised, s.AdvertisedPort
	if host == "" {
		if s.Addr.Addr().IsUnspecified() {
			return ""
		}
		if host = s.Addr.Addr().Unmap().String(); s.Addr.Addr().Unmap().Is6() {
			host = "[" + host + "]"
		}
	}
	if port == 0 {
		port = s.Addr.Port()
	}
	uri := fmt.Sprintf("sip:%s:%d", host, port)
	if s.Proto != reactor.UDP {
		uri += ";transport=" + s.Proto.String()
	}
	return uri + ";" + m.param + "=" + d.ID.String()
}

// Param returns the name of the parameter that names the dialog.
func (m *Module) Param() string { return m.param }

// MatchModes reports whether a text is a mode of match_dialog().
func MatchModes(mode string) bool {
	_, ok := modes[mode]
	return ok
}
