package load

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Registrations is a load of REGISTERs: each user in turn is challenged and comes back with MD5 credentials. Its
// password is Password, whoever it is.
type Registrations struct {
	Peer        Peer
	Domain      string // of the users, and their realm
	Password    string
	Users       int           // how many there are: u0, u1 and so on; at least 1
	Contact     string        // URI that is registered; "" the connection's own address
	Connections int           // persistent ones, at least 1
	Window      int           // closed loop: units under way on each connection
	Rate        float64       // units a second on all connections together; 0: closed loop
	Duration    time.Duration // units begin for this long
	Count       int           // closed loop: end after this many; 0: any
	Timeout     time.Duration // without a final response for this long a unit is lost; 4 s if 0
	Tally       *Tally        // to watch the load under way; may be nil
}

// Run offers the load and waits for its last answer. The error tells that it could not start.
func (r Registrations) Run(ctx context.Context) (Result, error) {
	if r.Tally == nil {
		r.Tally = NewTally()
	}
	f, err := newFleet(ctx, r.Peer, r.Connections, r.Timeout, r.Tally)
	if err != nil {
		return Result{}, err
	}
	var turn atomic.Uint64
	f.open = func(a *agent, u *unit) {
		u.to = "u" + strconv.FormatUint((turn.Add(1)-1)%uint64(max(r.Users, 1)), 10)
		a.Queue(func(out []byte) []byte { return r.request(a, out, u, 1, "") })
	}
	f.receive = func(a *agent, u *unit, m *Message) {
		switch {
		case m.Status < 200:
		case m.Status < 300:
			r.Tally.Latency.Record(time.Since(u.due))
			a.done(u)
		case m.Status == 401 && !u.answered:
			u.answered = true
			a.Queue(func(out []byte) []byte { return r.request(a, out, u, 2, r.credentials(u.to, string(m.Challenge))) })
			a.Flush()
		default:
			a.failed(u, "REGISTER answered "+strconv.Itoa(m.Status))
		}
	}
	r.Tally.Begin()
	if r.Rate > 0 {
		err = f.openLoop(ctx, r.Rate, r.Duration)
	} else {
		f.closedLoop(ctx, r.Window, r.Duration, r.Count)
	}
	r.Tally.Offered()
	f.running.Wait()
	result := r.Tally.Result("REGISTER")
	f.close()
	return result, err
}

// request appends a REGISTER.
func (r Registrations) request(a *agent, out []byte, u *unit, cseq int, credentials string) []byte {
	id, contact := a.id(u.seq), r.Contact
	if contact == "" {
		contact = "sip:" + u.to + "@" + a.local + ";transport=" + a.transport
	}
	return fmt.Appendf(out, "REGISTER sip:%s SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=z9hG4bK%s%d;rport\r\nMax-Forwards: 70\r\n"+
		"From: <sip:%s@%[1]s>;tag=%[4]s\r\nTo: <sip:%[6]s@%[1]s>\r\nCall-ID: %[4]s@load\r\nCSeq: %[5]d REGISTER\r\n"+
		"Contact: <%[7]s>\r\nExpires: 3600\r\nUser-Agent: load\r\n%[8]sContent-Length: 0\r\n\r\n",
		r.Domain, a.transport, a.local, id, cseq, u.to, contact, credentials)
}

// credentials are the header that answers a challenge.
func (r Registrations) credentials(user, challenge string) string {
	_, rest, _ := strings.Cut(challenge, `nonce="`)
	nonce, _, _ := strings.Cut(rest, `"`)
	uri := "sip:" + r.Domain
	hash := func(s string) string {
		sum := md5.Sum([]byte(s))
		return hex.EncodeToString(sum[:])
	}
	response := hash(hash(user+":"+r.Domain+":"+r.Password) + ":" + nonce + ":00000001:load:auth:" + hash("REGISTER:"+uri))
	return fmt.Sprintf("Authorization: Digest username=%q, realm=%q, nonce=%q, uri=%q, qop=auth, nc=00000001, cnonce=\"load\", response=%q\r\n",
		user, r.Domain, nonce, uri, response)
}
