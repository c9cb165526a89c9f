package proxy

import "sipreactor/reactor/blacklist"

// Changes is what a Router has made of a request, without the request: it can be put upon the same bytes again, for
// another copy of it. The zero value is that of a request as it came; used again it allocates nothing.
type Changes struct {
	main            Branch
	edits           []edit
	arena           []byte
	extra           []byte
	rr              recordRoute
	hide            hiding
	ownPath         ownPath
	body            bodyState
	advertised      ownName
	routes          routeState
	hops            hopState
	breadth         int
	domain          string
	sipDomain       string
	flags           uint64
	noNewFlags      uint64
	noNewReplyFlags uint64
	blacklists      blacklist.Mask
	replaced        bool
	bodyEdited      bool
	renamed         bool
	noNew           bool
	noNewReply      bool
	forceRPort      bool
	localRPort      bool
}

// Save copies the Router's changes of the request at hand, without the branches that were appended.
func (c *Context) Save(to *Changes) {
	to.main.copyFrom(&c.main)
	to.edits, to.arena, to.extra = append(to.edits[:0], c.edits...), append(to.arena[:0], c.arena...), append(to.extra[:0], c.extra...)
	to.rr.copyFrom(&c.rr)
	to.hide.copyFrom(&c.hide)
	to.ownPath.copyFrom(&c.ownPath)
	to.body.copyFrom(&c.body)
	to.advertised.copyFrom(&c.advertised)
	to.routes, to.hops, to.breadth = c.routes, c.hops, c.breadth
	to.domain, to.sipDomain = c.domain, c.sipDomain
	to.blacklists = c.blacklists
	to.flags, to.noNewFlags, to.noNewReplyFlags = c.flags, c.noNewFlags, c.noNewReplyFlags
	to.replaced, to.bodyEdited, to.renamed = c.replaced, c.bodyEdited, c.renamed
	to.noNew, to.noNewReply, to.forceRPort, to.localRPort = c.noNew, c.noNewReply, c.forceRPort, c.localRPort
}

// Restore puts changes upon the request at hand, in the place of its own. The appended branches stay.
func (c *Context) Restore(from *Changes) {
	c.main.copyFrom(&from.main)
	c.edits, c.arena, c.extra = append(c.edits[:0], from.edits...), append(c.arena[:0], from.arena...), append(c.extra[:0], from.extra...)
	c.rr.copyFrom(&from.rr)
	c.hide.copyFrom(&from.hide)
	c.ownPath.copyFrom(&from.ownPath)
	c.body.copyFrom(&from.body)
	c.advertised.copyFrom(&from.advertised)
	c.routes, c.hops, c.breadth = from.routes, from.hops, from.breadth
	c.domain, c.sipDomain = from.domain, from.sipDomain
	c.blacklists = from.blacklists
	c.flags, c.noNewFlags, c.noNewReplyFlags = from.flags, from.noNewFlags, from.noNewReplyFlags
	c.replaced, c.bodyEdited, c.renamed = from.replaced, from.bodyEdited, from.renamed
	c.noNew, c.noNewReply, c.forceRPort, c.localRPort = from.noNew, from.noNewReply, from.forceRPort, from.localRPort
}

// ResetDestination takes back where the Router wanted the request to go: there is no destination URI and no branch flag, and
// the Request-URI, the next hop and the socket to send from are those that its Routes tell, or that it came with.
func (c *Context) ResetDestination() {
	c.main.reset()
	c.routes.again = true
	if c.routes.target.Len > 0 {
		c.main.uri = append(c.main.uri, c.Msg.Bytes(c.routes.target)...)
	}
	c.main.socket = c.routes.socket
}

func (r *recordRoute) copyFrom(o *recordRoute) {
	r.on = o.on
	r.params, r.preset, r.inner = append(r.params[:0], o.params...), append(r.preset[:0], o.preset...), append(r.inner[:0], o.inner...)
}

func (b *bodyState) copyFrom(o *bodyState) {
	b.set, b.typed, b.typ = o.set, o.typed, append(b.typ[:0], o.typ...)
}

func (a *ownName) copyFrom(o *ownName) { a.host, a.port = append(a.host[:0], o.host...), o.port }
