package peers

import (
	"errors"
	"slices"

	"sipreactor/reactor/internal/endpoint"
)

// Place is a connection's place in an Index: a part of the connection. The zero value
// is that of one that is not in. The Index's lock guards it.
type Place struct {
	linked  bool
	aliases []endpoint.Key
}

// Member is a connection that can be in an Index.
type Member[T any] interface {
	*T
	// Place returns always the same.
	Place() *Place
	// Key returns the connection's own remote end point, which does not change.
	Key() endpoint.Key
}

// MaxAliases is how many end points a connection may stand for besides its own.
const MaxAliases = 3

// Why a connection may not stand for an end point.
var (
	ErrGone    = errors.New("reactor: the connection is gone")
	ErrTaken   = errors.New("reactor: another connection has this address")
	ErrAliases = errors.New("reactor: the connection has aliases enough")
)

// Enter puts a connection in, by its own remote end point. The lock is held.
func (x *Index[T, P]) Enter(c P) {
	c.Place().linked = true
	x.Add(c.Key(), c)
}

// Leave takes a connection out, with its aliases; one that is not in is left alone. It
// takes the lock.
func (x *Index[T, P]) Leave(c P) {
	x.Lock()
	defer x.Unlock()
	p := c.Place()
	for _, a := range p.aliases {
		x.SetAlias(a, nil)
	}
	p.aliases = nil
	if p.linked {
		p.linked = false
		x.Remove(c.Key(), c)
	}
}

// Stand makes a connection the holder of an alias: it then is found by that end point,
// too. yields is asked whether the one that holds it gives it up, under the lock,
// which Stand takes; ours, whether a connection is one that we have dialled. It
// returns the connections that carried messages to that end point so far: ours, and
// the holder before. It fails with ErrGone, ErrTaken or ErrAliases.
func (x *Index[T, P]) Stand(c P, key endpoint.Key, yields, ours func(P) bool) (before []*T, err error) {
	x.Lock()
	defer x.Unlock()
	p, owner := c.Place(), x.Alias(key)
	switch {
	case !p.linked:
		return nil, ErrGone
	case owner == c || key == c.Key():
		return nil, nil
	case owner != nil && !yields(owner):
		return nil, ErrTaken
	case len(p.aliases) >= MaxAliases:
		return nil, ErrAliases
	}
	for _, q := range x.Own(key) {
		if !ours(q) {
			return nil, ErrTaken // somebody calls from that very port
		}
		before = append(before, q)
	}
	if owner != nil {
		had := P(owner).Place()
		had.aliases = slices.DeleteFunc(had.aliases, func(k endpoint.Key) bool { return k == key })
		before = append(before, owner)
	}
	x.SetAlias(key, c)
	p.aliases = append(p.aliases, key)
	return before, nil
}

// Ends returns the end points that a connection stands for, its own first. It takes
// the lock.
func (x *Index[T, P]) Ends(c P) []endpoint.Key {
	return append([]endpoint.Key{c.Key()}, x.Aliases(c)...)
}

// Aliases returns the end points that a connection stands for beside its own; nil,
// and nothing is allocated, for none. It takes the lock.
func (x *Index[T, P]) Aliases(c P) []endpoint.Key {
	x.Lock()
	defer x.Unlock()
	return slices.Clone(c.Place().aliases)
}
