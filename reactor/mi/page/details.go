package page

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"sipreactor/reactor"
)

// maxNames is how many names of a certificate are shown.
const maxNames = 20

// details is the answer of conn_details. What is gone has no state any more.
type details struct {
	ID                              string
	Open                            bool
	Proto, Remote, Local, Direction string
	Listener                        string // "" when it was dialled from none
	State                           *state
	Certificate                     *certificate
	Events                          []event
	EventsKept                      bool // false: when it came there were too many connections
	EndReason, EndBlame, EndDetail  string
}

// state is how an open connection does.
type state struct {
	Phase                                      string
	Queue, Unanswered                          int
	Stuck                                      bool
	Age, Idle                                  float64 // seconds
	MessagesIn, MessagesOut, BytesIn, BytesOut uint64
	TLS, Cipher, Domain                        string
	CipherBits                                 int
	Handshake                                  float64 // milliseconds
	Resumed                                    bool
}

// certificate is what a peer showed.
type certificate struct {
	Subject, Issuer, Serial, Fingerprint string
	Names                                []string
	MoreNames                            int
	Key                                  string
	NotBefore, NotAfter                  time.Time
	Verified                             bool
}

type event struct {
	Event string
	Time  time.Time
	After float64 // seconds since the first
}

// details tells of a connection that is there, or of one of the last that ended.
func (m *maker) details(id string) (any, error) {
	handle, err := parseID(id)
	if err != nil {
		return nil, err
	}
	info, open := m.node.Engine.Conn(handle)
	d := &details{ID: idText(handle), Open: open, Events: []event{}}
	m.rec.lock()
	defer m.rec.mu.Unlock()
	one := m.rec.trails.live[handle]
	switch {
	case open:
		d.describe(&info)
	case one == nil:
		return nil, notFound(id)
	case one.end != nil:
		d.source(&one.end.source)
	}
	if one == nil {
		return d, nil
	}
	d.EventsKept = true
	one.each(func(kind reactor.EventKind, at time.Time) {
		d.Events = append(d.Events, event{kind.String(), at, at.Sub(one.began).Seconds()})
	})
	if e := one.end; e != nil {
		d.EndReason, d.EndBlame, d.EndDetail = e.reason.String(), e.blame.String(), e.detail
	}
	return d, nil
}

func (d *details) source(s *reactor.Source) {
	d.Proto, d.Remote, d.Local, d.Direction = s.Proto.String(), s.Remote.String(), addrText(s.Local), direction(s.Outbound)
	if s.Socket != nil {
		d.Listener = s.Socket.Proto.String() + ":" + s.Socket.Addr.String()
	}
}

func (d *details) describe(i *reactor.ConnInfo) {
	d.source(&i.Source)
	d.State = &state{Phase: i.Phase.String(), Queue: i.Queue, Unanswered: i.Unanswered, Stuck: i.Stuck, Age: i.Age.Seconds(), Idle: i.Idle.Seconds(),
		MessagesIn: i.Carried.MessagesIn, MessagesOut: i.Carried.MessagesOut, BytesIn: i.Carried.BytesIn, BytesOut: i.Carried.BytesOut,
		TLS: i.TLSVersion, Cipher: i.Cipher, CipherBits: i.CipherBits, Domain: i.Domain,
		Handshake: float64(i.Handshake) / float64(time.Millisecond), Resumed: i.Resumed}
	if i.Peer != nil {
		d.Certificate = describeCertificate(i.Peer)
		d.Certificate.Verified = i.Verified
	}
}

func describeCertificate(c *x509.Certificate) *certificate {
	one := &certificate{Subject: brief(c.Subject.String()), Issuer: brief(c.Issuer.String()), Serial: brief(c.SerialNumber.Text(16)),
		Fingerprint: fmt.Sprintf("%X", sha256.Sum256(c.Raw)), Names: []string{}, NotBefore: c.NotBefore, NotAfter: c.NotAfter,
		Key: c.PublicKeyAlgorithm.String() + ", signed " + c.SignatureAlgorithm.String()}
	add := func(name string) {
		if len(one.Names) < maxNames {
			one.Names = append(one.Names, brief(name))
		} else {
			one.MoreNames++
		}
	}
	for _, n := range c.DNSNames {
		add(n)
	}
	for _, a := range c.IPAddresses {
		add(a.String())
	}
	for _, u := range c.URIs {
		add(u.String())
	}
	for _, m := range c.EmailAddresses {
		add(strings.TrimSpace(m))
	}
	return one
}
