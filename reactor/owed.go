package reactor

// owedByDatagrams is how many requests that left as datagrams may still be
// answered: it counts and matches nothing, so that a response that came twice
// counts for another request.
func (e *Engine) owedByDatagrams() int64 {
	now, n := e.seconds(), int64(0)
	for _, s := range e.shards {
		n += s.stat.Asked.Sum(now)
	}
	e.eachLoop(func(l *loop) { n -= l.stat.Answered.Sum(now) })
	return max(n, 0)
}

// owedToDatagrams is how many requests that came as datagrams have no final answer
// yet: one that comes again counts again, so that it may be too many.
func (e *Engine) owedToDatagrams() int64 {
	now, n := e.seconds(), int64(0)
	e.eachLoop(func(l *loop) { n += l.stat.Came.Sum(now) })
	for _, s := range e.shards {
		n -= s.stat.Replied.Sum(now)
	}
	return max(n, 0)
}
