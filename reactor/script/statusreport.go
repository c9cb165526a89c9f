package script

import "sipreactor/reactor/statusreport"

// reportFunctions are those of the Status/Report interface.
func reportFunctions() map[string]*Function {
	return map[string]*Function{
		"sr_check_status": {Usage: `sr_check_status("group"[, "identifier"])`, Help: "Gives the status of an identifier (main, or all together), which is true where it is ready; -1 where there is none.",
			Args: []ArgKind{TextArg, TextArg}, Min: 1, Routes: Anywhere, Build: func(a *Args) Action {
				group, identifier := a.Text(0), a.Text(1)
				return func(m *Machine) int {
					g, _ := group(m)
					i, _ := identifier(m)
					s, ok := m.prog.reports.Load().Status(string(g), string(i))
					if !ok {
						return -1
					}
					return s.Code
				}
			}},
	}
}

// ReportChange tells of a change of a status: statusreport.Book's Changed.
func ReportChange(e Events, group, identifier string, was, is statusreport.Status) {
	e.Raise(EventStatusChanged, TextParam("group", group), TextParam("identifier", identifier), NumberParam("status", int64(is.Code)),
		TextParam("details", is.Details), NumberParam("old_status", int64(was.Code)))
}
