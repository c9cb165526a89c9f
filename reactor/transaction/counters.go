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
	statReplyT2
	statTimeout
	statTimeoutInvite
	// What tm does not count.
	statNoAnswer // requests that are no INVITE and were not answered downstream (RFC 4320)
	statNoAck    // final responses to INVITEs that nobody acknowledged
	statRefused  // requests for which there was no transaction
	statDropped  // messages that found the queue of their transaction full
	statCount
)

var counterNames = [statCount]string{"received_replies", "relayed_replies", "local_replies", "UAS_transactions", "UAC_transactions",
	"2xx_transactions", "3xx_transactions", "4xx_transactions", "5xx_transactions", "6xx_transactions",
	"retransmission_req_T1_1", "retransmission_req_T1_2", "retransmission_req_T1_3", "retransmission_req_T2", "retransmission_rpl_T2",
	"timeout_finalresponse", "timeout_finalresponse_inv", "unanswered_requests", "unacknowledged_replies", "refused_transactions", "dropped_events"}

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

// Counters calls f with each counter by its name. Any goroutine.
func (l *Layer) Counters(f func(name string, value func() uint64, reset func())) {
	for c := range statCount {
		f(counterNames[c], func() (n uint64) {
			for i := range l.shards {
				n += l.shards[i].stat[c].Load()
			}
			return n
		}, func() {
			for i := range l.shards {
				l.shards[i].stat[c].Store(0)
			}
		})
	}
}
