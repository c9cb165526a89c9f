// Package exec is OpenSIPS' module exec: exec() runs commands by /bin/sh.
//
// What a shell is given is a way into the machine, so the module does nothing until the
// parameter allow says yes: without it a configuration that calls exec() does not load.
// Commands are bounded in number, time and output, run in a process group of their own,
// and waiting for one is a wait that others take the work over from.
package exec
