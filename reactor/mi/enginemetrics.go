package mi

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sipreactor/reactor"
)

// engineMetric is a metric that Stats holds as a number.
type engineMetric struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	get  func(s *reactor.Stats) uint64
}

func counter(subsystem, name, help string, get func(*reactor.Stats) uint64) engineMetric {
	return engineMetric{desc(subsystem, name, help), prometheus.CounterValue, get}
}

func gauge(subsystem, name, help string, get func(*reactor.Stats) int) engineMetric {
	return engineMetric{desc(subsystem, name, help), prometheus.GaugeValue, func(s *reactor.Stats) uint64 { return uint64(get(s)) }}
}

var engineMetrics = []engineMetric{
	counter("connections", "accepted_total", "Connections of peers that were accepted.", func(s *reactor.Stats) uint64 { return s.Accepted }),
	counter("connections", "established_total", "Connections that became ready for messages.", func(s *reactor.Stats) uint64 { return s.Established }),
	gauge("connects", "under_way", "Connects that are under way.", func(s *reactor.Stats) int { return s.Parking }),
	counter("connects", "started_total", "Connects that we began.", func(s *reactor.Stats) uint64 { return s.Dials }),
	counter("connects", "parked_total", "Connects that outlasted the sender's budget and went on alone.", func(s *reactor.Stats) uint64 { return s.ParkedConnects }),
	counter("connects", "resumed_total", "Parked connects that were done after all.", func(s *reactor.Stats) uint64 { return s.ResumedConnects }),
	gauge("backoff", "destinations", "Destinations that could not be reached and are left alone.", func(s *reactor.Stats) int { return s.BackedOff }),
	counter("backoff", "refused_total", "Messages that were not given to a destination that is left alone.", func(s *reactor.Stats) uint64 { return s.BackoffRefused }),
	counter("backoff", "probes_total", "Connections that were opened to see whether a destination is back.", func(s *reactor.Stats) uint64 { return s.BackoffProbes }),
	gauge("", "peers", "End points that connections are known to.", func(s *reactor.Stats) int { return s.Peers }),
	counter("tls", "handshakes_parked_total", "Handshakes of ours that outlasted the sender's budget and went on alone.", func(s *reactor.Stats) uint64 { return s.ParkedHandshakes }),
	counter("tls", "handshakes_unparked_total", "Parked handshakes that succeeded after all.", func(s *reactor.Stats) uint64 { return s.ResumedHandshakes }),
	gauge("tls", "handshakes_waiting", "Handshakes that wait for a handshaker or a signature.", func(s *reactor.Stats) int { return s.HandshakesWaiting }),
	counter("messages", "sent_batches_total", "Batches in which messages were written to connections.", func(s *reactor.Stats) uint64 { return s.Batches }),
	counter("messages", "postponed_total", "Messages that waited for a connect, a handshake or a slow peer.", func(s *reactor.Stats) uint64 { return s.Postponed }),
	counter("messages", "undelivered_total", "Messages that were taken for sending and not delivered.", func(s *reactor.Stats) uint64 { return s.Undelivered }),
	counter("messages", "late_total", "Requests that were refused because what waited was too old.", func(s *reactor.Stats) uint64 { return s.Late }),
	counter("messages", "drained_total", "Requests that were refused because the program ends.", func(s *reactor.Stats) uint64 { return s.Drained }),
	counter("messages", "overflow_total", "Messages that no worker had room for.", func(s *reactor.Stats) uint64 { return s.Overflow }),
	counter("messages", "dropped_total", "Messages that no worker had room for and that got no answer.", func(s *reactor.Stats) uint64 { return s.Dropped }),
	counter("datagrams", "bounced_total", "Datagrams that the network said could not be delivered.", func(s *reactor.Stats) uint64 { return s.DatagramsBounced }),
	gauge("messages", "in_hand", "Messages that wait for a worker or are with one.", func(s *reactor.Stats) int { return s.InHand }),
	counter("", "pings_total", "Pings that were answered.", func(s *reactor.Stats) uint64 { return s.Pings }),
	counter("writes", "blocked_total", "Times that a peer took no more for a while.", func(s *reactor.Stats) uint64 { return s.Blocked }),
	counter("reads", "held_total", "Times that a connection was not read for a while because many of its messages were in hand.", func(s *reactor.Stats) uint64 { return s.Held }),
	counter("connections", "accept_failed_total", "Times that the system let no connection be accepted.", func(s *reactor.Stats) uint64 { return s.AcceptFailed }),
	counter("connections", "half_closed_total", "Connections whose peer closed its half and still got replies.", func(s *reactor.Stats) uint64 { return s.HalfClosed }),
	counter("writes", "timed_out_total", "Times that a peer took nothing for longer than the send timeout.", func(s *reactor.Stats) uint64 { return s.SendTimeouts }),
	counter("messages", "returned_total", "Written messages that the peer had not acknowledged when their connection ended; undelivered_total has them too.", func(s *reactor.Stats) uint64 { return s.Returned }),
	counter("messages", "queue_full_total", "Messages that were refused because too many waited for their connection, which lives on.", func(s *reactor.Stats) uint64 { return s.QueueFull }),
	gauge("", "unanswered_requests", "Requests that were written to connections there are and have had no final response.", func(s *reactor.Stats) int { return int(s.Unanswered) }),
	counter("messages", "never_answered_total", "Requests that the peer's TCP acknowledged and that had no final response when their connection ended.", func(s *reactor.Stats) uint64 { return s.NeverAnswered }),
	counter("messages", "handler_panics_total", "Messages over which the handler panicked: each a fault of this program, with a stack in the log.", func(s *reactor.Stats) uint64 { return s.Panics }),
	counter("connections", "aborted_total", "Connections that were reset so that nothing that was given back could still arrive.", func(s *reactor.Stats) uint64 { return s.Aborted }),
	gauge("", "lingering_sockets", "Sockets of ended connections whose peer is still to get the rest.", func(s *reactor.Stats) int { return s.Lingering }),
	counter("workers", "waits_total", "Times that a worker had to wait, for a connect, a handshake or a name.", func(s *reactor.Stats) uint64 { return s.Waits }),
	counter("workers", "takeovers_total", "Times that a worker waited and another took its messages over.", func(s *reactor.Stats) uint64 { return s.Takeovers }),
	counter("workers", "waiters_full_total", "Waits that were refused because as many workers waited already.", func(s *reactor.Stats) uint64 { return s.WaitersFull }),
	gauge("workers", "waiting", "Workers that wait.", func(s *reactor.Stats) int { return s.Waiting }),
}

