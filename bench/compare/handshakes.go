package compare

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"

	"sipreactor/bench/report"
	"sipreactor/cmd/sipreactor/load"
)

// atOnce is how many handshakes of a closed loop are under way.
const atOnce = 4

// handshakes is new connections with one request each.
func handshakes() []Measure {
	var all []Measure
	for _, key := range []string{"ecdsa", "rsa"} {
		for _, resumed := range []bool{false, true} {
			for _, version := range []uint16{tls.VersionTLS13, tls.VersionTLS12} {
				for _, rate := range []float64{0, 100} {
					all = append(all, handshake(key, resumed, version, rate))
				}
			}
		}
	}
	return all
}

func handshake(key string, resumed bool, version uint16, rate float64) Measure {
	kind, digits := "full", "13"
	if resumed {
		kind = "resumed"
	}
	if version == tls.VersionTLS12 {
		digits = "12"
	}
	name, how := fmt.Sprintf("%s-%s-tls%s", kind, key, digits), fmt.Sprintf("closed loop, %d at once", atOnce)
	pilot := fmt.Sprintf("%s-%s-tls13", kind, key) // TLS 1.2 is much like it
	if rate > 0 {
		pilot = "full-ecdsa-tls13-r100" // wake-ups are what counts there
		name, how = name+"-r100", "100 a second"
	}
	keys := map[string]string{"ecdsa": "ECDSA P-256", "rsa": "RSA-2048"}
	return Measure{
		Measure: report.Measure{
			Name: name, Group: "handshakes", Unit: "handshake", Main: report.CPU,
			About: fmt.Sprintf("%s handshake and one request, %s, %s, %s", kind, keys[key], tls.VersionName(version), how),
		},
		Pilot: pilot,
		Reach: rate == 0 && (key == "ecdsa" || !resumed),
		Quick: rate == 0 && version == tls.VersionTLS13 && (key == "ecdsa" || !resumed),
		run: func(ctx context.Context, t *trial) error {
			workers := atOnce
			if rate > 0 {
				workers = 64
			}
			return t.handshakes(ctx, key, load.Handshakes{Resumed: resumed, Workers: workers, Rate: rate}, version)
		},
	}
}

// handshakes offers them. A system that does not survive several at once is measured with one at a time, and that is
// noted with its last words: a figure to compare with is better than none.
func (t *trial) handshakes(ctx context.Context, key string, h load.Handshakes, version uint16) error {
	s, err := t.setup(key)
	if err != nil {
		return err
	}
	if err := t.start(ctx, s); err != nil {
		return err
	}
	offer := func(ctx context.Context, d time.Duration, tally *load.Tally) (load.Result, error) {
		h.Peer, h.URI, h.Duration, h.Tally = t.peer(version), t.inst.URI(), d, tally
		return h.Run(ctx)
	}
	err = t.watch(ctx, 0, offer)
	fault := t.inst.Fault()
	if fault == nil || h.Rate > 0 || h.Workers == 1 {
		return err
	}
	again := &trial{cfg: t.cfg, home: t.home, system: t.system, workers: t.workers}
	h.Workers = 1
	err = again.handshakes(ctx, key, h, version)
	again.end()
	if err != nil || again.out.Fault != "" {
		return fmt.Errorf("with %d at once: %w; with one at a time: %v %s", atOnce, fault, err, again.out.Fault)
	}
	note := fmt.Sprintf("with %d at once it %v; this is with one at a time", atOnce, fault)
	t.inst.Stop()
	t.inst, t.out = nil, again.out
	t.out.Note = note
	return nil
}
