// Package permissions is OpenSIPS' module of that name: who may call, by address
// (tables of networks in groups) and by rules about From and Request-URI (files in
// the form of hosts.allow).
//
// What was loaded is immutable, behind an atomic pointer for each partition and
// each pair of files, so a look-up takes no lock and allocates nothing; a reload
// replaces it as a whole or not at all.
package permissions
