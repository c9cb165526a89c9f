package main

import (
	"sipreactor/reactor/modules/db_mysql"
	"sipreactor/reactor/modules/db_postgres"
	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/db_text"
	"sipreactor/reactor/modules/dispatcher"
	"sipreactor/reactor/modules/maxfwd"
	"sipreactor/reactor/modules/permissions"
	"sipreactor/reactor/modules/rr"
	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/modules/sl"
	uris "sipreactor/reactor/modules/uri"
	"sipreactor/reactor/script"
)

// modules are those that a configuration can load.
var modules = []script.Constructor{
	db_mysql.New,
	db_postgres.New,
	db_sqlite.New,
	db_text.New,
	dispatcher.New,
	maxfwd.New,
	rr.New,
	permissions.New,
	signaling.New,
	sl.New,
	uris.New,
}

// loader reads configurations, with more sockets as they stand behind socket=.
func loader(sockets ...string) *script.Loader {
	return &script.Loader{Modules: modules, Sockets: sockets}
}
