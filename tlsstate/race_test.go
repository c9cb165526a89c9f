//go:build race

package tlsstate

// raceDetector tells that pools drop things on purpose.
const raceDetector = true
