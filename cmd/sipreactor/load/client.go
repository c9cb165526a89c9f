package load

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// fleet is the user agent client of a load: agents with a connection each, and the units under way on them.
type fleet struct {
	peer    Peer
	run     string // tells this run's messages from another's
	timeout time.Duration
	tally   *Tally
	agents  []*agent

	// open writes the first message of a new unit, receive handles a response to one.
	open    func(*agent, *unit)
	receive func(*agent, *unit, *Message)

	again   func(*agent) // closed loop: called when a unit has ended
	running sync.WaitGroup
	readers sync.WaitGroup
	stop    chan struct{}
}

// agent is one connection of a fleet.
type agent struct {
	*Conn
	fleet     *fleet
	index     int
	local     string // host:port
	transport string // "TLS" or "TCP"

	mu    sync.Mutex
	next  uint64
	units map[uint64]*unit
	late  map[uint64]struct{} // lost ones, whose answer may still come
	down  bool
}

// unit is one request or call. After open it belongs to the reader of its agent's connection, but for what is
// constant: seq, due and deadline.
type unit struct {
	seq      uint64
	due      time.Time
	deadline time.Time

	ringing, answered bool
	to                string       // To value of the dialog, or user that registers
	target            string       // remote target
	routes            []string     // route set, first hop first
	hungUp            atomic.Int64 // when BYE was queued, in ns since due: a timer's goroutine may do that
}

func newFleet(ctx context.Context, peer Peer, connections int, timeout time.Duration, tally *Tally) (*fleet, error) {
	var id [4]byte
	if _, err := rand.Read(id[:]); err != nil {
		return nil, err
	}
	if timeout <= 0 {
		timeout = 4 * time.Second
	}
	f := &fleet{
		peer: peer, run: hex.EncodeToString(id[:]), timeout: timeout, tally: tally,
		again: func(*agent) {}, stop: make(chan struct{}),
	}
	conns, err := dialAll(ctx, peer, max(connections, 1))
	if err != nil {
		return nil, err
	}
	for i, c := range conns {
		f.agents = append(f.agents, &agent{
			Conn: NewConn(c), fleet: f, index: i,
			local: c.LocalAddr().String(), transport: peer.Transport(),
			units: map[uint64]*unit{}, late: map[uint64]struct{}{},
		})
	}
	return f, nil
}

// serve starts the readers and the clock that finds lost units.
func (f *fleet) serve() {
	for _, a := range f.agents {
		f.readers.Add(1)
		go func() {
			defer f.readers.Done()
			err := a.Serve(a.message)
			if err == nil {
				err = fmt.Errorf("closed by the peer")
			}
			a.fail(err)
		}()
	}
	f.readers.Add(1)
	go func() {
		defer f.readers.Done()
		tick := time.NewTicker(min(250*time.Millisecond, f.timeout/4))
		defer tick.Stop()
		for {
			select {
			case now := <-tick.C:
				for _, a := range f.agents {
					a.sweep(now)
				}
			case <-f.stop:
				return
			}
		}
	}()
}

// close waits for the units under way, which the timeout bounds, and ends every connection.
func (f *fleet) close() {
	f.running.Wait()
	close(f.stop)
	for _, a := range f.agents {
		a.Close()
	}
	f.readers.Wait()
}

// start begins a unit on a; false when its connection is down.
func (f *fleet) start(a *agent, due time.Time) bool {
	u := &unit{due: due, deadline: time.Now().Add(f.timeout)}
	a.mu.Lock()
	if a.down {
		a.mu.Unlock()
		return false
	}
	u.seq = a.next
	a.next++
	a.units[u.seq] = u
	f.running.Add(1)
	a.mu.Unlock()
	f.tally.Started.Add(1)
	f.open(a, u)
	a.Flush()
	return true
}

// startAny begins a unit on the agent of the n-th turn, or on the next one whose connection is up.
func (f *fleet) startAny(n int, due time.Time) {
	for i := range f.agents {
		if f.start(f.agents[(n+i)%len(f.agents)], due) {
			return
		}
	}
	f.tally.Started.Add(1)
	f.tally.Fail("every connection is down")
}

// closedLoop keeps window units under way on each agent for the duration, or until count (0: any) were begun.
func (f *fleet) closedLoop(ctx context.Context, window int, duration time.Duration, count int) {
	ctx, cancel := context.WithTimeout(ctx, duration)
	defer cancel()
	var mu sync.Mutex
	begun := 0
	begin := func(a *agent) {
		mu.Lock()
		more := ctx.Err() == nil && (count == 0 || begun < count)
		if more {
			begun++
		}
		full := count > 0 && begun >= count
		mu.Unlock()
		if more {
			f.start(a, time.Now())
		}
		if full {
			cancel()
		}
	}
	f.again = begin
	f.serve()
	for range max(window, 1) {
		for _, a := range f.agents {
			begin(a)
		}
	}
	<-ctx.Done()
}

