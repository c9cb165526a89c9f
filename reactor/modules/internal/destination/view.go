package destination

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sipreactor/reactor/mi"
	"sipreactor/reactor/rpc"
)

// View fills in what an operator is shown of a destination.
func View(d mi.Destination, h *Health, now time.Time) mi.Destination {
	d.State, d.Since, d.Why = h.State().String(), h.Since(), h.Why()
	if h.State() == Active {
		if why := h.Down(); why != "" {
			d.State, d.Why = "Unreachable", why
		} else if until := h.Resting(now); !until.IsZero() {
			d.State, d.Why = "Resting", "until "+until.Format(time.TimeOnly)+", for how it answered"
		}
	}
	f := h.tally.Figures()
	d.Calls, d.Running, d.Answers, d.Failed, d.Silent, d.Latency = f.Calls, f.Running, f.Answers, f.Failed, f.Silent, f.Latency
	return d
}

// Try sends a ping for an operator and tells what became of it.
func Try(ctx context.Context, send Pinger, p *Probe) (string, error) {
	if send == nil {
		return "", errors.New("pings are sent by the module tm, which is not loaded")
	}
	code, err := send(ctx, &p.Ping)
	if errors.Is(err, errUnsent) || ctx.Err() != nil {
		return "", fmt.Errorf("no answer: %w", errors.Join(err, ctx.Err()))
	}
	p.Heard(code, err)
	if err != nil {
		return err.Error(), nil
	}
	return fmt.Sprint(code), nil
}

// ErrUnknown is that a destination is not there any more.
var ErrUnknown = &rpc.Error{Code: rpc.CodeNotFound, Message: "Destination not found"}
