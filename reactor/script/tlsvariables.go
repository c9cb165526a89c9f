package script

import "sipreactor/tlsstate"

// tlsVariables are the variables of tls_mgm: the connection by which the
// message came, and the certificates of its ends. Without TLS they are NULL.
func tlsVariables() map[string]*Variable {
	all := make(map[string]*Variable)
	for _, name := range tlsstate.VariableNames() {
		v, _ := tlsstate.LookupVariable(name)
		number := tlsNumbers[name]
		all[name] = &Variable{module: "tls_mgm", Get: Simple(func(m *Machine) Value {
			text, ok := v.Read(m.tlsState())
			switch {
			case !ok:
				return null
			case number:
				return m.figure(text)
			default:
				return Text(m.KeepString(text))
			}
		})}
	}
	return all
}

// tlsNumbers are the variables that OpenSIPS gives as numbers, too.
var tlsNumbers = map[string]bool{
	"tls_cipher_bits": true, "tls_peer_version": true, "tls_my_version": true, "tls_peer_serial": true, "tls_my_serial": true,
	"tls_peer_verified": true, "tls_peer_revoked": true, "tls_peer_expired": true, "tls_peer_selfsigned": true,
}

// figure is a number; one that is too long for that, as serial numbers mostly
// are, stays text.
func (m *Machine) figure(text string) Value {
	b := m.KeepString(text)
	if n, ok := number64(b); ok {
		return Int(n)
	}
	return Text(b)
}

// tlsState describes the connection by which the message came, as it was when
// the script first asked for it; nil if that is gone or not one of TLS.
func (m *Machine) tlsState() *tlsstate.State {
	if !m.tlsAsked && m.c.W != nil {
		m.tls = m.c.W.Engine().TLS(m.c.Src.Conn)
		m.tlsAsked = true
	}
	return m.tls
}

// tlsFunctions are those of tls_mgm.
func tlsFunctions() map[string]*Function {
	return map[string]*Function{
		"is_peer_verified": {module: "tls_mgm", Usage: "is_peer_verified()", Routes: Messages, Build: func(*Args) Action {
			return func(m *Machine) int {
				s := m.tlsState()
				return Yes(s != nil && s.Verified)
			}
		}},
	}
}
