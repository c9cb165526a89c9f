package registrar

import (
	"sync"

	"sipreactor/reactor/location"
	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/modules/usrloc"
	"sipreactor/reactor/script"
)

// Core is what the modules registrar and mid_registrar have in common: a REGISTER is read, a table is written and looked up.
// Each has its own, of one configuration.
type Core struct {
	name                                   string // of its module
	defaultExpires, minExpires, maxExpires int64
	deviation                              int64
	defaultQ                               int64
	maxContacts                            int64
	retryAfter                             int64
	maxUser, maxDomain, maxAOR, maxContact int64
	maxPath                                int64
	caseSensitive                          bool
	repeats                                bool
	refuseShort                            bool
	realmPrefix                            string
	receivedParam                          string
	socketHeader                           string
	persistFlagName                        script.Literal
	persistFlag                            int // message flag, -1 none
	receivedAVP, attrAVP, grantedAVP       script.Literal
	received, attr, granted                *script.AVP
	attrName                               string
	noGRUU                                 bool
	gruuSecret                             string
	gruu                                   *gruus // nil: there are none
	serviceRoute                           string // of the 200; "" none
	flowTimer                              int64  // of the 200 to outbound phones; 0 none
	push                                   push

	places             *usrloc.Module
	signaling          *signaling.Module
	env                *script.Env
	accepted, rejected script.Count
	scratch            sync.Pool // of *Registration
}

// NewCore returns that of a module, with its defaults.
func NewCore(name string) *Core {
	m := &Core{
		name: name, defaultExpires: 3600, minExpires: 60, defaultQ: -1, maxUser: 64, maxDomain: 64, maxAOR: 256, maxContact: 255, maxPath: 1024,
		caseSensitive: true, receivedParam: "received", persistFlag: -1, noGRUU: true, push: newPush(),
	}
	m.scratch.New = func() any { return new(Registration) }
	return m
}

// SetBounds sets other defaults of min_expires, max_expires and default_q: before Parameters.
func (m *Core) SetBounds(minExpires, maxExpires, defaultQ int64) {
	m.minExpires, m.maxExpires, m.defaultQ = minExpires, maxExpires, defaultQ
}

// Places is the module usrloc, from Resolve on.
func (m *Core) Places() *usrloc.Module { return m.places }

// Start makes GRUUs, or goes on with those of the one that this one replaces; nil: there is none.
func (m *Core) Start(e *script.Env, old *Core) {
	m.env = e
	m.push.start(e, old)
	switch {
	case m.noGRUU:
	case m.gruuSecret == "" && old != nil && old.gruu != nil && old.gruuSecret == "":
		m.gruu = old.gruu
	default:
		m.gruu = newGRUUs(m.gruuSecret)
	}
}

// Resolve finds what the parameters name: in the Check of a module.
func (m *Core) Resolve(l *script.Loading) {
	m.places, _ = l.Instance("usrloc").(*usrloc.Module)
	m.signaling, _ = l.Instance("signaling").(*signaling.Module)
	if m.places == nil || m.signaling == nil {
		return // Needs has said so
	}
	m.places.CaseSensitive, m.places.RealmPrefix = m.caseSensitive, m.realmPrefix
	m.resolvePush(l)
	if m.persistFlagName.Text != "" {
		m.persistFlag = int(l.Flag(m.persistFlagName))
	}
	m.received, _ = avpOf(l, m.receivedAVP)
	m.attr, m.attrName = avpOf(l, m.attrAVP)
	m.granted, _ = avpOf(l, m.grantedAVP)
	if m.minExpires > 0 && m.maxExpires > 0 && m.minExpires > m.maxExpires {
		l.Errorf(l.Place("max_expires"), "max_expires %d is below min_expires %d", m.maxExpires, m.minExpires)
	}
}

// avpOf resolves a parameter that names an AVP: $avp(name).
func avpOf(l *script.Loading, v script.Literal) (*script.AVP, string) {
	if v.Text == "" {
		return nil, ""
	}
	name := v.Text
	if len(name) > 6 && name[:5] == "$avp(" && name[len(name)-1] == ')' {
		name = name[5 : len(name)-1]
	}
	return l.AVP(v), name
}

// qOf is default_q as a table has it.
func (m *Core) qOf() int16 {
	if m.defaultQ < 0 {
		return location.NoQ
	}
	return int16(m.defaultQ)
}

// ReceivedAVP returns the name of the AVP with where a REGISTER came from, as it was written: who fills it has to name the same.
func (m *Core) ReceivedAVP() string { return m.receivedAVP.Text }
