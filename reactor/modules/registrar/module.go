package registrar

import "sipreactor/reactor/script"

// New returns the module for a configuration.
func New(cfg *script.Config) *script.Module {
	m := NewCore("registrar")
	value := func(of *int64) func() uint64 { return func() uint64 { return uint64(max(*of, 0)) } }
	return &script.Module{
		Name: "registrar", Help: "Keeps what REGISTER says and finds whom a request is for.", Instance: m,
		Needs:      []string{"usrloc", "signaling"},
		Parameters: append(m.Parameters(), m.parameters()...), Functions: m.functions(cfg),
		Statistics: []script.Statistic{
			{Name: "max_expires", Gauge: true, Help: "The parameter max_expires.", Value: value(&m.maxExpires)},
			{Name: "max_contacts", Gauge: true, Help: "The parameter max_contacts.", Value: value(&m.maxContacts)},
			{Name: "default_expire", Gauge: true, Help: "The parameter default_expires.", Value: value(&m.defaultExpires)},
			{Name: "accepted_regs", Help: "Registrations that were accepted.", Count: &m.accepted},
			{Name: "rejected_regs", Help: "Registrations that were refused.", Count: &m.rejected},
		},
		Check: m.Resolve,
		Start: func(e *script.Env) error {
			old, _ := e.Previous.(*Core)
			m.Start(e, old)
			return nil
		},
		Stop: func(next any) {
			other, _ := next.(*Core)
			m.Stop(other)
		},
	}
}

// parameters are those of registrar alone.
func (m *Core) parameters() []script.Parameter {
	return []script.Parameter{
		{Name: "refuse_short_expires", Type: script.BoolParam, Default: "0", Set: script.Into(&m.refuseShort),
			Help: "An expiry below min_expires is answered 423 (ours)."},
		number("expires_max_deviation", "seconds", "Bound of a random difference of expiries.", 0, 86400, &m.deviation),
		{Name: "allow_dup_cseq", Type: script.BoolParam, Default: "0", Set: script.Into(&m.repeats),
			Help: "A REGISTER with the same Call-ID and CSeq changes contacts; else it is a retransmission."},
		{Name: "sock_hdr_name", Type: script.StringParam, Default: m.socketHeader, Set: tokenInto(&m.socketHeader),
			Help: "Header that names the listener, with the flag socket-header."},
		keep("mcontact_avp", "AVP with the URI of the Contact that a forwarded REGISTER has: save() in an onreply_route takes the expiry from that of the response.", &m.grantedAVP),
		{Name: "service_route", Type: script.StringParam, Set: m.setServiceRoute,
			Help: "Service-Route of the 200 (RFC 3608): URIs in <>, with commas between them (ours)."},
		number("flow_timer", "seconds", "Flow-Timer of the 200 to a phone with outbound (RFC 5626): it pings at least so often (ours). 0 is none.", 0, 3600, &m.flowTimer),
	}
}
