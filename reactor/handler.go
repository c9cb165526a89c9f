package reactor

import "sipreactor/sipframe"

// Frame is one SIP message as it stood on the wire: a view into a buffer that
// other frames share. It is valid until the Handler returns; who needs it
// longer takes a reference with Keep.
type Frame struct {
	Data []byte
	Src  *Source

	buf *sipframe.Buffer
}

// Keep takes a reference on the frame's bytes; the result lets go of it. Any
// goroutine may call that, once.
func (f *Frame) Keep() (release func()) {
	buf := f.buf
	if buf == nil {
		return func() {}
	}
	buf.Retain()
	return buf.Release
}

// Handler is what to do with messages. Its methods are called on workers: a
// message's own goroutine until it returns, in order within a Call-ID unless an
// earlier message of it waits (Worker.Send, Worker.Wait).
type Handler interface {
	// Message gets one framed message.
	Message(w *Worker, f *Frame)
	// Malformed is called once for a stream whose framing is lost. The
	// connection closes after what the Handler sends on it has been written.
	// If d.Answerable, f.Data is the header section: all of it, or what came of
	// one that is too large, in whole lines.
	Malformed(w *Worker, f *Frame, d sipframe.Defect)
	// Undelivered is called exactly once for each message that Send took and
	// that was not written, or that the peer's TCP had not acknowledged when its
	// connection ended.
	Undelivered(w *Worker, u *Undelivered)
}

// Overloader is a Handler that refuses requests: some new ones while there are
// too many (Config.QueueDelay), all of them while the engine drains, and messages
// that find no room in the queue of their shard. Mostly it is called on an event
// loop, by a Worker that never waits: it must not block, and should be cheaper
// than Message by far. To a Handler that is none all requests come, and what
// finds no room is dropped.
type Overloader interface {
	Overload(w *Worker, f *Frame)
}

// Sharder is a Handler whose responses may belong to another shard than that of their Call-ID: that of the request they
// answer, which had another one. Shard is given the branch of a response's topmost Via, as it came, or of a request that
// is given back. It is called on an event loop for each of them: it must be cheap.
type Sharder interface {
	Shard(branch []byte) (shard int, ok bool)
}

// Renamer is a Handler that has one side of some dialogs know them by other Call-IDs. CallID returns the one that a
// message's is known by to the other side, or that itself: by it the message finds its shard, so that both sides' requests are in
// order. It is called on an event loop for each message: it must be cheap where there is nothing to say.
type Renamer interface {
	CallID(callID []byte) []byte
}

// Debtor is a Handler that tells how many requests it still will answer by
// itself: when a timer goes off, or a transaction of its own ends. While the engine
// drains, those are under way, and so are requests that went on to somebody; a
// request that is neither gets no answer, and nobody waits for one. For a Handler
// that is no Debtor, every request without a final response is under way. Any
// goroutine.
type Debtor interface {
	Owes() int
}
