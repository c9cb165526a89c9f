// Package xcap is OpenSIPS' module xcap: where permission documents are. Nothing here
// asks for them yet; presence_xml says so where a configuration would have it do that.
package xcap

import "sipreactor/reactor/script"

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	const why = "no XCAP document is asked for: see presence_xml's force_active"
	return &script.Module{
		Name: "xcap", Help: "Tells where XCAP documents are.",
		Parameters: []script.Parameter{
			{Name: "db_url", Type: script.StringParam, Help: "The database with the documents.", Note: why},
			{Name: "xcap_table", Type: script.StringParam, Help: "Its table.", Note: why},
			{Name: "integrated_xcap_server", Type: script.BoolParam, Help: "Whether the XCAP server writes that table.", Note: why},
		},
	}
}
