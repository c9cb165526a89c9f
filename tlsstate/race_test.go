//go:build race

package tlsstate_test

// raceEnabled tells that the race detector, which allocates, is in.
const raceEnabled = true