var (
	closedDesc    = desc("connections", "closed_total", "Connections that ended, by reason and side to blame.", "reason", "blame")
	turnedDesc    = desc("connections", "refused_total", "Connections that were accepted and closed at once, by cause.", "cause")
	connectsDesc  = desc("connects", "ended_total", "Connects that ended, by result: done, or the reason of the failure.", "result")
	doneDesc      = desc("tls", "handshakes_total", "TLS handshakes that succeeded.", "direction", "version")
	failedDesc    = desc("tls", "handshakes_failed_total", "TLS handshakes that failed, by the reason that the connection ended with.", "direction", "reason")
	resumedDesc   = desc("tls", "handshakes_resumed_total", "TLS handshakes that resumed a session.", "direction")
	tookDesc      = desc("tls", "handshake_duration_seconds", "How long TLS handshakes that succeeded took, the peer's time included.", "direction")
	defectDesc    = desc("tls", "handshake_defects_total", "What the TLS layer found wrong with handshakes.", "defect")
	malformedDesc = desc("messages", "malformed_total", "Streams whose framing was lost, by what was wrong.", "defect")
	receivedDesc  = desc("messages", "received_total", "Whole messages that were received.", "proto")
	deliveredDesc = desc("messages", "sent_total", "Messages that were written.", "proto")
	inDesc        = desc("", "received_bytes_total", "Bytes read from sockets.", "proto")
	outDesc       = desc("", "sent_bytes_total", "Bytes written to sockets.", "proto")
	connsDesc     = desc("", "connections", "Connections there are.", "proto", "direction", "phase")
	queueDesc     = desc("", "queued_messages", "Messages that wait to be written.", "proto")
	stuckDesc     = desc("", "stuck_connections", "Connections whose peer takes nothing at the moment.", "proto")
	fullDesc      = desc("", "datagrams_dropped_total", "Datagrams that the kernel dropped at the sockets of UDP, as their buffers were full.")
	unreadDesc    = desc("", "unread_bytes", "Bytes that wait in the kernel to be read.", "proto")
)

