package proxy

import (
	"sync"

	"sipreactor/reactor/blacklist"
)

// Changes is what a Router has made of a request, without the request: it can be put upon the same bytes again, for
// another copy of it. The zero value is that of a request as it came; used again it allocates nothing. There is one for
// each open transaction, so what few requests need stands apart.
type Changes struct {
	main               Branch
	edits              []edit
	arena              []byte
	routes             routeState
	hops               hopState
	breadth            int32
	flags              uint64
	verified           int32
	noNewFlags         uint64
	noNewResponseFlags uint64
	blacklists         blacklist.Mask
	rare               *rareChanges // nil: nothing of it
	recorded           bool         // a Record-Route of ours is asked for
	replaced           bool
	bodyEdited         bool
	renamed            bool
	forceRPort         bool
	localRPort         bool
}

// RequestURI returns the Request-URI that the changes make; nil: the one that came. It is borrowed.
func (c *Changes) RequestURI() []byte { return c.main.uri }

// rareChanges are those that few requests have.
type rareChanges struct {
	extra        []byte
	responseBody []byte
	rr           recordRoute
	hide         hiding
	ownPath      ownPath
	body         bodyState
	advertised   ownName
	domain       string
	sipDomain    string
}

var rareChangesPool = sync.Pool{New: func() any { return new(rareChanges) }}

// rareOf reports whether the Router has made one of the rare changes to the request at hand.
func (c *Context) rareOf() bool {
	return len(c.extra) > 0 || len(c.responseBody) > 0 || len(c.rr.params) > 0 || len(c.rr.preset) > 0 || len(c.rr.inner) > 0 ||
		c.hide.on || c.hide.contact || len(c.hide.trail) > 0 || c.hide.from != nil || c.ownPath.on ||
		c.body.set || c.body.typed || c.advertised.asked() || c.domain != "" || c.sipDomain != ""
}

// Forget makes the changes none and gives back what of their memory few requests need.
func (to *Changes) Forget() {
	if to.rare != nil {
		rareChangesPool.Put(to.rare)
		to.rare = nil
	}
	to.edits, to.arena, to.recorded = to.edits[:0], to.arena[:0], false
	to.main.reset()
}

// Save copies the Router's changes of the request at hand, without the branches that were appended.
func (c *Context) Save(to *Changes) {
	to.main.copyFrom(&c.main)
	to.edits, to.arena = append(to.edits[:0], c.edits...), append(to.arena[:0], c.arena...)
	to.routes, to.hops, to.breadth = c.routes, c.hops, c.breadth
	to.blacklists = c.blacklists
	to.flags, to.noNewFlags, to.noNewResponseFlags = c.flags, c.noNewFlags, c.noNewResponseFlags
	to.verified = c.verified
	to.recorded, to.replaced, to.bodyEdited, to.renamed = c.rr.on, c.replaced, c.bodyEdited, c.renamed
	to.forceRPort, to.localRPort = c.forceRPort, c.localRPort
	switch rare := c.rareOf(); {
	case rare && to.rare == nil:
		to.rare = rareChangesPool.Get().(*rareChanges)
	case !rare && to.rare != nil:
		rareChangesPool.Put(to.rare)
		to.rare = nil
	}
	if r := to.rare; r != nil {
		r.extra, r.responseBody = append(r.extra[:0], c.extra...), append(r.responseBody[:0], c.responseBody...)
		r.rr.copyFrom(&c.rr)
		r.hide.copyFrom(&c.hide)
		r.ownPath.copyFrom(&c.ownPath)
		r.body.copyFrom(&c.body)
		r.advertised.copyFrom(&c.advertised)
		r.domain, r.sipDomain = c.domain, c.sipDomain
	}
}

// noRare is the rare changes of a request that has none.
var noRare rareChanges

// Restore puts changes upon the request at hand, in the place of its own. The appended branches stay.
func (c *Context) Restore(from *Changes) {
	c.main.copyFrom(&from.main)
	c.edits, c.arena = append(c.edits[:0], from.edits...), append(c.arena[:0], from.arena...)
	c.routes, c.hops, c.breadth = from.routes, from.hops, from.breadth
	c.blacklists = from.blacklists
	c.flags, c.noNewFlags, c.noNewResponseFlags = from.flags, from.noNewFlags, from.noNewResponseFlags
	c.verified = from.verified
	c.replaced, c.bodyEdited, c.renamed = from.replaced, from.bodyEdited, from.renamed
	c.forceRPort, c.localRPort = from.forceRPort, from.localRPort
	r := from.rare
	if r == nil {
		if r = &noRare; !c.rareOf() {
			c.rr.on = from.recorded
			return
		}
	}
	c.extra, c.responseBody = append(c.extra[:0], r.extra...), append(c.responseBody[:0], r.responseBody...)
	c.rr.copyFrom(&r.rr)
	c.rr.on = from.recorded
	c.hide.copyFrom(&r.hide)
	c.ownPath.copyFrom(&r.ownPath)
	c.body.copyFrom(&r.body)
	c.advertised.copyFrom(&r.advertised)
	c.domain, c.sipDomain = r.domain, r.sipDomain
}

// ResetDestination takes back where the Router wanted the request to go: there is no destination URI and no branch flag, and
// the Request-URI, the next hop and the socket to send from are those that its Routes tell, or that it came with. A socket
// that was forced stays.
func (c *Context) ResetDestination() {
	socket, forced := c.main.socket, c.main.forced
	c.main.reset()
	c.routes.again = true
	if c.routes.target.Len > 0 {
		c.main.uri = append(c.main.uri, c.Msg.Bytes(c.routes.target)...)
	}
	c.main.socket = c.routes.socket
	if forced {
		c.main.socket, c.main.forced = socket, true
	}
}

func (r *recordRoute) copyFrom(o *recordRoute) {
	r.on = o.on
	r.params, r.preset, r.inner = append(r.params[:0], o.params...), append(r.preset[:0], o.preset...), append(r.inner[:0], o.inner...)
}

func (b *bodyState) copyFrom(o *bodyState) {
	b.set, b.typed, b.typ = o.set, o.typed, append(b.typ[:0], o.typ...)
}

func (a *ownName) copyFrom(o *ownName) { a.host, a.port = append(a.host[:0], o.host...), o.port }
