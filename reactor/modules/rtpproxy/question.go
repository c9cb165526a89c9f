package rtpproxy

import (
	"errors"
	"time"

	"sipreactor/reactor/modules/internal/relay"
	"sipreactor/reactor/modules/rtpproxy/control"
)

type node = relay.Node[*control.Client]

// question is commands of ours about a call: they are asked one after the other of its node, and where it fails over all of
// them of others. It belongs to who has made it, but from begin until done is called to the clients of the nodes.
type question struct {
	m        *module
	session  *session
	commands []string
	failover bool
	// got reads the answer to a command, by its number; nil: words has the last one's.
	got func(i int, words []string, n *node) error

	loop  int
	until time.Time
	tried []*node
	next  int // command
	done  func()

	// What became of it.
	node  *node
	words []string
	err   error
}

// maxAsk is the longest time that a question takes with all nodes that are tried.
const maxAsk = 30 * time.Second

// newQuestion makes one of the call's node alone.
func (m *module) newQuestion(s *session, commands ...string) *question {
	return &question{m: m, session: s, commands: commands}
}

// begin asks by the socket of an event loop (-1: of none) and calls done, once, when node, words and err tell what became
// of it. It does not block.
func (q *question) begin(loop int, done func()) {
	q.loop, q.done, q.err, q.until = loop, done, errNoNode, time.Now().Add(maxAsk)
	q.choose()
}

// ask asks, and blocks.
func (q *question) ask() error {
	over := make(chan struct{})
	q.begin(-1, func() { close(over) })
	<-over
	return q.err
}

// choose begins with the next node.
func (q *question) choose() {
	n := q.m.fleet.Choose(q.session.set, q.session.callID, q.session.url, q.tried)
	if n == nil {
		q.end(q.err)
		return
	}
	q.node, q.next = n, 0
	q.command()
}

// command sends the next command, or is done.
func (q *question) command() {
	if q.next < len(q.commands) {
		q.node.Client.Start(q.loop, q.commands[q.next], q)
		return
	}
	q.m.fleet.Heard(q.node)
	if q.failover && q.session.url == "" {
		q.m.fleet.Began(q.session.set, q.session.callID, q.node)
	}
	q.end(nil)
}

// Answered is control.Asker's.
func (q *question) Answered(words []string, err error) {
	if err == nil && q.got != nil {
		err = q.got(q.next, words, q.node)
	}
	if err == nil {
		q.words = words
		q.next++
		q.command()
		return
	}
	var refused control.Refusal
	switch {
	case errors.As(err, &refused), errors.Is(err, errAnswer):
		q.m.fleet.Heard(q.node)
	case errors.Is(err, control.ErrCommand):
		q.end(err)
		return
	case !ours(err):
		q.m.fleet.Unheard(q.node, err)
	}
	if !q.failover || q.session.url != "" || !time.Now().Before(q.until) {
		q.end(err)
		return
	}
	q.err = err
	q.tried = append(q.tried, q.node)
	q.choose()
}

// ours reports whether an error is no fault of the node's.
func ours(err error) bool {
	return errors.Is(err, control.ErrBusy) || errors.Is(err, control.ErrClosed)
}

// end counts the question, and tells what became of it.
func (q *question) end(err error) {
	q.err = err
	q.m.asked.Add(1)
	if err != nil {
		q.m.refused.Add(1)
	}
	q.done()
}
