package transaction

import (
	"math"

	"sipreactor/reactor/proxy"
)

// broad returns how many branches the request in c may still become, here and downstream, at the same time as those that
// are pending (RFC 5393 5.3.3); -1: that is not for us to say. A request within a dialog goes to one place, and has what it
// came with. Where the client said nothing it is proxy.MaxBreadth, and one for each branch that a script may add later.
func (x *Exchange) broad(c *proxy.Context) int {
	if x.origin != nil || c.HasToTag() {
		return -1
	}
	if x.breadth == 0 {
		n, said := c.Breadth()
		if !said {
			n = proxy.MaxBreadth + MaxBranches - 1
		}
		x.breadth = int32(min(n, math.MaxInt32-1)) + 1 // 0 is what a client may say, too
	}
	left := int(x.breadth) - 1
	for _, leg := range x.Legs() {
		if leg.Pending() {
			left -= int(leg.breadth)
		}
	}
	return max(left, 0)
}

// share gives the i-th of n branches its part of a breadth. It reports false if there is not enough for all.
func (x *Exchange) share(c *proxy.Context, broad, i, n int) bool {
	if broad < 0 {
		return true
	}
	part := broad / n
	if i < broad%n {
		part++
	}
	c.SetBreadth(min(part, max(proxy.MaxBreadth/n, 1)))
	return broad >= n
}