// engineDescs are the metrics of an engine that have labels.
var engineDescs = []*prometheus.Desc{closedDesc, turnedDesc, connectsDesc, doneDesc, failedDesc, resumedDesc, tookDesc, defectDesc,
	malformedDesc, receivedDesc, deliveredDesc, inDesc, outDesc, connsDesc, queueDesc, stuckDesc, unreadDesc, fullDesc}

func collectEngine(e Engine, to chan<- prometheus.Metric) {
	put := putTo(to)
	count := func(d *prometheus.Desc, n uint64, labels ...string) {
		put(d, prometheus.CounterValue, float64(n), labels...)
	}
	s := e.Stats()
	for i := range engineMetrics {
		m := &engineMetrics[i]
		put(m.desc, m.kind, float64(m.get(&s)))
	}
	eachReason(func(r reactor.Reason) { count(closedDesc, s.Closed[r], reasonName(r), r.Blame().String()) })
	reactor.Refusals(func(r reactor.Refusal) { count(turnedDesc, s.RefusedFor[r], r.String()) })
	count(connectsDesc, s.Dialed, "done")
	eachOf(s.DialsFailed, dialReasons, func(r reactor.Reason, n uint64) { count(connectsDesc, n, reasonName(r)) })
	eachCause(s.Defects, func(cause string, n uint64) { count(malformedDesc, n, cause) })
	for _, p := range allProtos {
		t := s.Carried[p]
		count(receivedDesc, t.MessagesIn, p.String())
		count(deliveredDesc, t.MessagesOut, p.String())
		count(inDesc, t.BytesIn, p.String())
		count(outDesc, t.BytesOut, p.String())
		put(unreadDesc, prometheus.GaugeValue, float64(waiting(e, p)), p.String())
	}
	count(fullDesc, s.DatagramsDropped)
	eachCause(s.HandshakeDefects, func(cause string, n uint64) { count(defectDesc, n, cause) })
	for _, side := range bothSides(&s) {
		h := side.Handshakes
		for _, v := range sortedKeys(h.Done) {
			count(doneDesc, h.Done[v], side.direction, v)
		}
		count(resumedDesc, h.Resumed, side.direction)
		eachOf(h.Failed, handshakeReasons, func(r reactor.Reason, n uint64) { count(failedDesc, n, side.direction, reasonName(r)) })
		to <- histogram(tookDesc, &h.Took, side.direction)
	}
}

// histogram writes a Histogram in seconds and with cumulative buckets.
func histogram(d *prometheus.Desc, h *reactor.Histogram, labels ...string) prometheus.Metric {
	buckets := make(map[float64]uint64, len(h.Bounds))
	var n uint64
	for i, c := range h.Counts {
		n += c
		if i < len(h.Bounds) {
			buckets[h.Bounds[i].Seconds()] = n
		}
	}
	return prometheus.MustNewConstHistogram(d, n, float64(h.Sum)/float64(time.Second), buckets, labels...)
}

func collectConns(e Engine, put putFunc) {
	counted := count(e)
	eachClass(func(c ConnClass) {
		put(connsDesc, prometheus.GaugeValue, float64(counted.Conns[c]), c.Proto.String(), c.Direction(), c.Phase.String())
	})
	for _, p := range connProtos {
		put(queueDesc, prometheus.GaugeValue, float64(counted.Queued[p]), p.String())
		put(stuckDesc, prometheus.GaugeValue, float64(counted.Stuck[p]), p.String())
	}
}
