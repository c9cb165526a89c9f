package sipframe

// Defect is what is wrong with a message or a stream. It is an error by value
// and by pointer.
type Defect struct {
	// Code is the status of the response that the defect wants: 400, 416, 420,
	// 483 or 505.
	Code int
	// Reason is the reason phrase of that response, and the text behind
	// "malformed message: " in a close reason. It never holds bytes of the message.
	Reason string
	// Answerable tells that the header section is that of a request and was
	// complete, or is only too large, so that a response can be built from it.
	Answerable bool
}

// Error gives the reason.
func (d Defect) Error() string { return d.Reason }

// Reasons that others look for.
const (
	// ReasonTooLarge is the Reason of a message over FramerConfig.MaxMessage.
	ReasonTooLarge = "Message Too Large"
	// ReasonNoLength is the Reason of a message without Content-Length on a stream.
	ReasonNoLength = "Missing Content-Length"
)

// badRequest makes the error value of a defect that wants a 400. Use it for
// package variables only, as it allocates.
func badRequest(reason string) *Defect { return &Defect{Code: 400, Reason: reason, Answerable: true} }
