// Package loadbalancer is OpenSIPS' module load_balancer: it sends a call to the
// destination that has most room for it, and counts the calls that each has.
//
// Destinations have resources (channels, transcoders ...) with capacities, and a
// call takes one unit of each resource that it asks for. What was loaded is
// immutable behind an atomic pointer; the loads are counters that a reload finds
// again by the rows' ids. Choosing and counting take no lock.
package loadbalancer
