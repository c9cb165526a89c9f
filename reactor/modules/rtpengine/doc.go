// Package rtpengine is OpenSIPS' module rtpengine: it has media pass rtpengine, which it
// tells of offers and answers by package ng. Whoever asks waits in Machine.Wait, so no
// loop does, and no longer than rtpengine_tout allows for all retries, once for each node
// that is tried.
//
// A call's node is the one with the highest score of its Call-ID, so that all messages of
// a call, and all of our nodes, find the same one with nothing kept, and a node that goes
// takes only its own calls along. Calls that went elsewhere because of that are
// remembered, by up to maxMoved Call-IDs, until their end: they stay there when the node
// comes back. Only offers fail over, as no other node knows the call.
//
// Any goroutine may use nodes. Their state is atomic; what is remembered has a lock.
package rtpengine
