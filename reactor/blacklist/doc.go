// Package blacklist keeps requests from destinations: dst_blacklist of
// opensips.cfg, and what its functions and management commands do with it.
//
// A [Set] has the lists of a configuration, of which a message uses some (a
// [Mask]): those marked default, and those that its script says. A [List] has
// rules, and a [Rule] says what it keeps requests from: transport, network, port
// and a pattern of the message. A rule with ! keeps them from everything else.
//
// Lists are read while messages are sent and change now and then, so the rules of
// one are an immutable snapshot behind an atomic pointer: a look takes no lock.
// Rules may expire. What a list may have is bounded ([MaxRules]).
package blacklist
