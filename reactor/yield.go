package reactor

import _ "unsafe" // for go:linkname

// yield lets the runtime schedule: other goroutines of this processor run, and
// its monitor sees that the loop does not keep it for itself. runtime.Gosched
// wakes a second thread besides, which takes the loop along to another core.
// The runtime does not export it, but keeps it for those who use it
// (go.dev/issue/67401).
//
//go:linkname yield runtime.goyield
func yield()
