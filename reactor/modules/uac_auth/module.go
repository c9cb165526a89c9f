package uac_auth

import (
	"sipreactor/reactor/script"
)

// Module is the module for one configuration. Other modules find its credentials by
// Credentials.
type Module struct {
	fixed                      []Credential
	realm, user, password      script.Literal
	realmAVP, userAVP, passAVP *script.AVP
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &Module{}
	avp := func(name, help string, at *script.Literal) script.Parameter {
		return script.Parameter{Name: name, Type: script.StringParam, Help: help, Set: func(v script.Literal) error { *at = v; return nil }}
	}
	return &script.Module{
		Name: "uac_auth", Help: "Credentials for challenges of other servers.", Instance: m,
		Parameters: []script.Parameter{
			{Name: "credential", Type: script.StringParam, Help: `A credential, "user:realm:password"; the password may be 0x and the digits of an HA1. It may be set many times.`, Set: func(v script.Literal) error {
				c, err := ParseCredential(v.Text)
				if err != nil {
					return err
				}
				m.fixed = append(m.fixed, c)
				return nil
			}},
			avp("auth_realm_avp", "The AVP with the realm of a credential that the script gives.", &m.realm),
			avp("auth_username_avp", "The AVP with its user name.", &m.user),
			avp("auth_password_avp", "The AVP with its password.", &m.password),
		},
		Check: m.check,
	}
}

func (m *Module) check(l *script.Loading) {
	set := 0
	for _, p := range []struct {
		text *script.Literal
		at   **script.AVP
	}{{&m.realm, &m.realmAVP}, {&m.user, &m.userAVP}, {&m.password, &m.passAVP}} {
		if p.text.Text != "" {
			set++
			*p.at = l.AVP(*p.text)
		}
	}
	if set != 0 && set != 3 {
		at := m.realm.At
		if m.realm.Text == "" {
			at = m.user.At
		}
		if m.realm.Text == "" && m.user.Text == "" {
			at = m.password.At
		}
		l.Errorf(at, "auth_realm_avp, auth_username_avp and auth_password_avp are set together or not at all")
	}
}

// Credentials gives the credentials for a message: that of its AVPs first.
func (m *Module) Credentials(x *script.Machine) []Credential {
	if m.realmAVP == nil || m.userAVP == nil || m.passAVP == nil {
		return m.fixed
	}
	realm, user, password := m.realmAVP.Get(x, 0), m.userAVP.Get(x, 0), m.passAVP.Get(x, 0)
	if realm.IsNull() || user.IsNull() || password.IsNull() {
		return m.fixed
	}
	c := Credential{User: string(x.Text(user)), Realm: string(x.Text(realm))}
	if c.setPassword(string(x.Text(password))) != nil {
		return m.fixed
	}
	return append([]Credential{c}, m.fixed...)
}

// Fixed gives the credentials of the parameter credential, for who has no message. They are not to be changed.
func (m *Module) Fixed() []Credential { return m.fixed }
