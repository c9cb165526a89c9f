package transaction

import (
	"sync/atomic"
	"time"
)

// Counter names one of the Layer's counters, as the tm module names them.
type Counter uint8

// The counters.
const (
	statReceived Counter = iota
	statRelayed
	statLocal
	statUAS
	statUAC
	stat2xx
	stat3xx
	stat4xx
	stat5xx
	stat6xx
	statT1a
	statT1b
	statT1c
	statT2
	statResponseT2
	statTimeout
	statTimeoutInvite
	// What tm does not count.
	statNoAnswer // requests that are no INVITE and were not answered downstream (RFC 4320)
	statNoAck    // final responses to INVITEs that nobody acknowledged
	statRefused  // requests for which there was no transaction
	statDropped  // messages that found the queue of their transaction full
	statCount
)

var counterNames = [statCount]CounterName{
	statReceived:      {"received_replies", "Responses of branches that came."},
	statRelayed:       {"relayed_replies", "Responses that went upstream."},
	statLocal:         {"local_replies", "Responses of ours."},
	statUAS:           {"UAS_transactions", "Transactions of requests that came."},
	statUAC:           {"UAC_transactions", "Transactions of requests of ours."},
	stat2xx:           {"2xx_transactions", "Transactions that were answered with a 2xx."},
	stat3xx:           {"3xx_transactions", "Transactions that were answered with a 3xx."},
	stat4xx:           {"4xx_transactions", "Transactions that were answered with a 4xx."},
	stat5xx:           {"5xx_transactions", "Transactions that were answered with a 5xx."},
	stat6xx:           {"6xx_transactions", "Transactions that were answered with a 6xx."},
	statT1a:           {"retransmission_req_T1_1", "Requests that went out a second time."},
	statT1b:           {"retransmission_req_T1_2", "Requests that went out a third time."},
	statT1c:           {"retransmission_req_T1_3", "Requests that went out a fourth time."},
	statT2:            {"retransmission_req_T2", "Requests that went out again, in intervals of T2."},
	statResponseT2:    {"retransmission_rpl_T2", "Final responses that went out again."},
	statTimeout:       {"timeout_finalresponse", "Branches without any response."},
	statTimeoutInvite: {"timeout_finalresponse_inv", "INVITEs without a final response."},
	statNoAnswer:      {"unanswered_requests", "Requests other than INVITE that were not answered, and of which the client was told nothing."},
	statNoAck:         {"unacknowledged_replies", "Final responses to INVITEs that were not acknowledged."},
	statRefused:       {"refused_transactions", "Requests for which there was no transaction."},
	statDropped:       {"dropped_events", "Messages that came while their transaction had too many to work off."},
}

// counters are a shard's.
type counters [statCount]atomic.Uint64

func (s *counters) add(c Counter) { s[c].Add(1) }

// class counts a transaction by its final response.
func (s *counters) class(code int) {
	if code >= 200 && code < 700 {
		s.add(stat2xx + Counter(code/100-2))
	}
}

// resent counts a retransmission by the interval that comes next.
func (s *counters) resent(next time.Duration, t *Timing) {
	switch {
	case next <= 2*t.T1:
		s.add(statT1a)
	case next <= 4*t.T1:
		s.add(statT1b)
	case next < 2*t.T2:
		s.add(statT1c)
	default:
		s.add(statT2)
	}
}

// CounterNames lists the counters.
func CounterNames() []CounterName { return counterNames[:] }

// CounterName is a counter's name, and what it counts.
type CounterName struct{ Name, Help string }

// Count reads a counter by its name; 0 for none. Any goroutine.
func (l *Layer) Count(name string) (n uint64) {
	for c := range counterNames {
		if counterNames[c].Name != name {
			continue
		}
		for i := range l.shards {
			n += l.shards[i].stat[c].Load()
		}
	}
	return n
}

// ResetCount sets a counter to 0. Any goroutine.
func (l *Layer) ResetCount(name string) {
	for c := range counterNames {
		if counterNames[c].Name != name {
			continue
		}
		for i := range l.shards {
			l.shards[i].stat[c].Store(0)
		}
	}
}
