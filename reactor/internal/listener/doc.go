// Package listener opens the sockets that are listened on, and keeps them while
// connections are accepted: what accept(2) says ends nothing. It knows no event loop:
// who watches a socket, and accepts from it, is its caller's affair.
//
// # Who owns what
//
// A Config is a plain value of its caller's, who has it for itself. What Bind and
// BindDatagrams return is the caller's to close; an inherited socket stays its
// owner's. A Group owns no socket, only the descriptors that it keeps for when there
// are none; whoever accepts tells it what went wrong, on any goroutine. Inlets own their
// sockets, which are those of datagrams.
package listener
