package proxy

import (
	"sync/atomic"

	"sipreactor/reactor/internal/counters"
)

// Counter names one of the Proxy's counters.
type Counter uint8

// The counters. Each counts messages since the start.
const (
	// RequestsIn and ResponsesIn are the messages that came.
	RequestsIn Counter = iota
	ResponsesIn
	// RequestsOut and ResponsesOut are the forwarded ones that were taken for
	// sending.
	RequestsOut
	ResponsesOut
	// SentAsIs are messages that Context.Send handed on.
	SentAsIs
	// OwnResponses are those of our own; Proxy.OwnResponses tells them by code.
	OwnResponses
	// RequestsRefused are requests that validation refused with a response
	// (RFC 3261 16.3).
	RequestsRefused
	// RequestsBroken are requests that validation refused and that could get
	// no response: a broken ACK, a request without a usable Via.
	RequestsBroken
	// ResponsesBroken are responses that are no proper SIP.
	ResponsesBroken
	// Unreadable are messages that are neither request nor response.
	Unreadable
	// ResponsesForeign are responses whose topmost Via is not ours, or whose
	// branch is not one that we made (RFC 3261 16.7 item 3, 18.1.2).
	ResponsesForeign
	// ResponsesForUs are responses with no Via but ours.
	ResponsesForUs
	// ResponsesDropped are provisional responses that the Router dropped.
	ResponsesDropped
	// StreamsBroken are connections that lost their framing.
	StreamsBroken
	// Overloaded are requests that no worker had time for (503).
	Overloaded
	// LookupsRefused are messages that were not to wait for the address of a
	// name, because so many did already.
	LookupsRefused
	// Loops are requests that came back to us unchanged (482).
	Loops
	// HopsSpent are requests that were to be forwarded with no hop left (483).
	HopsSpent
	// AcksAbsorbed are the ACKs to our own negative responses.
	AcksAbsorbed
	// ForwardsFailed are destinations that a request could not be forwarded to.
	ForwardsFailed
	// RequestsMoved are requests that were taken for sending, failed later and
	// went to the next address of their destination.
	RequestsMoved
	// RequestsFiltered are the times that a blacklist kept a message from a
	// destination.
	RequestsFiltered
	// RequestsUndelivered and AcksUndelivered are requests that were taken for
	// sending and failed later; the former got a 503.
	RequestsUndelivered
	AcksUndelivered
	// RequestsBounced are requests that left as datagrams, without a transaction, and
	// that the network said it could not deliver. QuotesForeign are such words about
	// what is none of ours, or no request.
	RequestsBounced
	QuotesForeign
	// ResponsesUndelivered are responses, ours and others', that could not be
	// delivered.
	ResponsesUndelivered
	// ResponsesMismatched are responses that do not go with the request whose
	// branch they bring: another Call-ID, CSeq, From tag or Via of the client.
	ResponsesMismatched
	// ResponsesLate are responses to requests of transactions that are over, or were
	// another process's, and too old to be sent on.
	ResponsesLate
	counterCount
)

var counterNames = [counterCount]string{
	RequestsIn:           "requests_in",
	ResponsesIn:          "responses_in",
	RequestsOut:          "requests_out",
	ResponsesOut:         "responses_out",
	SentAsIs:             "sent_as_is",
	OwnResponses:         "replies_out",
	RequestsRefused:      "requests_refused",
	RequestsBroken:       "requests_broken",
	ResponsesBroken:      "responses_broken",
	Unreadable:           "unreadable",
	ResponsesForeign:     "responses_foreign",
	ResponsesForUs:       "responses_for_us",
	ResponsesDropped:     "responses_dropped",
	StreamsBroken:        "streams_broken",
	Overloaded:           "overloaded",
	LookupsRefused:       "lookups_refused",
	Loops:                "loops",
	HopsSpent:            "hops_spent",
	AcksAbsorbed:         "acks_absorbed",
	ForwardsFailed:       "forwards_failed",
	RequestsMoved:        "requests_moved",
	RequestsFiltered:     "requests_filtered",
	RequestsUndelivered:  "requests_undelivered",
	AcksUndelivered:      "acks_undelivered",
	RequestsBounced:      "requests_bounced",
	QuotesForeign:        "quotes_foreign",
	ResponsesUndelivered: "responses_undelivered",
	ResponsesMismatched:  "responses_mismatched",
	ResponsesLate:        "responses_late",
}

// String gives the name that statistics use.
func (c Counter) String() string {
	if c < counterCount {
		return counterNames[c]
	}
	return "unknown"
}

const (
	firstCode, lastCode = 100, 699
	countShards         = 16
)

// countShard is one share of the counters. Contexts are spread over the shares,
// so workers seldom write to the same cache line.
type countShard struct {
	counts    [counterCount]atomic.Uint64
	responses [lastCode - firstCode + 1]atomic.Uint64
	refused   [lastCode - firstCode + 1]atomic.Uint64
	defects   counters.Tally
	_         [128]byte
}

func (s *countShard) add(c Counter) { s.counts[c].Add(1) }

func (s *countShard) respond(code int) {
	s.counts[OwnResponses].Add(1)
	s.responses[code-firstCode].Add(1)
}

func (s *countShard) refuse(code int) {
	s.counts[RequestsRefused].Add(1)
	s.refused[code-firstCode].Add(1)
}

// Count reads a counter. Any goroutine may call it; while messages pass, the
// sum is of no single instant.
func (p *Proxy) Count(c Counter) (n uint64) {
	if c >= counterCount {
		return 0
	}
	for i := range p.shards {
		n += p.shards[i].counts[c].Load()
	}
	return n
}

// OwnResponses tells how many responses with the code (100 to 699) we have made. Any
// goroutine may call it.
func (p *Proxy) OwnResponses(code int) (n uint64) {
	if code < firstCode || code > lastCode {
		return 0
	}
	for i := range p.shards {
		n += p.shards[i].responses[code-firstCode].Load()
	}
	return n
}

// Refused tells how many requests validation has refused with the code (100 to
// 699). Any goroutine may call it.
func (p *Proxy) Refused(code int) (n uint64) {
	if code < firstCode || code > lastCode {
		return 0
	}
	for i := range p.shards {
		n += p.shards[i].refused[code-firstCode].Load()
	}
	return n
}

// Defects tells how many messages were refused, or dropped when they could get no
// response, by what was wrong: the reason phrases of a fixed set. Any goroutine may
// call it.
func (p *Proxy) Defects() map[string]uint64 {
	all := make(map[string]uint64)
	for i := range p.shards {
		p.shards[i].defects.AddTo(all)
	}
	return all
}

// Counters calls f with each counter. Any goroutine may call it.
func (p *Proxy) Counters(f func(c Counter, n uint64)) {
	for c := range counterCount {
		f(c, p.Count(c))
	}
}
