package compare

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"

	"sipreactor/bench/report"
	"sipreactor/bench/system"
	"sipreactor/cmd/sipreactor/load"
)

// calls is calls through the system, TLS on both legs.
func calls() []Measure {
	var all []Measure
	for _, rate := range []int{0, 200, 500} {
		name, how := atRate("calls", rate)
		pilot := "calls-r200"
		if rate == 0 {
			name, pilot = "calls-closed", "calls-closed"
		}
		all = append(all, Measure{
			Measure: report.Measure{
				Name: name, Group: "calls", Unit: "call", Main: report.CPU,
				About: "calls of six messages on 10 connections, TLS on both legs, " + how,
			},
			Reach: rate < 500, Quick: rate < 500, Pilot: pilot, counted: true,
			run: func(ctx context.Context, t *trial) error { return t.calls(ctx, float64(rate), nil) },
		})
	}
	for _, kind := range kinds {
		for _, rate := range []int{0, 200} {
			name, how := atRate(kind.name+"-tls", rate)
			all = append(all, Measure{
				Measure: report.Measure{
					Name: name, Group: kind.group, Unit: "call", Main: report.CPU, About: kind.about + ", " + how,
				},
				Pilot: name, counted: true, skip: first(variant, noTransactions),
				run: func(ctx context.Context, t *trial) error { return t.calls(ctx, float64(rate), kind.with) },
			})
		}
	}
	return all
}

// atRate names a load of calls, and tells how they begin.
func atRate(name string, rate int) (named, how string) {
	if rate == 0 {
		return name, "closed loop"
	}
	return fmt.Sprintf("%s-r%d", name, rate), fmt.Sprintf("%d a second", rate)
}

// kinds are what a SIP proxy may do with the same calls besides passing them on: each differs from the first one by what
// its name says. Kamailio hides by topoh, which like our hiding alone keeps nothing.
var kinds = []struct {
	name, group, about string
	with               func(context.Context, *trial, *system.Setup) error
}{
	{"stateful", "calls", "the same calls by transactions (t_relay)", keeping(false, false)},
	{"dialog", "dialogs", "calls by transactions, with a dialog", keeping(true, false)},
	{"hidden", "dialogs", "calls with a dialog that hides the sides from each other", keeping(true, true)},
	{"hidden-alone", "dialogs", "calls that hide the sides from each other, without a dialog", keeping(false, true)},
	{"media-stub", "media", "calls by transactions whose SDP passes an rtpengine that answers at once", withStub},
	{"media", "media", "calls by transactions whose SDP passes the real rtpengine", withEngine},
}

func keeping(dialog, hidden bool) func(context.Context, *trial, *system.Setup) error {
	return func(_ context.Context, _ *trial, s *system.Setup) error {
		s.Dialog, s.Hidden = dialog, hidden
		return nil
	}
}

// noTransactions leaves out what is no stateful SIP proxy.
func noTransactions(s system.System) string {
	if s.Role != system.Ours && s.Role != system.SIPPeer {
		return "it has no transactions"
	}
	return ""
}

// calls offers calls; with, if there is one, makes them stateful and what else its kind is.
func (t *trial) calls(ctx context.Context, rate float64, with func(context.Context, *trial, *system.Setup) error) error {
	s, err := t.setup("ecdsa")
	if err != nil {
		return err
	}
	if with != nil {
		s.Stateful = true
		if err := with(ctx, t, &s); err != nil {
			return err
		}
	}
	if err := t.behind(true); err != nil {
		return err
	}
	if err := t.start(ctx, s); err != nil {
		return err
	}
	return t.watch(ctx, 6, func(ctx context.Context, d time.Duration, tally *load.Tally) (load.Result, error) {
		return load.Calls{
			Peer: t.peer(tls.VersionTLS13), URI: t.callee.URI(), Connections: 10, Window: 1, Rate: rate, Duration: d, Tally: tally,
		}.Run(ctx)
	})
}
