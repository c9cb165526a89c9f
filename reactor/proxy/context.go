package proxy

import (
	"sipreactor/reactor"
	"sipreactor/reactor/attached"
	"sipreactor/reactor/blacklist"
	"sipreactor/reactor/names"
	"sipreactor/sipframe"
)

// Context is one message on its way through the proxy, and what the Router may
// do with it. It belongs to the goroutine that called the Router, and with all
// that it hands out it is valid until the Router returns; then it is used for
// the next message.
//
// Changes to the message (headers, Request-URI, ...) do not show in Msg, which
// stays as it came. They show in what Forward sends. A Forward that failed
// leaves them in place, so the next destination gets them too.
type Context struct {
	// Msg is the message as it came.
	Msg *sipframe.Message
	// Src tells by which connection it came.
	Src *reactor.Source
	// W is the worker that handles it; nil when a test drives the Context.
	W *reactor.Worker
	// User belongs to the Router: it stays from message to message, so that a
	// Router finds its scratch here again. No two goroutines see the same.
	User any
	// Transaction and Scratch belong to who keeps transactions (Transactions); the
	// former is of the message at hand, the latter stays as User does.
	Transaction, Scratch any

	// The same for every message.
	proxy *Proxy
	out   Sender
	count *countShard
	busy  bool // between Receive, or Return, and its end

	// The message and what it came to so far; reset for each.
	msg       sipframe.Message
	ours      *listeners // as they stand for this message
	token     tokenState // of a request
	answer    token      // of a response: what our branch said
	hops      hopState
	breadth   int32  // Max-Breadth to write; 0: as it came
	knownID   []byte // see SetCallID
	routes    routeState
	answered  bool  // a final response of ours has been made
	forwarded bool  // the message has been taken for sending
	failure   error // of the last Forward or Send
	overload  bool  // a bound of ours is why: a 503 says when to come again
	refused   bool  // the request is not in order and goes nowhere
	mute      bool  // nor is there anything to build a response from
	witness   Witness

	// What the Router asked for; reset for each message.
	main               Branch         // the branch of the Request-URI
	forks              []Branch       // those that were appended
	edits              []edit         // changes of headers and body
	replaced           bool           // some by Replace: they want a second look
	bodyEdited         bool           // some in the body
	renamed            bool           // some in From, To, Call-ID or CSeq
	body               bodyState      // what SetBody put in its place
	rr                 recordRoute    // Record-Route
	hide               hiding         // Via, Record-Route and Contact
	ownPath            ownPath        // Path
	extra              []byte         // headers for responses
	responseBody       []byte         // and their body
	toTag              []byte         // To tag of responses; empty: ours
	advertised         ownName        // how we name ourselves
	domain             string         // TLS client domain, "" = any
	sipDomain          string         // what TLS is to reach, "" = the next hop's name
	blacklists         blacklist.Mask // that it uses
	noNewFlags         uint64         // branch flags that say: open no connection
	noNewResponseFlags uint64         // message flags that say so of a response
	forceRPort         bool           // note rport
	localRPort         bool           // ask the next hop for the same
	attached           attached.List  // what others keep with it
	drop               bool           // do not forward this response
	flags              uint64
	verified           int32 // index of the header with the credentials that were verified, plus one

	// Scratch that keeps its memory.
	rewrite   sipframe.Rewriter
	target    reactor.Target
	verdict   sipframe.Verdict
	arena     []byte       // texts of edits
	parts     sipframe.URI // of uri
	uriBack   []byte       // the next uri is written here
	routeList []route      // of the message
	written   text         // the response that is written
	back      text         // a message that came back
	respoken  []byte       // the same as it leaves by another listener
	courses   map[courseKey]*course
	check     text             // what was written, to look at it again
	proof     text             // and its repaired form
	other     sipframe.Message // over proof
	scratch   []byte           // input of hashes and keys
	literal   [1]names.Target
	direct    names.Answer // over literal
	filtered  []byte       // the message, for the patterns of blacklists
	query     names.Query
	place     *spot                     // among those of the Call-ID that wait for a name; nil: none
	grown     map[twinKey]*names.Answer // for large requests
	names     nameTable
	sources   sources        // by which of our addresses peers are reached
	spoken    []*listener    // listeners as advertised says
	voices    []*listener    // listeners on all addresses, as peers have reached them
	nowhere   reactor.Source // the source of a message that came back
	echo      echo           // what a witness is told
	carrier   reactor.Source // and of which connection
	told      Answer         // what the observer is told
	culprit   culprit        // what failed last, for the observer; reset for each message
	client    sipframe.Via   // the client's, which a response goes by
}

// reset makes the Context ready for a message.
func (c *Context) reset(src *reactor.Source) {
	c.Msg, c.Src, c.Transaction = &c.msg, src, nil
	c.Detach()
	c.ours = c.proxy.listeners(c.W)
	c.edits, c.arena = c.edits[:0], c.arena[:0]
	c.main.reset()
	c.ownPath.reset()
	c.forks, c.extra, c.responseBody, c.toTag = c.forks[:0], c.extra[:0], c.responseBody[:0], c.toTag[:0]
	c.knownID = c.knownID[:0]
	c.routes, c.rr.on, c.hops, c.breadth = routeState{}, false, hopState{}, 0
	c.rr.params, c.rr.preset, c.rr.inner = c.rr.params[:0], c.rr.preset[:0], c.rr.inner[:0]
	c.hide.reset()
	c.token.known, c.token.branched = false, false
	c.blacklists = c.proxy.Blacklists().Defaults()
	c.domain, c.sipDomain, c.drop = "", "", false
	c.replaced, c.bodyEdited, c.renamed, c.forceRPort, c.localRPort = false, false, false, false, false
	c.body.reset()
	c.advertised.host, c.advertised.port = c.advertised.host[:0], 0
	c.flags, c.verified = 0, 0
	c.answered, c.forwarded, c.failure, c.witness, c.overload = false, false, nil, nil, false
	c.refused, c.mute = false, false
	c.culprit = culprit{}
}

