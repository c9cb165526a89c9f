package dialing

import (
	"errors"
	"testing"

	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/transport"
	"sipreactor/tlsstate"
)

// domains is another name, for a type that has them and a method of theirs.
type domains = tlsstate.Domains

// snapshot is TLS domains that count the machines which are made of them.
type snapshot struct {
	domains
	clients int
}

func (*snapshot) ClientIdentity(tlsstate.ClientQuery) (tlsstate.ClientIdentity, error) {
	return tlsstate.ClientIdentity{}, nil
}

func (s *snapshot) NewClient(tlsstate.ClientQuery) (tlsstate.Machine, error) {
	s.clients++
	return nil, errors.New("it makes none")
}

// A dial that is parked begins its handshake by the domains that it was begun with, by which others have found that it
// serves them, whatever is loaded in between.
func TestParkedDialKeepsItsDomains(t *testing.T) {
	r := newRig(t)
	old, loaded := new(snapshot), new(snapshot)
	use := func(s *snapshot) {
		d := tlsstate.Domains(s)
		r.Domains.Store(&d)
	}
	use(old)
	if o, err := r.Send(&message.Target{Proto: transport.TLS, Addr: r.listener()}, hi, alone{}); o != message.Queued || err != nil {
		t.Fatalf("%v, %v", o, err)
	}
	use(loaded)
	c := <-r.adopted
	_, _ = c.Own.Dial.Domains.NewClient(tlsstate.ClientQuery{})
	if old.clients != 1 || loaded.clients != 0 {
		t.Errorf("%d machines of the domains it began with, %d of those loaded since", old.clients, loaded.clients)
	}
}
