package main

import (
	"net"
	"strings"
	"sync/atomic"

	"github.com/miekg/dns"
)

// zone is a name server of its own over UDP, for scenarios whose domains are in no other.
type zone struct {
	addr    string
	server  *dns.Server
	records []dns.RR
	mute    atomic.Bool  // questions get no answer
	ignored atomic.Int64 // that got none
}

// serveZone answers from records in the form of a zone file.
func serveZone(records ...string) (*zone, error) {
	z := new(zone)
	for _, line := range records {
		rr, err := dns.NewRR(line)
		if err != nil {
			return nil, err
		}
		z.records = append(z.records, rr)
	}
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ready := make(chan struct{})
	z.addr = conn.LocalAddr().String()
	z.server = &dns.Server{PacketConn: conn, Handler: z, NotifyStartedFunc: func() { close(ready) }}
	go func() { _ = z.server.ActivateAndServe() }()
	<-ready
	return z, nil
}

// ServeDNS is dns.Handler.
func (z *zone) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	if z.mute.Load() {
		z.ignored.Add(1)
		return
	}
	r := new(dns.Msg)
	r.SetReply(q)
	r.Rcode = dns.RcodeNameError
	for _, rr := range z.records {
		if len(q.Question) != 1 || !strings.EqualFold(rr.Header().Name, q.Question[0].Name) {
			continue
		}
		r.Rcode = dns.RcodeSuccess
		if rr.Header().Rrtype == q.Question[0].Qtype {
			r.Answer = append(r.Answer, rr)
		}
	}
	_ = w.WriteMsg(r)
}

func (z *zone) close() { _ = z.server.Shutdown() }
