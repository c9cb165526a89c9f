package rtpengine

import (
	"sync"
	"time"

	"sipreactor/reactor/modules/rtpengine/ng"
)

// question is a request of ours: it is asked of the node of its call, and an offer of others
// when that fails. It belongs to who has made it, but from begin until done is called to the
// clients of the nodes.
type question struct {
	m       *module
	command string
	set     int
	callID  string
	url     string // of the node; "" the call's
	request ng.Writer

	datagram []byte
	loop     int
	until    time.Time
	tried    []*node
	done     func()

	// What became of it.
	node   *node
	answer ng.Answer
	err    error
}

// maxAsk is the longest time that a request takes with all nodes that are tried.
const maxAsk = 30 * time.Second

var questions = sync.Pool{New: func() any { return new(question) }}

// newQuestion gives one whose request is empty. free ends it.
func (m *module) newQuestion(command string) *question {
	q := questions.Get().(*question)
	q.m, q.command = m, command
	return q
}

// maxKept is the largest request or answer whose memory is kept.
const maxKept = 16 << 10

// free lets go of a question, and of its answer.
func (q *question) free() {
	if cap(q.datagram) > maxKept || cap(q.answer) > maxKept {
		return
	}
	clear(q.tried)
	q.request.Reset()
	*q = question{request: q.request, tried: q.tried[:0], answer: q.answer[:0]}
	questions.Put(q)
}

// ask asks, and blocks.
func (q *question) ask() error {
	over := make(chan struct{})
	q.begin(-1, func() { close(over) })
	<-over
	return q.err
}

// begin asks by the socket of an event loop (-1: of none) and calls done, once, when node,
// answer and err tell what became of it. It does not block.
func (q *question) begin(loop int, done func()) {
	q.loop, q.done, q.err = loop, done, errNoNode
	q.datagram, q.until = q.request.End(), time.Now().Add(maxAsk)
	q.next()
}

// next asks the next node.
func (q *question) next() {
	n := q.m.fleet.Choose(q.set, q.callID, q.url, q.tried)
	if n == nil {
		q.end(q.err)
		return
	}
	q.node = n
	n.Client.Start(q.loop, q.datagram, q)
}

func (q *question) end(err error) {
	q.err = err
	q.m.asked.Add(1)
	if err != nil {
		q.m.refused.Add(1)
	}
	q.done()
}

// Answered is cookie.Asker's.
func (q *question) Answered(text []byte, err error) {
	m, n, answer := q.m, q.node, ng.Answer(text)
	if err == nil {
		m.fleet.Heard(n)
		if string(answer.Text("result")) == "ok" {
			q.answer = append(q.answer[:0], answer...)
			q.remember()
			q.end(nil)
			return
		}
		reason := reasonOf(answer)
		err = refusal(reason)
		if !m.failsOver(reason) {
			q.end(err)
			return
		}
	} else if !ours(err) {
		m.fleet.Unheard(n, err)
	}
	if q.command != "offer" || q.url != "" || !time.Now().Before(q.until) {
		q.end(err)
		return
	}
	q.err = err
	q.tried = append(q.tried, n)
	q.next()
}

// reasonOf is why an answer is a refusal.
func reasonOf(answer ng.Answer) string {
	reason := answer.Text("error-reason")
	if len(reason) == 0 {
		reason = answer.Text("result")
	}
	if string(reason) == "load limit" {
		return string(answer.Text("message")) + " (Load limit exceeded)"
	}
	return string(reason)
}

// remember keeps where a call went, until its end.
func (q *question) remember() {
	switch {
	case q.command == "delete":
		q.m.fleet.Ended(q.set, q.callID)
	case q.command == "offer" && q.url == "":
		q.m.fleet.Began(q.set, q.callID, q.node)
	}
}
