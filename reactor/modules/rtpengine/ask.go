package rtpengine

import (
	"context"
	"errors"
	"strings"
	"time"

	"sipreactor/reactor/modules/internal/relay"
	"sipreactor/reactor/modules/rtpengine/ng"
)

// node is one rtpengine in one set.
type node = relay.Node[*ng.Client]

var errNoNode = errors.New("no rtpengine is there")

// refusal is an error that rtpengine answered.
type refusal string

func (r refusal) Error() string { return "rtpengine: " + string(r) }

// failoverErrors are the answers after which another node may do.
var failoverErrors = []string{
	"Parallel session limit reached", "Ran out of ports", "CPU usage limit exceeded", "Load limit exceeded", "Bandwidth limit exceeded",
}

func (m *module) failsOver(reason string) bool {
	for _, s := range failoverErrors {
		if strings.Contains(reason, s) {
			return true
		}
	}
	for _, re := range m.failover {
		if re.MatchString(reason) {
			return true
		}
	}
	return false
}

// maxAsk is the longest time that a request takes with all nodes that are tried.
const maxAsk = 30 * time.Second

// ask sends a request to the node of its call, and an offer to others when that fails. It
// blocks.
func (m *module) ask(q *question) (ng.Dict, *node, error) {
	ctx, cancel := context.WithTimeout(context.Background(), maxAsk)
	defer cancel()
	var tried []*node
	failed := errNoNode
	offer := q.command == "offer"
	for {
		n := m.fleet.Choose(q.set, q.callID, q.url, tried)
		if n == nil {
			return nil, nil, failed
		}
		answer, err := n.Client.Do(ctx, q.dict)
		if err == nil {
			m.fleet.Heard(n)
			if answer.Text("result") == "ok" {
				m.remember(q, n)
				return answer, n, nil
			}
			reason := answer.Text("error-reason")
			if reason == "" {
				reason = answer.Text("result")
			}
			if reason == "load limit" {
				reason = answer.Text("message") + " (Load limit exceeded)"
			}
			failed = refusal(reason)
			if !m.failsOver(reason) {
				return nil, n, failed
			}
		} else {
			failed = err
			if !ours(err) {
				m.fleet.Unheard(n, err)
			}
		}
		if !offer || q.url != "" || ctx.Err() != nil {
			return nil, n, failed
		}
		tried = append(tried, n)
	}
}

// remember keeps where a call went, until its end.
func (m *module) remember(q *question, n *node) {
	switch {
	case q.command == "delete":
		m.fleet.Ended(q.set, q.callID)
	case q.command == "offer" && q.url == "":
		m.fleet.Began(q.set, q.callID, n)
	}
}

// ours reports whether an error is no fault of the node's.
func ours(err error) bool {
	return errors.Is(err, ng.ErrBusy) || errors.Is(err, ng.ErrLarge) || errors.Is(err, ng.ErrClosed)
}
