package load

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Idle is a set of connections that did one OPTIONS and then say nothing.
type Idle struct {
	mu    sync.Mutex
	conns []net.Conn
	ended atomic.Int64
	wg    sync.WaitGroup
}

// OpenIdle opens connections, so many at once, and sends one OPTIONS to uri on each ("": none).
func OpenIdle(ctx context.Context, peer Peer, uri string, connections, atOnce int) (*Idle, error) {
	idle := &Idle{}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var opening sync.WaitGroup
	for range max(atOnce, 1) {
		opening.Go(func() {
			for {
				i := next.Add(1)
				if i > int64(connections) || ctx.Err() != nil {
					return
				}
				if err := idle.open(ctx, peer, uri, int(i)); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	opening.Wait()
	if err := context.Cause(ctx); err != nil {
		idle.Close()
		return nil, err
	}
	return idle, nil
}

func (i *Idle) open(ctx context.Context, peer Peer, uri string, number int) error {
	c, err := peer.Dial(ctx)
	if err != nil {
		return err
	}
	if uri != "" {
		if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
			return err
		}
		if err := ask(c, uri, number); err != nil {
			c.Close()
			return err
		}
		if err := c.SetDeadline(time.Time{}); err != nil {
			return err
		}
	}
	i.mu.Lock()
	i.conns = append(i.conns, c)
	i.mu.Unlock()
	i.wg.Go(func() {
		var b [1]byte
		for {
			if _, err := c.Read(b[:]); err != nil {
				i.ended.Add(1)
				return
			}
		}
	})
	return nil
}

// Alive is how many connections stand.
func (i *Idle) Alive() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.conns) - int(i.ended.Load())
}

// Close ends them all.
func (i *Idle) Close() {
	i.mu.Lock()
	conns := i.conns
	i.mu.Unlock()
	for _, c := range conns {
		c.Close()
	}
	i.wg.Wait()
}
