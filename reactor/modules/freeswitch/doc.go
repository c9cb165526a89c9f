// Package freeswitch is OpenSIPS' module freeswitch: connections to the Event Socket of
// FreeSWITCH servers, for the modules that want their events or run commands there.
//
// Each module says with Follow which servers it hears which events of; the list takes the
// place of its last one. A server has one connection, whoever follows it, held by one
// goroutine: it dials, logs in, asks for the events and reads. One that is lost is dialled
// again with growing pauses. A command goes over the same connection, or over one of its own
// to a server that nobody follows.
package freeswitch
