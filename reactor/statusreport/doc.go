// Package statusreport is the Status/Report interface: parts of the program tell whether they
// are ready, and what they did last, for who monitors them.
//
// A [Book] has groups (a module, or core) of identifiers (its partitions), each with a
// status and its last reports. What is told of is a load or a change of state, never a
// message. Any goroutine may use a Book and an [Identifier]; a nil one is told in vain.
package statusreport
