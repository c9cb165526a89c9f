// Package relay is what the modules that have media pass a relay (rtpengine, rtpproxy)
// have in common: the nodes in their sets, which of them a call has, whether they answer,
// and how an operator sees them.
//
// A call's node is the one with the highest score of its Call-ID, so that all messages of
// a call, and all of our proxies, find the same one with nothing kept, and a node that
// goes takes only its own calls along. Calls that went elsewhere because of that are
// remembered, up to maxMoved of them, until their end: they stay there when the node
// comes back.
//
// Any goroutine may use a Fleet once it is open. The state of nodes is atomic; what is
// remembered has a lock.
package relay
