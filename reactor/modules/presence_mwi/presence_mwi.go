// Package presence_mwi is OpenSIPS' module presence_mwi: the event message-summary, by which a
// mailbox tells how many messages wait (RFC 3842), for the module presence. A watcher gets the summary that
// was published last.
package presence_mwi

import (
	"bytes"
	"errors"

	"sipreactor/reactor/modules/presence"
	"sipreactor/reactor/script"
)

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	return &script.Module{
		Name: "presence_mwi", Help: "The event message-summary of the module presence.", Needs: []string{"presence"},
		Check: func(l *script.Loading) {
			if p, ok := l.Instance("presence").(*presence.Module); ok {
				p.Add(summary{}, nil)
			}
		},
	}
}

var errSummary = errors.New("the summary does not begin with Messages-Waiting: yes or no")

type summary struct{}

func (summary) Name() string { return "message-summary" }
func (summary) Type() string { return "application/simple-message-summary" }

// Check reads the status line, with which a summary begins (RFC 3842 5.2).
func (summary) Check(body []byte) error {
	line, _, _ := bytes.Cut(body, []byte("\n"))
	name, value, _ := bytes.Cut(bytes.TrimSpace(line), []byte(":"))
	value = bytes.TrimSpace(value)
	if !bytes.EqualFold(bytes.TrimSpace(name), []byte("Messages-Waiting")) || !bytes.EqualFold(value, []byte("yes")) && !bytes.EqualFold(value, []byte("no")) {
		return errSummary
	}
	return nil
}

func (summary) Body(_ string, published [][]byte) []byte { return published[len(published)-1] }