// openLoop begins units at a rate on the agents by turns.
func (f *fleet) openLoop(ctx context.Context, rate float64, duration time.Duration) error {
	f.serve()
	turn := 0
	return Pace(ctx, rate, duration, func(due time.Time) {
		f.startAny(turn, due)
		turn++
	})
}

// end takes a unit out; the caller counts it when end says true, which it does once a unit.
func (a *agent) end(u *unit) bool {
	a.mu.Lock()
	_, mine := a.units[u.seq]
	delete(a.units, u.seq)
	a.mu.Unlock()
	return mine
}

func (a *agent) done(u *unit) {
	if a.end(u) {
		a.fleet.tally.Done.Add(1)
		a.over()
	}
}

func (a *agent) failed(u *unit, reason string) {
	if a.end(u) {
		a.fleet.tally.Fail(reason)
		a.over()
	}
}

func (a *agent) over() {
	a.fleet.again(a)
	a.fleet.running.Done()
}

func (a *agent) message(m *Message) {
	if m.Request {
		a.fleet.tally.note("request to the client: " + string(m.Method))
		return
	}
	seq, ok := a.sequence(m.CallID)
	if !ok {
		a.fleet.tally.Duplicated.Add(1)
		a.fleet.tally.note("response to nothing that was sent")
		return
	}
	a.mu.Lock()
	u := a.units[seq]
	_, late := a.late[seq]
	delete(a.late, seq)
	a.mu.Unlock()
	switch {
	case u == nil && late:
		a.fleet.tally.note("answer after the timeout")
	case u == nil:
		a.fleet.tally.Duplicated.Add(1)
	case len(m.Vias) != 1:
		a.failed(u, fmt.Sprintf("response with %d Via values", len(m.Vias)))
	case !strings.HasPrefix(string(param(m.Vias[0], "branch")), "z9hG4bK"+a.id(seq)):
		a.failed(u, "response with another branch")
	default:
		a.fleet.receive(a, u, m)
	}
}

func (a *agent) sweep(now time.Time) {
	a.mu.Lock()
	var lost []*unit
	for seq, u := range a.units {
		if now.After(u.deadline) {
			lost = append(lost, u)
			a.late[seq] = struct{}{}
		}
	}
	a.mu.Unlock()
	for _, u := range lost {
		if a.end(u) {
			a.fleet.tally.Lost.Add(1)
			a.over()
		}
	}
}

func (a *agent) fail(err error) {
	a.mu.Lock()
	a.down = true
	units := make([]*unit, 0, len(a.units))
	for _, u := range a.units {
		units = append(units, u)
	}
	a.mu.Unlock()
	for _, u := range units {
		a.failed(u, "connection: "+err.Error())
	}
}

// id names a unit in branches, tags and Call-IDs.
func (a *agent) id(seq uint64) string {
	return a.fleet.run + "." + strconv.Itoa(a.index) + "." + strconv.FormatUint(seq, 10) + "."
}

func (a *agent) sequence(callID []byte) (uint64, bool) {
	parts := strings.SplitN(string(callID), ".", 4)
	if len(parts) != 4 || parts[0] != a.fleet.run || parts[1] != strconv.Itoa(a.index) {
		return 0, false
	}
	seq, err := strconv.ParseUint(parts[2], 10, 64)
	return seq, err == nil
}

// request appends a request's start line and the headers that all have. The caller appends further ones and ends
// the message with body.
func (a *agent) request(out []byte, u *unit, method, uri, to, branch string, cseq int) []byte {
	id := a.id(u.seq)
	out = append(out, method...)
	out = append(append(append(out, ' '), uri...), " SIP/2.0\r\nVia: SIP/2.0/"...)
	out = append(append(append(out, a.transport...), ' '), a.local...)
	out = append(append(append(out, ";branch=z9hG4bK"...), id...), branch...)
	out = append(append(out, ";rport\r\nMax-Forwards: 70\r\nFrom: \"load\" <sip:load@"...), a.local...)
	out = append(append(append(out, ">;tag="...), id...), "\r\nTo: "...)
	out = append(append(append(out, to...), "\r\nCall-ID: "...), id...)
	out = append(append(out, "@load\r\nCSeq: "...), strconv.Itoa(cseq)...)
	out = append(append(append(out, ' '), method...), "\r\nContact: <sip:load@"...)
	out = append(append(out, a.local...), ";transport="...)
	return append(append(out, strings.ToLower(a.transport)...), ">\r\nUser-Agent: load\r\n"...)
}

// body ends a message.
func body(out []byte, contentType string, b []byte) []byte {
	if len(b) > 0 {
		out = append(append(append(out, "Content-Type: "...), contentType...), "\r\n"...)
	}
	out = append(append(out, "Content-Length: "...), strconv.Itoa(len(b))...)
	return append(append(out, "\r\n\r\n"...), b...)
}
