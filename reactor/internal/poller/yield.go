package poller

import _ "unsafe" // for go:linkname

// Yield lets the runtime schedule: other goroutines of this processor run, and
// its monitor sees that the loop does not keep it for itself. runtime.Gosched
// wakes a second thread besides, which takes the loop along to another core.
// The runtime does not export it, but keeps it for those who use it
// (go.dev/issue/67401).
//
//go:linkname Yield runtime.goyield
func Yield()
