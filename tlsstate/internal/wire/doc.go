// Package wire is what the machines of every library know of the bytes on the
// wire, and how they keep them: the frames of TLS records, the names of alerts,
// how plain text on a TLS port looks, and pooled buffers that nobody holds while
// they are empty. It knows no library and no machine.
//
//	var in wire.Inbox
//	in.Feed(b)
//	if n := wire.WholeRecord(in.Waiting()); n > 0 {
//		use(in.Waiting()[:n])
//		in.Drop(n)
//	}
package wire
