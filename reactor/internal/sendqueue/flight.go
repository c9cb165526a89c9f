package sendqueue

// Flight is the batch whose bytes the codec has, kept until they are written so that none
// is lost without a trace. It belongs to the loop. The zero value is none.
type Flight struct {
	Batch *Batch // nil: nothing is being written
	Taken int    // bytes of the sealed batch that the socket has
	Count int    // messages of it that are written
}

// Unsent returns how many messages of the flight the socket has not taken. Loop only.
func (f *Flight) Unsent() (n int) {
	if f.Batch == nil {
		return 0
	}
	for i := range f.Batch.Ends[f.Count:] {
		if !f.Batch.Ends[f.Count+i].Pong {
			n++
		}
	}
	return n
}

// recordSize is how much plaintext a full TLS record holds (RFC 8446 5.1).
const recordSize = 16384

// Launch begins to write b, which came to so many bytes sealed, and notes
// where in those each message ends. Loop only.
//
// A message is written, or acknowledged, when the record with its last byte is:
// every record but the last is full, so the overhead is the same for each.
func (f *Flight) Launch(b *Batch, sealed int) {
	*f = Flight{Batch: b}
	plain := len(b.Text)
	overhead := 0
	if records := (plain + recordSize - 1) / recordSize; records > 0 {
		overhead = (sealed - plain) / records
	}
	for i := range b.Ends {
		e := &b.Ends[i]
		switch {
		case overhead == 0:
			e.Wire = e.End
		default:
			e.Wire = min(sealed, (e.End+recordSize-1)/recordSize*(recordSize+overhead))
		}
	}
}

// Advance notes that the socket took n more bytes of it, settles the
// messages that are wholly written and gives those. Loop only.
func (f *Flight) Advance(n int) []Entry {
	f.Taken += n
	b, from := f.Batch, f.Count
	for f.Count < len(b.Ends) && b.Ends[f.Count].Wire <= f.Taken {
		if e := &b.Ends[f.Count]; e.Wait != nil {
			e.Wait.Settle(nil)
			e.Wait = nil
		}
		f.Count++
	}
	return b.Ends[from:f.Count]
}
