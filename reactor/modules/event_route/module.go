// Package event_route is OpenSIPS' module event_route: event_route[NAME] runs for each
// event of its name. The language does so by itself; the module has nothing to set.
package event_route

import "sipreactor/reactor/script"

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	return &script.Module{Name: "event_route", Help: "Has event_route[NAME] run for events.", Note: "event routes run without it, too"}
}
