// Package notify is what modules share that send events to subscribers: JSON-RPC, and a queue for each subscriber,
// with a goroutine of its own. What a subscriber does not take is lost, and counted.
package notify

import (
	"bytes"
	"encoding/json"
	"sync/atomic"

	"sipreactor/reactor/rescue"
	"sipreactor/reactor/script"
)

// maxWaiting bounds the events that wait for a subscriber.
const maxWaiting = 1024

// Queue hands messages over in their order. Any goroutine may use it.
type Queue struct {
	messages   chan []byte
	closed     atomic.Bool
	sent, lost *script.Count
}

// NewQueue makes a queue whose messages deliver gets one after the other; end is called behind the last one. what says
// in the log whose it is.
func NewQueue(what string, sent, lost *script.Count, deliver func(b []byte) error, end func()) *Queue {
	q := &Queue{messages: make(chan []byte, maxWaiting), sent: sent, lost: lost}
	go func() {
		rescue.Again(nil, what, func() {
			for b := range q.messages {
				switch {
				case b == nil:
					end()
					return
				case deliver(b) == nil:
					q.sent.Add(1)
				default:
					q.lost.Add(1)
				}
			}
		})
	}()
	return q
}

// Put adds a message, or counts it as lost. It does not block.
func (q *Queue) Put(b []byte) {
	if !q.closed.Load() {
		select {
		case q.messages <- b:
			return
		default:
		}
	}
	q.lost.Add(1)
}

// Lose counts a message as lost that cannot be sent.
func (q *Queue) Lose() { q.lost.Add(1) }

// Close ends the queue behind what waits.
func (q *Queue) Close() {
	if !q.closed.Swap(true) {
		select {
		case q.messages <- nil:
		default:
			go func() { q.messages <- nil }()
		}
	}
}

// Call is a JSON-RPC notification.
type Call struct {
	Method string
	// EventParam is the name by which the parameters name the event, too; "" they do not.
	EventParam, Event string
	Params            []script.Param
}

// JSON writes a call. Its parameters are an object, or an array if they have no names.
func (c *Call) JSON() []byte {
	b := append([]byte(`{"jsonrpc":"2.0","method":`), quote(c.Method)...)
	if len(c.Params) == 0 && c.EventParam == "" {
		return append(b, '}')
	}
	named := len(c.Params) == 0 || c.Params[0].Name() != ""
	open, end := byte('['), byte(']')
	if named {
		open, end = '{', '}'
	}
	b = append(append(b, `,"params":`...), open)
	first := true
	value := func(name string, v []byte) {
		if !first {
			b = append(b, ',')
		}
		first = false
		if named {
			b = append(append(b, quote(name)...), ':')
		}
		b = append(b, v...)
	}
	if c.EventParam != "" {
		value(c.EventParam, quote(c.Event))
	}
	for _, p := range c.Params {
		if _, number := p.Number(); number {
			value(p.Name(), []byte(p.Text()))
		} else {
			value(p.Name(), quote(p.Text()))
		}
	}
	return append(b, end, '}')
}

func quote(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always can be
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'})
}
