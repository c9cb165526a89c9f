// Package presence_xml is OpenSIPS' module presence_xml: the events whose documents are
// XML, for the module presence.
//
//	presence        application/pidf+xml (RFC 3863); what several devices publish
//	                becomes one document, with the tuples of all
//	presence.winfo  application/watcherinfo+xml (RFC 3858), made here
//	dialog;sla      application/dialog-info+xml (RFC 4235), the last that was published
//
// Permission documents (XCAP) are not asked for: a configuration says so by force_active,
// as there without an XCAP server.
package presence_xml

import (
	"sipreactor/reactor/modules/presence"
	"sipreactor/reactor/script"
)

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	active := false
	idle := func(name string, kind script.ParamType, help string) script.Parameter {
		return script.Parameter{Name: name, Type: kind, Help: help, Note: "no permission document is asked for: force_active is 1"}
	}
	return &script.Module{
		Name: "presence_xml", Help: "The events presence, presence.winfo and dialog;sla of the module presence.", Needs: []string{"presence"},
		Parameters: []script.Parameter{
			{Name: "force_active", Type: script.BoolParam, Default: "0", Set: script.Into(&active),
				Help: "Whether anybody may watch anybody. It has to be 1: permissions by XCAP are not supported; the script sees to who may subscribe."},
			idle("db_url", script.StringParam, "The database with permission documents."), idle("xcap_table", script.StringParam, "Its table."),
			idle("integrated_xcap_server", script.BoolParam, "Whether the XCAP server writes that table."), idle("xcap_server", script.StringParam, "An XCAP server."),
			{Name: "pidf_manipulation", Type: script.BoolParam, Default: "0", Set: off, Help: "Documents that are there without a PUBLISH (RFC 4827): not supported."},
		},
		Check: func(l *script.Loading) {
			p, ok := l.Instance("presence").(*presence.Module)
			if !active && !l.Partial() {
				l.Errorf(l.Place("force_active"), `permissions by XCAP documents are not supported: modparam("presence_xml", "force_active", 1) lets anybody watch anybody, and the script says who may subscribe`)
			}
			if ok {
				p.Add(pidf{}, offline)
				p.Add(watchers{}, nil)
				p.Add(lineState{}, nil)
			}
		},
	}
}

func off(v script.Literal) error {
	if v.Int != 0 {
		return errManipulation
	}
	return nil
}
