// Package destination is what the modules that choose where calls go
// (dispatcher, load_balancer, drouting) have in common: the living record of a
// destination, how it is pinged, and how an operator sees it.
//
// Tables of destinations are immutable snapshots; what changes while they are in
// use is in a [Health], which is found again by its name when a table is loaded
// anew. Any goroutine may call the methods of a Health: what a message asks,
// [Health.Usable], takes no lock.
//
// Times are given by the callers, so that tests have a clock of their own.
package destination
