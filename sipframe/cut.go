package sipframe

// DefaultMaxMessage is the largest message that a Framer takes when
// FramerConfig does not say.
const DefaultMaxMessage = 65535

// FramerConfig is what a Framer is told at each call. It is not changed, and
// many framers may share one.
type FramerConfig struct {
	// MaxMessage is the largest message in bytes, start line and body
	// included; 0 is DefaultMaxMessage.
	MaxMessage int
	// PingPong reports a CRLFCRLF between messages as Ping (RFC 5626 section 4.4.1).
	PingPong bool
	// DropCRLF reports CRLFs with which the bytes at hand end as Dropped,
	// instead of waiting for what follows them.
	DropCRLF bool
}

// CutKind says what Framer.Next found.
type CutKind uint8

// The kinds of Cut.
const (
	// NeedMore: nothing more can be said about these bytes.
	NeedMore CutKind = iota
	// Frame: a whole message.
	Frame
	// Ping: a CRLFCRLF that wants a CRLF for an answer.
	Ping
	// Dropped: one CRLF or more that nobody is to wait for.
	Dropped
	// Bad: the stream is no SIP, or the end of the message cannot be told. The
	// framing is lost for good.
	Bad
	// Over: the peer has ended the stream in the way of its transport. A Framer never
	// finds that.
	Over
)

// String gives the name of the kind.
func (k CutKind) String() string {
	switch k {
	case NeedMore:
		return "NeedMore"
	case Frame:
		return "Frame"
	case Ping:
		return "Ping"
	case Dropped:
		return "Dropped"
	case Bad:
		return "Bad"
	case Over:
		return "Over"
	default:
		return "CutKind(?)"
	}
}

// Cut is what Framer.Next found. Offsets are those of the data it was given.
type Cut struct {
	Kind CutKind
	// Start is the first byte of the message for Frame and Bad. For NeedMore,
	// data[:Start] is not needed any more, and data[Start:] must come again
	// with more behind it; if nothing is left, no message has begun.
	Start int
	// End is where to go on: the next call gets data[End:]. A Frame is
	// data[Start:End]. A Bad that is Answerable has its header section there, or
	// of one that is too large the whole lines; else its End is its Start.
	End int
	// Defect is what is wrong; Bad only.
	Defect Defect
}
