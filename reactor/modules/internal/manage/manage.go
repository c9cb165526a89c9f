// Package manage has what the modules of the management interface share.
package manage

import "sipreactor/reactor/script"

// AsItStands is why answers are not shaped.
const AsItStands = "answers are compact, and the socket belongs to the user that the program runs as"

// Parameters are those that each of the modules has.
func Parameters() []script.Parameter {
	return []script.Parameter{
		{Name: "trace_destination", Type: script.StringParam, Help: "Where commands are traced to.", Note: "management commands are not traced"},
		{Name: "trace_bwlist", Type: script.StringParam, Help: "Which commands are traced.", Note: "management commands are not traced"},
		{Name: "pretty_printing", Type: script.BoolParam, Default: "0", Help: "Has answers written with line ends.", Note: AsItStands},
	}
}

// Mode is a parameter with the permission bits of a file.
func Mode(name, help string, to *uint32) script.Parameter {
	return script.Parameter{Name: name, Type: script.IntParam, Max: 0o777, Unit: "permission bits", Default: "0600", Restart: true, Help: help, Set: script.Into(to)}
}
