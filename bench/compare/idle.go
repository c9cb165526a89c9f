package compare

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"sipreactor/bench/report"
	"sipreactor/bench/system"
	"sipreactor/cmd/sipreactor/load"
)

// settle is how long idle connections stand before memory is read, afterwards how long after they have left.
const (
	settle     = 5 * time.Second
	afterwards = time.Minute
)

// idles is connections that say nothing.
func idles() []Measure {
	var all []Measure
	for _, n := range []int{1000, 5000, 10000, 15000} {
		gone := n == 10000
		extra := func(c *Config, s system.System) time.Duration {
			d := settle + time.Second + time.Duration(n)*1200*time.Microsecond - c.Window - c.warm()
			if gone && s.Name == "sipreactor" {
				d += afterwards
			}
			return d
		}
		all = append(all, Measure{
			Measure: report.Measure{
				Name: fmt.Sprintf("idle-%d", n), Group: "idle", Unit: "connection", Main: report.Pss,
				About: fmt.Sprintf("%s idle after one request each, TLS 1.3, ECDSA", plural(n, "connection")),
			},
			Reach: gone, Quick: n == 1000, Once: true, Pilot: "full-ecdsa-tls13", extra: extra,
			run: func(ctx context.Context, t *trial) error { return t.idle(ctx, n, gone) },
		})
	}
	return all
}

// idle opens connections and reads the memory that they cost. A relay gets no request, and connects to nobody: what
// it holds for the other leg would count double.
func (t *trial) idle(ctx context.Context, n int, gone bool) error {
	s, err := t.setup("ecdsa")
	if err != nil {
		return err
	}
	s.WaitForData = t.system.Role == system.Relay
	if err := t.start(ctx, s); err != nil {
		return err
	}
	group := t.inst.Group()
	if err := pause(ctx, time.Second); err != nil { // the first request's traces are gone
		return err
	}
	before, err := group.Pss()
	if err != nil {
		return err
	}
	uri, abreast := t.inst.URI(), 8
	if s.WaitForData {
		uri = ""
	}
	if t.system.Role == system.SIPPeer {
		abreast = 1 // some do not survive more
	}
	began := time.Now()
	idle, err := load.OpenIdle(ctx, t.peer(tls.VersionTLS13), uri, n, abreast)
	if err != nil {
		return err
	}
	defer idle.Close()
	t.out.Values = map[string]float64{report.Start: float64(n) / time.Since(began).Seconds()}
	if err := pause(ctx, settle); err != nil {
		return err
	}
	with, err := group.Pss()
	if err != nil {
		return err
	}
	alive := idle.Alive()
	t.out.Counts = map[string]int64{report.Started: int64(n), report.Done: int64(alive), report.Failed: int64(n - alive)}
	if alive < n {
		return errors.Join(fmt.Errorf("%d of %d connections were closed", n-alive, n), t.inst.Fault())
	}
	t.out.Values[report.Pss] = float64(with-before) / float64(n) / 1000
	idle.Close()
	if !gone || t.system.Name != "sipreactor" {
		return nil
	}
	if err := pause(ctx, afterwards); err != nil {
		return err
	}
	left, err := group.Pss()
	t.out.Values[report.Left] = float64(left) / (1 << 20)
	return err
}
