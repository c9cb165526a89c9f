// Package presence is OpenSIPS' module presence: an event server. It takes PUBLISH
// (RFC 3903), holds subscriptions (RFC 6665, RFC 3856) and sends their NOTIFYs. What an
// event's bodies are is for modules such as presence_xml to say, as Events.
//
//	PUBLISH   ──► publication, by presentity, event and entity tag ─┐
//	                                                                ├─► NOTIFY to each watcher
//	SUBSCRIBE ──► subscription, by its dialog ──────────────────────┘
//
// # What is kept
//
// All is in memory, bounded, and handed on at a reload. It ends with the program, which
// the protocol allows: a watcher's next SUBSCRIBE in its dialog gets 481 and it
// subscribes anew, a publisher's next PUBLISH gets 412 and it publishes anew.
//
// # Who owns what
//
// One lock guards the state. It is not held while anything is sent: what a NOTIFY says
// is put together under it, and its CSeq with it, so that the later one is the newer one.
package presence
