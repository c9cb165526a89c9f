// Package rtpengine is OpenSIPS' module rtpengine: it has media pass rtpengine, which it
// tells of offers and answers by package ng. Whoever asks waits in Machine.Await, so no
// loop and no goroutine does, and no longer than rtpengine_tout allows for all retries, once for each node
// that is tried.
//
// Which node a call has is package relay's. Only offers fail over, as no other node knows
// the call.
package rtpengine
