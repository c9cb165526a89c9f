package proxy

import (
	"errors"
	"slices"

	"sipreactor/reactor"
	"sipreactor/sipframe"
)

// MaxBranches bounds the branches of a request, that of its Request-URI included.
const MaxBranches = 12

// ErrBranches: the request has as many branches as it may have.
var ErrBranches = errors.New("proxy: too many branches")

// NoQ is the preference of a branch that has none.
const NoQ = -1

// Branch is a destination of a request that forks (RFC 3261 16.6): what its copy
// of the request is written with. The first one of a request, 0, is that of the
// Request-URI. It belongs to its Context and is valid as long.
type Branch struct {
	uri, dst, path []byte
	q              int32
	bound          bool // nothing but flow will do
	forced         bool // the script has chosen the socket, for whatever way the request goes
	socket         *reactor.Socket
	flow           reactor.Handle // 0: none
	flags          uint64
	attrs          []Attr // as many as have a value; what lies behind keeps its memory
}

// Attr is a value of a branch by a name of the Router's. Which field counts is for
// the Router to say.
type Attr struct {
	Name   string
	Text   []byte
	Number int64
	IsText bool
}

// maxAttrs bounds the attributes of a branch.
const maxAttrs = 32

// reset makes the branch that of a request that has just come.
func (b *Branch) reset() {
	b.uri, b.dst, b.path = b.uri[:0], b.dst[:0], b.path[:0]
	b.q, b.socket, b.flags, b.attrs = NoQ, nil, 0, b.attrs[:0]
	b.flow, b.bound, b.forced = 0, false, false
}

// URI gives the Request-URI of the branch. It is empty for branch 0 as long as that
// is the one that came.
func (b *Branch) URI() []byte { return b.uri }

// SetURI replaces the Request-URI. ErrURI as for Context.SetRequestURI.
func (b *Branch) SetURI(uri []byte) error {
	if !validURI(uri) {
		return ErrURI
	}
	b.uri = append(b.uri[:0], uri...)
	return nil
}

// DestURI gives the URI of the next hop, nil if there is none.
func (b *Branch) DestURI() []byte {
	if len(b.dst) == 0 {
		return nil
	}
	return b.dst
}

// SetDestURI sets the URI of the next hop; the empty one takes it back.
func (b *Branch) SetDestURI(uri []byte) error {
	if len(uri) > 0 && !validURI(uri) {
		return ErrURI
	}
	b.dst = append(b.dst[:0], uri...)
	return nil
}

// Path gives the values that go on top of the Route of the branch's request (RFC
// 3327 5.3), nil if there are none.
func (b *Branch) Path() []byte {
	if len(b.path) == 0 {
		return nil
	}
	return b.path
}

// SetPath sets the values of Path, joined by commas; the empty one takes them back.
// ErrHeader if they could not stand on one line.
func (b *Branch) SetPath(path []byte) error {
	if !validValue(path) {
		return ErrHeader
	}
	b.path = append(b.path[:0], path...)
	return nil
}

// Q gives the preference among the branches in thousandths, 0 to 1000, or NoQ.
func (b *Branch) Q() int { return int(b.q) }

// SetQ sets the preference; what is not 0 to 1000 is NoQ.
func (b *Branch) SetQ(q int) {
	if q < 0 || q > 1000 {
		q = NoQ
	}
	b.q = int32(q)
}

// Socket gives the listener to send from, nil if none was chosen.
func (b *Branch) Socket() *reactor.Socket { return b.socket }

// SetSocket picks the listener to send from; see Context.SetSendSocket.
func (b *Branch) SetSocket(s *reactor.Socket) { b.socket = s }

// Flow gives the connection to send by, 0 if none was chosen.
func (b *Branch) Flow() reactor.Handle { return b.flow }

// SetFlow has the branch sent by that connection, as a registration names one (RFC
// 5626): whose it is was settled when it was registered. When it is gone, the next
// hop is reached as usual, or with only the branch fails. 0 takes it back.
func (b *Branch) SetFlow(conn reactor.Handle, only bool) { b.flow, b.bound = conn, only && conn != 0 }

// Flags gives the branch flags: bit n is flag n.
func (b *Branch) Flags() uint64 { return b.flags }

// SetFlags sets all branch flags at once.
func (b *Branch) SetFlags(flags uint64) { b.flags = flags }

// Attr gives the attribute of a name, nil if it has no value.
func (b *Branch) Attr(name string) *Attr {
	for i := range b.attrs {
		if b.attrs[i].Name == name {
			return &b.attrs[i]
		}
	}
	return nil
}

// Attrs gives the attributes in the order in which they were set first.
func (b *Branch) Attrs() []Attr { return b.attrs }

// SetAttr gives an attribute a value. The text is copied. It reports false when the
// branch has as many as it may have.
func (b *Branch) SetAttr(a Attr) bool {
	to := b.Attr(a.Name)
	if to == nil {
		if len(b.attrs) == maxAttrs {
			return false
		}
		b.attrs = slices.Grow(b.attrs, 1)[:len(b.attrs)+1]
		to = &b.attrs[len(b.attrs)-1]
	}
	a.Text = append(to.Text[:0], a.Text...)
	*to = a
	return true
}

