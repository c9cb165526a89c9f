package destination

import (
	"cmp"
	"context"
	"net/netip"
	"time"

	"sipreactor/reactor"
)

// backoffEvery is how often the engine is asked whom it leaves alone: the first call
// to a destination that has died pays, and no second one.
const backoffEvery = 100 * time.Millisecond

// BackingOff is the engine, as far as it leaves destinations alone.
type BackingOff interface {
	Backoff() []reactor.BackoffInfo
}

// end is an end point of a transport.
type end struct {
	proto reactor.Proto
	at    netip.AddrPort
}

// WatchBackoff keeps destinations up to date about whether the engine can reach them,
// until the context is done. All yields all of them, as they stand.
func WatchBackoff(ctx context.Context, e BackingOff, all func(yield func(*Address, *Health))) {
	tick := time.NewTicker(backoffEvery)
	defer tick.Stop()
	any := false
	for {
		list := e.Backoff()
		if len(list) > 0 || any {
			any = len(list) > 0
			applyBackoff(list, all)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// left is an end point that is left alone. With a name it is so for that name alone:
// who is there could not show that it is who was asked for.
type left struct {
	end
	name string
}

// applyBackoff notes which destinations are left alone: those all of whose addresses
// are.
func applyBackoff(list []reactor.BackoffInfo, all func(yield func(*Address, *Health))) {
	down := make(map[left]string, len(list))
	for i := range list {
		b := &list[i]
		at := netip.AddrPortFrom(b.Addr.Addr().Unmap(), b.Addr.Port())
		down[left{end{b.Proto, at}, b.Name}] = b.Reason.Error()
	}
	all(func(a *Address, h *Health) {
		why := ""
		for _, at := range a.Addrs {
			e := end{a.Proto, at}
			if why = cmp.Or(down[left{e, ""}], down[left{e, a.Host}]); why == "" {
				break
			}
		}
		h.SetDown(why)
	})
}
