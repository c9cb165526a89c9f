package transaction

// User is who a transaction works for: it has the messages and the sockets, and runs the script. The transaction calls
// it from the goroutine that called the transaction. "The response at hand" is the one that Response was called for.
type User interface {
	// SendRequest sends the branch's request, for the first time or again. An error is a transport's.
	SendRequest(t *Transaction, b *Branch) error
	// SendCancel sends a CANCEL for the branch's request.
	SendCancel(t *Transaction, b *Branch) error
	// SendAck acknowledges the response at hand, a final one that is no 2xx (17.1.1.3).
	SendAck(t *Transaction, b *Branch)
	// Relay sends the response at hand upstream: a provisional one or a 2xx.
	Relay(t *Transaction, b *Branch)
	// Keep keeps the response at hand, which may be the answer.
	Keep(t *Transaction, b *Branch)
	// Answer sends the final response upstream: what was kept of b, or with b nil or local one of our own with that
	// code.
	Answer(t *Transaction, b *Branch, code int)
	// Again sends upstream what went there last, if anything did and is kept.
	Again(t *Transaction)
	// Retry sends the branch's request to the next address of its destination (RFC 3263 4.3), as the first try of a new
	// client transaction, by calling Relaunch; false: there is none.
	Retry(t *Transaction, b *Branch) bool
	// Failed is called when no branch is left that might succeed. best has the response that would be the answer. The
	// user may add branches or Respond, and calls Resume when it is done, in this call or later.
	Failed(t *Transaction, best *Branch)
	// Lost says that no answer could be given, or for an INVITE that its answer was never acknowledged.
	Lost(t *Transaction, why Loss)
	// Gone is the last call: nothing of the transaction is alive.
	Gone(t *Transaction)
}

// Loss is why an answer did not arrive.
type Loss uint8

const (
	// LostUpstream: the response cannot be delivered.
	LostUpstream Loss = iota
	// LostAck: a final response to an INVITE, that is no 2xx or is the user's own, was not acknowledged for 64*T1.
	LostAck
	// LostAnswer: a request that is no INVITE was not answered downstream; upstream that is told to nobody (RFC 4320).
	LostAnswer
)
