package destination

import (
	"context"
	"errors"
	"fmt"

	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
)

// Layered is the Instance of the module tm.
type Layered interface {
	// Layer returns the transactions; nil before the module's start.
	Layer() *transaction.Layer
}

// TransactionsOf gives the module tm, nil if it is not loaded.
func TransactionsOf(l *script.Loading) Layered {
	tm, _ := l.Instance("tm").(Layered)
	return tm
}

// PingerOf gives what sends pings by transactions; nil if the module tm is not loaded.
func PingerOf(l *script.Loading) Pinger {
	tm := TransactionsOf(l)
	if tm == nil {
		return nil
	}
	return func(ctx context.Context, p *Ping) (int, error) { return ping(ctx, tm.Layer(), p) }
}

// ping sends one ping and waits for the end of its transaction.
func ping(ctx context.Context, l *transaction.Layer, p *Ping) (int, error) {
	if l == nil {
		return 0, errUnsent
	}
	r := &transaction.Request{
		Method: p.Method, URI: []byte(p.URI), From: fmt.Appendf(nil, "<%s>", p.From), To: fmt.Appendf(nil, "<%s>", p.URI), Socket: p.Socket,
	}
	if p.MaxForwards >= 0 {
		r.Headers = fmt.Appendf(nil, "Max-Forwards: %d\r\n", p.MaxForwards)
	}
	type end struct {
		code int
		err  error
	}
	done := make(chan end, 1)
	r.Done = func(o *transaction.Outcome) {
		if o.Code < 200 {
			return
		}
		e := end{code: o.Code}
		if o.Local && o.Code != 408 {
			e.err = errors.New(string(o.Reason))
		}
		select {
		case done <- e:
		default: // one more 2xx
		}
	}
	if _, err := l.Originate(nil, r); err != nil {
		return 0, fmt.Errorf("%w: %w", errUnsent, err)
	}
	select {
	case e := <-done:
		return e.code, e.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}
