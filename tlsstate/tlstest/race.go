//go:build race

package tlstest

// RaceDetector tells tests that they run ten times slower, and that pools drop
// things on purpose.
const RaceDetector = true
