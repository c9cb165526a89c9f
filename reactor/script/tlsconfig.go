package script

import "sipreactor/tlsstate"

// TLSFiles are files of TLS that are not a domain's, by their paths.
type TLSFiles struct {
	// TicketKeys is ticket_keys_file, "" none. TLS.TicketKeys has what it held
	// at Load; a reload reads it again, by tlsstate.ReadTicketKeys, so that keys
	// can be changed under way.
	TicketKeys string
	// KeyLog is ssl_keylog_file, "" none: whoever runs the configuration opens it by
	// tlsstate.OpenKeyLog for TLS.KeyLog and warns that secrets are written.
	// TLS.KeyLogFilter has ssl_keylog_filter.
	KeyLog string
}

// TLS describes the connection by which the message came, as it was when the script
// first asked for it; nil if that is gone or not one of TLS.
func (m *Machine) TLS() *tlsstate.State {
	if !m.tlsAsked && m.c.W != nil {
		m.tls = m.c.W.Engine().TLS(m.c.Src.Conn)
		m.tlsAsked = true
	}
	return m.tls
}

// ChooseTLS says which AVPs name the client domain and the SIP domain of a connection
// that is opened; a zero Literal is none.
func (l *Loading) ChooseTLS(domain, sip Literal) {
	if domain.Text != "" {
		if a := l.AVP(domain); a != nil {
			l.k.prog.domainAVP = a.slot
		}
	}
	if sip.Text != "" {
		if a := l.AVP(sip); a != nil {
			l.k.prog.sipAVP = a.slot
		}
	}
}
