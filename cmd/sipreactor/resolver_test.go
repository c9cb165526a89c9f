package main

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
)

// answers is a resolver that knows one answer.
type answers struct {
	list []string
	err  error
}

func (a answers) Lookup(ctx context.Context, _ proxy.Query) ([]netip.AddrPort, error) {
	if a.list == nil && a.err == nil {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	var all []netip.AddrPort
	for _, s := range a.list {
		all = append(all, netip.MustParseAddrPort(s))
	}
	return all, a.err
}

func TestResolver(t *testing.T) {
	const v4, other, v6 = "192.0.2.1:5061", "192.0.2.2:5061", "[2001:db8::1]:5061"
	for name, c := range map[string]struct {
		dns  script.DNSConfig
		in   []string
		want []string
	}{
		"IPv4 first":         {script.DNSConfig{TryIPv6: true}, []string{v6, v4, other}, []string{v4, other}},
		"IPv6 if allowed":    {script.DNSConfig{TryIPv6: true}, []string{v6}, []string{v6}},
		"no IPv6 by default": {script.DNSConfig{}, []string{v6}, nil},
		"no failover":        {script.DNSConfig{NoSRV: true}, []string{v6, v4, other}, []string{v4}},
	} {
		got, err := resolver{answers{list: c.in}, c.dns}.Lookup(t.Context(), proxy.Query{Host: "x"})
		if (err != nil) != (c.want == nil) || err != nil && !errors.Is(err, proxy.ErrUnresolved) {
			t.Errorf("%s: %v", name, err)
		}
		var text []string
		for _, a := range got {
			text = append(text, a.String())
		}
		if !slices.Equal(text, c.want) {
			t.Errorf("%s: %v, want %v", name, text, c.want)
		}
	}
}

func TestResolverFails(t *testing.T) {
	wrong := errors.New("wrong")
	if _, err := (resolver{answers{err: wrong}, script.DNSConfig{}}).Lookup(t.Context(), proxy.Query{}); !errors.Is(err, wrong) {
		t.Errorf("%v", err)
	}
	r := resolver{answers{}, script.DNSConfig{Timeout: time.Millisecond}}
	if _, err := r.Lookup(t.Context(), proxy.Query{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without an answer: %v", err)
	}
}
