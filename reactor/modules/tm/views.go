package tm

import (
	"sync"

	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
)

// views are the routes that are shown what transactions send of our own (local_request_route, local_reply_route). They run
// behind everything that may change the message, in a Context by which nothing can be sent.
type views struct {
	requestName, replyName script.Literal
	request, reply         *script.Routine // nil: none

	contexts sync.Pool // of *proxy.Context
}

// check looks up the routes.
func (v *views) check(l *script.Loading) {
	if v.requestName.Text != "" {
		v.request = l.Route(script.RequestRoute, v.requestName)
	}
	if v.replyName.Text != "" {
		v.reply = l.Route(script.RequestRoute, v.replyName)
	}
}

// follow has a transaction shown: ours tells whether its request is.
func (v *views) follow(p *proxy.Proxy, x *transaction.Exchange, ours bool) {
	if v.request == nil && ours || v.reply == nil && !ours {
		return
	}
	x.Listen(func(h *transaction.Happening) {
		switch {
		case h.What == transaction.RequestOut && ours:
			v.show(p, v.request, h.Text)
		case h.What == transaction.OwnWritten && !ours:
			v.show(p, v.reply, h.Text)
		}
	})
}

// show runs a route for a message.
func (v *views) show(p *proxy.Proxy, r *script.Routine, text []byte) {
	c, ok := v.contexts.Get().(*proxy.Context)
	if !ok {
		c = p.NewContext(nil)
	}
	if c.BeginShown(text) == nil {
		r.Run(c, script.Run{Kind: script.RequestRoute})
	}
	c.End()
	v.contexts.Put(c)
}
