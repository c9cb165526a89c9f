package tlsstate

// RaceDetector tells tests that they run ten times slower.
const RaceDetector = raceDetector
