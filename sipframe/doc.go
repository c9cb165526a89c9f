// Package sipframe turns bytes into SIP messages and back. It knows no sockets.
//
//	Buffer    memory that many views share, by counted references
//	Framer    cuts a stream into messages, pings and what is no SIP
//	Message   an index over one message; its values are parsed when asked for
//	Validate  what a proxy has to refuse, and how (RFC 3261 section 16.3)
//	Rewriter  the next message: spans of the old one and a few new bytes
//
// Below them are parsers for any bytes: [ParseURI], [ParseNameAddr], [ParseVia],
// [Params], [SplitList], [Unquote], [EqualURI].
//
// # Bytes and who owns them
//
// Nothing here copies a message but Rewriter.AppendTo, which copies it once. A
// Span is a place in the bytes of a message, and what Message gives out as bytes
// is a view of them: it is valid as long as the owner of the bytes lets it be,
// which on a connection is as long as somebody holds a reference on the Buffer.
// Framer, Message and Rewriter belong to one goroutine at a time; only a
// Buffer's Retain and Release may be called by any. In the steady state nothing
// allocates: their zero values are ready, and they are made to be used again.
//
// # What is accepted
//
// A stream must say where its messages end, so the Framer is strict about that
// and about nothing else. Framer and Message agree on every sequence of bytes:
//
//   - Lines end in LF, with or without CR. The first empty line ends the header
//     section; a line of white space is a fold, not empty.
//   - A line that begins with SP or HT goes on with the header before it. It is
//     never a header of its own, and behind the start line it belongs to none.
//   - A name ends at the first colon of its first line, less the SP and HT in
//     front of that.
//   - A length may stand on a fold ("Content-Length:\r\n 5"). It is digits and
//     nothing else; several lengths must be the same number.
//
// Parse reports further what must not be handed on, as others might read it
// otherwise: a CR that ends no line, a header without a colon or with a name that
// is no token, white space in the start line beyond the two spaces it has.
//
// On a datagram there is no Framer: Parse gets the datagram, less the CR, LF, SP
// and HT it may begin with. Content-Length may be missing there, and what follows
// the body is ignored.
package sipframe
