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

// registrations is what a registrar does, in memory: users register with digest over TLS, are called, and stay.
func registrations() []Measure {
	group := func(name, unit, main, about string) report.Measure {
		return report.Measure{Name: name, Group: "registrar", Unit: unit, Main: main, About: about}
	}
	skip := first(variant, noTransactions)
	all := []Measure{{
		Measure: group("register-closed", "REGISTER", report.CPU, "REGISTER, 401 and REGISTER with MD5 credentials by 10,000 users in turn on 10 TLS connections, closed loop"),
		Reach:   true, Quick: true, Pilot: "register-closed", counted: true, skip: skip,
		run: func(ctx context.Context, t *trial) error { return t.register(ctx, 0) },
	}, {
		Measure: group("register-r1000", "REGISTER", report.CPU, "the same, 1,000 a second"),
		Pilot:   "register-closed", counted: true, skip: skip,
		run: func(ctx context.Context, t *trial) error { return t.register(ctx, 1000) },
	}, {
		Measure: group("lookup-calls", "call", report.CPU, "calls of six messages to a registered user by lookup() and transactions, TLS on both legs, closed loop"),
		Reach:   true, Pilot: "lookup-calls", counted: true, skip: skip,
		run: func(ctx context.Context, t *trial) error { return t.lookup(ctx) },
	}}
	for _, n := range []int{100_000, 1_000_000} {
		all = append(all, Measure{
			Measure: group(fmt.Sprintf("contacts-%d", n), "contact", report.Contact, "memory that "+plural(n, "contact")+" of as many users take"),
			Reach:   n == 1_000_000, Once: true, Pilot: "register-closed", skip: skip, extra: always(time.Duration(n) * 150 * time.Microsecond),
			run: func(ctx context.Context, t *trial) error { return t.contacts(ctx, n) },
		})
	}
	return all
}

// registrar starts the system as one.
func (t *trial) registrar(ctx context.Context) error {
	s, err := t.setup("ecdsa")
	if err != nil {
		return err
	}
	s.Registrar, s.Stateful = true, true
	return t.start(ctx, s)
}

// users is a load of REGISTERs.
func (t *trial) users(n int) load.Registrations {
	return load.Registrations{Peer: t.peer(tls.VersionTLS13), Domain: system.Domain, Password: system.Password, Users: n, Connections: 1, Window: 1}
}

func (t *trial) register(ctx context.Context, rate float64) error {
	if err := t.registrar(ctx); err != nil {
		return err
	}
	return t.watch(ctx, 2, func(ctx context.Context, d time.Duration, tally *load.Tally) (load.Result, error) {
		r := t.users(10_000)
		r.Connections, r.Rate, r.Duration, r.Tally = 10, rate, d, tally
		return r.Run(ctx)
	})
}

// lookup calls u0, which is registered at the callee's address.
func (t *trial) lookup(ctx context.Context) error {
	if err := t.behind(true); err != nil {
		return err
	}
	if err := t.registrar(ctx); err != nil {
		return err
	}
	one := t.users(1)
	one.Contact, one.Count, one.Duration = t.callee.URI(), 1, time.Minute
	if r, err := one.Run(ctx); err != nil || !r.Clean() {
		return errors.Join(err, fmt.Errorf("the callee cannot register: %v", r.Reasons))
	}
	return t.watch(ctx, 6, func(ctx context.Context, d time.Duration, tally *load.Tally) (load.Result, error) {
		return load.Calls{
			Peer: t.peer(tls.VersionTLS13), URI: "sip:u0@" + t.inst.Addr, Connections: 10, Window: 1, Duration: d, Tally: tally,
		}.Run(ctx)
	})
}

// contacts registers so many users and reads the memory that they cost.
func (t *trial) contacts(ctx context.Context, n int) error {
	if err := t.registrar(ctx); err != nil {
		return err
	}
	all := t.users(n)
	all.Connections, all.Window, all.Duration = 4, 16, time.Hour
	warm := all // what the first requests leave behind is no contact's
	warm.Users, warm.Count = 1, 2000
	if r, err := warm.Run(ctx); err != nil || !r.Clean() {
		return errors.Join(err, fmt.Errorf("registering fails: %v", r.Reasons))
	}
	if err := pause(ctx, settle); err != nil {
		return err
	}
	before, err := t.inst.Group().Pss()
	if err != nil {
		return err
	}
	began := time.Now()
	all.Count = n
	r, err := all.Run(ctx)
	t.count(r)
	if err != nil {
		return err
	}
	t.out.Values = map[string]float64{report.Start: float64(n) / time.Since(began).Seconds()}
	if r.Done < int64(n) {
		return errors.Join(fmt.Errorf("%d of %d registered", r.Done, n), t.inst.Fault())
	}
	if err := pause(ctx, settle); err != nil {
		return err
	}
	with, err := t.inst.Group().Pss()
	t.out.Values[report.Contact] = float64(with-before) / float64(n)
	return err
}
