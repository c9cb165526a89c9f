package registrar

import (
	"sipreactor/reactor/modules/usrloc"
	"sipreactor/reactor/script"
)

func (m *Core) functions(*script.Config) []script.Function {
	const (
		text  = script.TextArg
		fixed = script.FixedArg
		num   = script.IntArg
	)
	any := script.Requests | script.Routes(script.OnReplyRoute)
	kinds := func(k ...script.ArgKind) []script.ArgKind { return k }
	return []script.Function{
		{Name: "save", Usage: `save("table"[, "flags"[, "aor"[, "ownership tag"]]])`, Min: 1,
			Help: "Does what a REGISTER asks for and answers it; in an onreply_route what another registrar has granted, for as long as that says. Flags: " + saveFlagsHelp +
				". Path is stored and used with path-lazy and path-strict; with path-off, as without a flag, it is neither.",
			Args: kinds(fixed, text, text, text), Routes: script.Routes(script.RequestRoute, script.OnReplyRoute), Build: m.save},
		{Name: "remove", Usage: `remove("table", "aor"[, "contact"[, "next hop"[, "instance"[, "branch flag"]]]])`, Min: 2,
			Help: "Removes contacts of an address of record.",
			Args: kinds(fixed, text, text, text, text, script.BranchFlagArg), Routes: any, Build: m.remove},
		{Name: "remove_ip_port", Usage: `remove_ip_port("address", port, "table"[, "aor"])`, Min: 3,
			Help: "Removes the contacts at an address and port.",
			Args: kinds(text, num, fixed, text), Routes: script.Anywhere, Build: m.removeAddress},
		{Name: "lookup", Usage: `lookup("table"[, "flags"[, "aor"]])`, Min: 1,
			Help: "Makes the contacts of a user the destinations of the request.",
			Args: kinds(fixed, text, text), Routes: script.Routes(script.RequestRoute, script.FailureRoute), Build: m.lookup},
		{Name: "is_registered", Aliases: []string{"registered"}, Usage: `is_registered("table"[, "aor"])`, Min: 1,
			Help: "Reports whether a user has a contact.",
			Args: kinds(fixed, text), Routes: any, Build: m.isRegistered},
		{Name: "is_contact_registered", Usage: `is_contact_registered("table"[, "aor"[, "contact"[, "call-id"]]])`, Min: 1,
			Help: "Reports whether a user has that contact.",
			Args: kinds(fixed, text, text, text), Routes: any, Build: m.isContactRegistered},
		{Name: "is_ip_registered", Usage: `is_ip_registered("table", ["aor"], "address"[, port])`, Min: 1,
			Help: "Reports whether a user has a contact at that address, or at one of the values of an AVP.",
			Args: kinds(fixed, text, text, text), Routes: any, Build: m.isAddressRegistered},
		{Name: "is_other_contact", Usage: `is_other_contact("table", "$avp(addresses)")`, Min: 2,
			Help: "Reports whether a user has a contact at none of those addresses, as OpenSIPS 2 had it.",
			Args: kinds(fixed, script.AVPArg), Routes: any, Build: m.isOtherContact},
		{Name: "add_sock_hdr", Usage: `add_sock_hdr("name")`, Min: 1,
			Help: "Adds a header that names the listener the request came by.",
			Args: kinds(script.HeaderNameArg), Routes: script.Requests, Build: m.addSocketHeader},
		m.PurrFunction(),
	}
}

// PurrFunction is pn_process_purr().
func (m *Core) PurrFunction() script.Function {
	return script.Function{Name: "pn_process_purr", Usage: `pn_process_purr("table")`, Min: 1, Async: true,
		Help: "Has the phone that a later request of a dialog is for woken, and waits until it has registered: 1, or 2 if there is nobody to be woken.",
		Args: []script.ArgKind{script.FixedArg}, Routes: script.Routes(script.RequestRoute), Build: m.processPurr}
}

// Table resolves the argument that names a table that is read.
func (m *Core) Table(a *script.Args, i int) *usrloc.Place { return m.table(a, i, false) }

// Filled is Table of one that registrations are written to.
func (m *Core) Filled(a *script.Args, i int) *usrloc.Place { return m.table(a, i, true) }

func (m *Core) table(a *script.Args, i int, filled bool) *usrloc.Place {
	name, _ := a.Fixed(i)
	if name == "" {
		a.Errorf(i, "the name of a table cannot be empty")
		return nil
	}
	if m.places == nil {
		return nil
	}
	return m.places.Table(name, a.Pos(i), filled)
}
