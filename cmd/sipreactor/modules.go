package main

import (
	"sipreactor/reactor/modules/maxfwd"
	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/script"
)

// modules are those that a configuration can load.
var modules = []script.Constructor{
	maxfwd.New,
	signaling.New,
	sl.New,
}

// loader reads configurations, with more sockets as they stand behind socket=.
func loader(sockets ...string) *script.Loader {
	return &script.Loader{Modules: modules, Sockets: sockets}
}