// Wait runs f, which may block, while others take over the caller's work. It
// reports whether it did: false where one more may not wait. Without a Sender it
// just runs f.
func (c *Context) Wait(f func()) bool {
	if c.out == nil {
		f()
		return true
	}
	return c.out.Wait(f)
}

// Await waits until what begin has set going calls resume, as reactor.Worker.Await does.
func (c *Context) Await(begin func(loop int, resume func())) bool {
	if a, ok := c.out.(awaiter); ok {
		return a.Await(begin)
	}
	over := make(chan struct{})
	return c.Wait(func() {
		begin(-1, func() { close(over) })
		<-over
	})
}

// Proxy gives the proxy that the message passes.
func (c *Context) Proxy() *Proxy { return c.proxy }

// Failure gives the error of the last Forward or Send, or that of GiveUp; nil if that went well.
func (c *Context) Failure() error { return c.failure }

// GiveUp tells that the Router has broken off: a request that nothing answers and nothing sends on
// is answered 500, as over a panic.
func (c *Context) GiveUp() { c.failure = errGivenUp }

// Entrusted tells that a transaction sees to the answer, whatever the Router has left undone.
func (c *Context) Entrusted() { c.failure = nil }

// Drop has a provisional response not forwarded. It does nothing to other
// messages: a final response that is dropped would leave the caller waiting.
func (c *Context) Drop() { c.drop = true }

// SetFlag, ResetFlag and IsFlagSet handle the message flags 0 to 63.
func (c *Context) SetFlag(n uint) { c.flags |= 1 << (n & 63) }

// ResetFlag clears message flag n.
func (c *Context) ResetFlag(n uint) { c.flags &^= 1 << (n & 63) }

// IsFlagSet tells whether message flag n is set.
func (c *Context) IsFlagSet(n uint) bool { return c.flags&(1<<(n&63)) != 0 }

// Flags gives the message flags: bit n is flag n.
func (c *Context) Flags() uint64 { return c.flags }

// SetFlags sets all message flags at once.
func (c *Context) SetFlags(flags uint64) { c.flags = flags }

// SetNoNewFlags tells which branch flags forbid to open a connection for the branch that
// has one of them: it goes over one that is there, or fails. Which message flags do so for a
// response: our own to this request, and this response on its way back; one whose connection
// is gone is then lost, and counted. It holds for later messages, too.
func (c *Context) SetNoNewFlags(branch, message uint64) {
	c.noNewFlags, c.noNewResponseFlags = branch, message
}

// mayNotOpen tells whether the branch may open no connection.
func (c *Context) mayNotOpen() bool { return c.main.flags&c.noNewFlags != 0 }

// responseMayNotOpen tells the same of a response.
func (c *Context) responseMayNotOpen() bool { return c.flags&c.noNewResponseFlags != 0 }

// SetTLSDomain names the TLS client domain for a connection that is opened for
// this message; "" lets the next hop's name and address choose.
func (c *Context) SetTLSDomain(name string) { c.domain = name }

// SetSIPDomain names the SIP domain that a connection opened for this message
// is to reach, instead of the host of the next hop's URI: it is what client
// domains match, the SNI if it is a name, and what the certificate must name
// (RFC 5922). It does not change where the message goes. "" is the host again.
func (c *Context) SetSIPDomain(name string) { c.sipDomain = name }

// SetSendSocket picks the listener from whose address the message is sent and
// which its Via names; nil lets the next hop choose. A listener of another
// transport or address family than the next hop's is passed over.
func (c *Context) SetSendSocket(s *reactor.Socket) { c.main.socket, c.main.forced = s, false }

// ForceSocket is SetSendSocket for a script's own choice, which holds for other ways that the request is sent later, too
// (ResetDestination).
func (c *Context) ForceSocket(s *reactor.Socket) { c.main.socket, c.main.forced = s, s != nil }

// SendSocket gives what SetSendSocket, or a pair of Record-Routes of ours, chose.
func (c *Context) SendSocket() *reactor.Socket { return c.main.socket }

// Sockets goes through the listeners.
func (c *Context) Sockets(yield func(*reactor.Socket) bool) {
	if c.ours == nil {
		return
	}
	for i := range c.ours.list {
		if !yield(c.ours.list[i].socket) {
			return
		}
	}
}

// HasToTag tells whether To has a tag: whether the request belongs to a dialog.
func (c *Context) HasToTag() bool {
	to, err := c.Msg.To()
	return err == nil && to.Tag.Len > 0
}

// HasBody tells whether the message has a body.
func (c *Context) HasBody() bool { return len(c.Msg.Body()) > 0 }

// IsMyself tells whether host (a name or an address; IPv6 with or without
// brackets) is one of the listeners' or of Config.MyDomains. Port 0 matches any.
func (c *Context) IsMyself(host []byte, port int) bool {
	return port >= 0 && port <= 65535 && c.ours.mine(host, uint16(port), 0)
}

// SetVerified tells in which header, by its index, the credentials stand that were
// verified: who asks for the user of a request is told that of those, and not of others
// that its sender has put beside them.
func (c *Context) SetVerified(header int) { c.verified = int32(header) + 1 }

// Verified returns the index of the header whose credentials were verified; -1: none were.
func (c *Context) Verified() int { return int(c.verified) - 1 }
