package dispatch

import (
	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/reason"
	"sipreactor/sipframe"
)

// Kind is what an Item is.
type Kind uint8

// The kinds.
const (
	Message     Kind = iota
	Malformed        // a stream whose framing is lost; its connection closes afterwards
	Undelivered      // a message that comes back
	Overload         // a message that no worker is to have
	Beat             // asks whether the shard works: Shard.AskBeat
	Task             // what a Handler gave to itself
)

// Item is one thing for the Handler.
type Item struct {
	Kind    Kind
	Data    []byte
	Buf     *sipframe.Buffer // a reference of its own
	Src     *message.Source
	Conn    *connection.Conn // that it came by; nil for datagrams and what is ours
	Defect  *sipframe.Defect
	Lost    *message.Undelivered
	Task    any
	Owed    bool // a response by a connection that owes some
	Rescued bool // the Handler has had it a second time
}

// First: what ends a request that is under way.
func (it Item) First() bool { return it.Owed }

// Low counts the item among those of its connection that wait behind the others.
func (it Item) Low(n int) { it.Conn.Reading.Low(n) }

// LostFraming is the close reason for a defect that lost the framing.
func LostFraming(d *sipframe.Defect) *reason.Error {
	if d.Reason == sipframe.ReasonTooLarge {
		return reason.Because(reason.MessageTooLarge, "")
	}
	return reason.Because(reason.MalformedMessage, d.Reason)
}
