package destination

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/script"
)

// Ping is a request that asks whether a destination lives.
type Ping struct {
	Method, From, URI string
	// Socket is the listener to send from; nil lets the destination choose.
	Socket *reactor.Socket
	// MaxForwards is the value of that header; below 0 the usual one.
	MaxForwards int
}

// errUnsent is that a ping was not even tried, for a reason of ours: it says nothing
// of the destination.
var errUnsent = errors.New("the ping was not sent")

// Pinger sends a ping and waits for what becomes of it: the code of the final
// response, 408 for none, or an error when it could not be sent: errUnsent if the
// destination is not to blame.
type Pinger func(ctx context.Context, p *Ping) (code int, err error)

// Probe is one destination to ping. Heard is told what became of it, on a
// goroutine of the prober; it is called at most once.
type Probe struct {
	Ping  Ping
	Heard func(code int, err error)
}

// Told says in words what became of a ping, as logs and an operator are told it.
func Told(code int, err error) string {
	switch {
	case err != nil:
		return "a ping could not be sent: " + err.Error()
	case code == 408:
		return "a ping was not answered"
	default:
		return "a ping was answered with " + strconv.Itoa(code)
	}
}

// Prober pings destinations once an interval. The pings are spread over it, so
// that a table of thousands is no burst.
type Prober struct {
	// Interval is how long a round takes; 0: nobody is pinged.
	Interval time.Duration
	// Due gives the destinations to ping in this round.
	Due func() []Probe
	// Send sends; nil: nobody is pinged.
	Send Pinger
	// Env is the module's: it guards each ping, and says when the sockets are open.
	Env *script.Env
}

// pingsAtOnce bounds the pings that wait for their answers.
const pingsAtOnce = 256

// Start pings on a goroutine of the module's, from when the sockets are open until it ends.
func (p *Prober) Start() {
	if p.Interval == 0 || p.Send == nil {
		return
	}
	p.Env.Go(func(ctx context.Context) {
		select {
		case <-ctx.Done():
		case <-p.Env.Running:
			p.Run(ctx)
		}
	})
}

// Run pings until the context is done; the first round begins at once.
func (p *Prober) Run(ctx context.Context) {
	var pings sync.WaitGroup
	defer pings.Wait()
	slots := make(chan struct{}, pingsAtOnce)
	tick := time.NewTicker(p.Interval)
	defer tick.Stop()
	for {
		due := p.Due()
		gap := p.Interval * 3 / 4 / time.Duration(len(due)+1)
		for i := range due {
			select {
			case <-ctx.Done():
				return
			case slots <- struct{}{}:
			}
			pings.Go(func() {
				defer func() { <-slots }()
				p.Env.Guard(func(context.Context) { p.one(ctx, &due[i]) })
			})
			if i+1 < len(due) && !sleep(ctx, gap) {
				return
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// one sends a ping and tells what became of it, unless the end came first.
func (p *Prober) one(ctx context.Context, probe *Probe) {
	code, err := p.Send(ctx, &probe.Ping)
	if ctx.Err() == nil && !errors.Is(err, errUnsent) {
		probe.Heard(code, err)
	}
}

// sleep waits; it reports false when the context is done.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// Codes are the codes of responses that a ping takes for a sign of life, besides 200.
type Codes map[int]bool

// ParseCodes reads codes separated by commas. ok is false if something is none.
func ParseCodes(s string) (codes Codes, ok bool) {
	codes = Codes{}
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		n, err := strconv.Atoi(part)
		if err != nil || n < 200 || n > 699 {
			return nil, false
		}
		codes[n] = true
	}
	return codes, true
}

// SetCodes is the Set of a parameter with such codes.
func SetCodes(to *Codes) func(v script.Literal) error {
	return func(v script.Literal) error {
		codes, ok := ParseCodes(v.Text)
		if !ok {
			return errors.New("is no list of codes from 200 to 699, separated by commas")
		}
		*to = codes
		return nil
	}
}

// Alive reports whether a response with such a code is a sign of life.
func (c Codes) Alive(code int, err error) bool { return err == nil && (code == 200 || c[code]) }
