package transaction

import "sipreactor/reactor/proxy"

// Replicate sends a copy of the request in c to a URI, and to those of its appended branches. Nobody hears of the
// responses. The error is that of the last one that could not be sent, if none could.
func (l *Layer) Replicate(c *proxy.Context, uri []byte) error {
	o := l.context(c)
	defer l.putContext(o)
	defer o.End()
	if err := o.Begin(c.Received(), c.Src); err != nil {
		return err
	}
	var now proxy.Changes
	c.Save(&now)
	defer now.Forget()
	var last error
	sent := false
	for i := range c.Branches() {
		to := uri
		if i > 0 {
			to = c.BranchURI(i)
		}
		o.Restore(&now)
		o.ResetDestination()
		if last = o.SetRequestURI(to); last != nil {
			continue
		}
		if last = l.copyOut(o); last == nil {
			sent = true
		}
	}
	if sent {
		return nil
	}
	return last
}

// copyOut sends the request in c by a transaction that has no client.
func (l *Layer) copyOut(c *proxy.Context) error {
	if int(l.table.live.Load()) >= l.Config().Max {
		return ErrBusy
	}
	x := l.make(c.W)
	if x == nil {
		return ErrBusy
	}
	x.origin = &origin{}
	x.method, x.request = c.Msg.Method(), hoard(c.Received())
	return x.depart(c, &Options{})
}