// ClearAttrs takes all attributes away.
func (b *Branch) ClearAttrs() { b.attrs = b.attrs[:0] }

// RemoveAttr takes an attribute away.
func (b *Branch) RemoveAttr(name string) {
	for i := range b.attrs {
		if b.attrs[i].Name == name {
			last := len(b.attrs) - 1
			gone := b.attrs[i]
			copy(b.attrs[i:], b.attrs[i+1:])
			b.attrs[last] = gone // its memory stays
			b.attrs = b.attrs[:last]
			return
		}
	}
}

// Copy makes the branch equal to another one, of which it keeps nothing. The zero value of a Branch will do.
func (b *Branch) Copy(o *Branch) { b.copyFrom(o) }

// copyFrom makes the branch equal to another, of which it keeps nothing.
func (b *Branch) copyFrom(o *Branch) {
	b.uri, b.dst, b.path = append(b.uri[:0], o.uri...), append(b.dst[:0], o.dst...), append(b.path[:0], o.path...)
	b.q, b.socket, b.flags, b.attrs = o.q, o.socket, o.flags, b.attrs[:0]
	b.flow, b.bound, b.forced = o.flow, o.bound, o.forced
	for i := range o.attrs {
		b.SetAttr(o.attrs[i])
	}
}

// Branches tells how many branches the request has: 1, and those that were
// appended.
func (c *Context) Branches() int { return 1 + len(c.forks) }

// Branch gives branch i, from 0; nil if there is none.
func (c *Context) Branch(i int) *Branch {
	switch {
	case i == 0:
		return &c.main
	case i < 0 || i > len(c.forks):
		return nil
	default:
		return &c.forks[i-1]
	}
}

// AppendBranch adds a branch behind the others and gives it. The empty URI is the
// Request-URI as it stands. With inherit it has the destination URI, q, path,
// socket, flags and attributes of branch 0, without it none. ErrBranches if there are
// MaxBranches, ErrURI as for SetRequestURI, ErrNotRequest for a response.
func (c *Context) AppendBranch(uri []byte, inherit bool) (*Branch, error) {
	if len(uri) == 0 {
		uri = c.RequestURI()
	}
	switch {
	case !c.Msg.IsRequest():
		return nil, ErrNotRequest
	case len(c.forks) == MaxBranches-1:
		return nil, ErrBranches
	case !validURI(uri):
		return nil, ErrURI
	case c.forks == nil:
		c.forks = make([]Branch, 0, MaxBranches-1) // so that a *Branch stays valid
	}
	c.forks = c.forks[:len(c.forks)+1]
	b := &c.forks[len(c.forks)-1]
	if b.reset(); inherit {
		b.copyFrom(&c.main)
	}
	b.uri = append(b.uri[:0], uri...)
	return b, nil
}

// RemoveBranch takes an appended branch away, 1 to Branches()-1; those behind it
// move up. It reports whether there was one.
func (c *Context) RemoveBranch(i int) bool {
	if i < 1 || i > len(c.forks) {
		return false
	}
	last := len(c.forks) - 1
	gone := c.forks[i-1]
	copy(c.forks[i-1:], c.forks[i:])
	c.forks[last] = gone // its memory stays
	c.forks = c.forks[:last]
	return true
}

// ClearBranches takes all appended branches away.
func (c *Context) ClearBranches() { c.forks = c.forks[:0] }

// MoveBranch makes branch to equal to branch from, which then goes, unless it is 0
// or keep says otherwise. It reports false if one of them is not there.
func (c *Context) MoveBranch(from, to int, keep bool) bool {
	src, dst := c.Branch(from), c.Branch(to)
	switch {
	case src == nil || dst == nil:
		return false
	case from == to:
		return true
	}
	dst.copyFrom(src)
	if from == 0 && len(dst.uri) == 0 {
		dst.uri = append(dst.uri, c.RequestURI()...)
	}
	if !keep {
		c.RemoveBranch(from)
	}
	return true
}

// SwapBranches exchanges two branches, without copying. It reports false if one of
// them is not there. What was branch 0 keeps an empty URI, if that was not set.
func (c *Context) SwapBranches(i, j int) bool {
	a, b := c.Branch(i), c.Branch(j)
	if a == nil || b == nil {
		return false
	}
	*a, *b = *b, *a
	return true
}

// BranchURI gives the Request-URI of branch i as it stands, that which came where
// no other was set; nil if there is no such branch.
func (c *Context) BranchURI(i int) []byte {
	b := c.Branch(i)
	switch {
	case b == nil:
		return nil
	case len(b.uri) == 0:
		return c.Msg.RequestURI()
	default:
		return b.uri
	}
}

var routeName = []byte("Route: ")

// insertPath writes the branch's Path on top of the Routes.
func (c *Context) insertPath() {
	if len(c.main.path) == 0 {
		return
	}
	off := c.Msg.HeadersEnd()
	if i := c.Msg.Find(sipframe.HeaderRoute); i >= 0 {
		off = c.Msg.Header(i).Line.Off
	}
	c.insert(off, routeName, c.main.path, crlf)
}
