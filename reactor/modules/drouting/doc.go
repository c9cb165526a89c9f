// Package drouting is OpenSIPS' module of that name: it routes a number to
// gateways and carriers by rules of prefixes, groups, times and priorities.
//
// A [Table] is what was loaded for one partition, immutable behind an atomic
// pointer; what changes while it is in use, whether a gateway or a carrier is
// enabled, is found again by its id at a reload. Routing takes no lock.
package drouting
