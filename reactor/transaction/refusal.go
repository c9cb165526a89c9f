package transaction

import "sipreactor/reactor/proxy"

// refuse answers 503 to a request for which there is no transaction.
func (l *Layer) refuse(c *proxy.Context) {
	l.shards[c.W.Shard()%len(l.shards)].stat.add(statRefused)
	l.itself(c, c.RespondBusy)
}

// itself answers a request that gets no transaction.
func (l *Layer) itself(c *proxy.Context, answer func() error) {
	s := l.scratchOf(c)
	if all := l.without.all.Load(); all != nil {
		for _, f := range *all {
			(*f)(c)
		}
	}
	s.answering = true
	_ = answer()
	s.answering = false
}

// ListenWithout has f told, until stop is called, of each request that gets no transaction and that the Layer is about to
// answer: a refusal, or a CANCEL. Who is to be told of the answer attaches itself then; see Answering. Any goroutine.
func (l *Layer) ListenWithout(f func(c *proxy.Context)) (stop func()) { return l.without.add(f) }

// Answering reports whether the answer to the request in c that is being given is the Layer's own, where the request gets no
// transaction: a refusal, or the 200 to a CANCEL. It is for who is told of that as proxy.Decided.
func (l *Layer) Answering(c *proxy.Context) bool { return l.scratchOf(c).answering }
