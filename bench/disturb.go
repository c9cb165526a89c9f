package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"sipreactor/cmd/sipreactor/load"
)

// blackHoles is how many destinations never answer.
const blackHoles = 20

// runDisturb does what others must not suffer from, until the duration is over.
func runDisturb(ctx context.Context, args []string, out io.Writer) (bool, error) {
	f := newFlags("disturb", out)
	kind := f.String("kind", "silent", "silent: connections without a handshake; slow: requests whose answers are not read; "+
		"blackhole: requests for destinations that do not answer a connect")
	if err := f.parse(args); err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, f.duration)
	defer cancel()
	began := time.Now()
	switch *kind {
	case "silent":
		fmt.Fprintf(out, "%d connections opened\n", load.Silent(ctx, f.to, f.connections))
	case "slow":
		fmt.Fprintf(out, "%d connections opened\n", load.SlowReaders(ctx, f.peer(), f.uri(), f.connections))
	case "blackhole":
		var holes []string
		for range blackHoles {
			h, err := load.NewBlackHole()
			if err != nil {
				return false, err
			}
			defer h.Close()
			holes = append(holes, h.Addr())
		}
		sent, answers, err := load.Lost(ctx, f.peer(), holes, max(f.rate, 1))
		if err != nil && ctx.Err() == nil {
			return false, err
		}
		fmt.Fprintf(out, "%d requests sent, answered %v\n", sent, answers)
	default:
		return false, fmt.Errorf("%w: no kind %q", errUsage, *kind)
	}
	fmt.Fprintf(out, "%.1f s\n", time.Since(began).Seconds())
	return true, nil
}
