package handshakes

// Inbox keeps what a peer says while the machine is away. A peer may send messages
// right behind its Finished, while that still waits for its step. The zero Inbox is
// empty. The loop owns it.
type Inbox struct {
	waits []byte
	fed   []byte // what the machine was given last; its array is used again
}

const (
	// inboxFull is from where on the kernel should keep what comes, in bytes.
	inboxFull = 64 << 10
	// inboxLimit is the end, which no peer reaches before its own send buffer is full.
	inboxLimit = 4 << 20
)

// Add keeps a copy of what came; false when it is too much for any peer.
func (b *Inbox) Add(in []byte) bool {
	if len(b.waits)+len(in) > inboxLimit {
		return false
	}
	b.waits = append(b.waits, in...)
	return true
}

// Full reports whether the kernel should keep what comes.
func (b *Inbox) Full() bool { return len(b.waits) >= inboxFull }

// Len returns how many bytes wait.
func (b *Inbox) Len() int { return len(b.waits) }

// Take returns what waits and leaves nothing. It is valid until the next Take.
func (b *Inbox) Take() []byte {
	b.waits, b.fed = b.fed[:0], b.waits
	return b.fed
}
