package anchor

import (
	"context"
	"errors"
	"log/slog"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/modules/internal/relay"
)

var errBusy = errors.New("too many messages wait")

// Bounds of what ends media in the background: how many wait, and how many are told at once.
const (
	maxJobs = 16384
	enders  = 4
)

// job is media that is to be ended.
type job struct {
	engine string
	media  relay.Media
	flags  string
}

// changed ends the media of calls that have ended: dialog.Module.Watch.
func (f *Follower) changed(c core.Change) {
	if c.New != core.Ended {
		return
	}
	if s := f.ofDialog(c.Dialog); s != nil {
		f.endAll(c.Dialog, s)
	}
}

// endAll ends the media of a call.
func (f *Follower) endAll(d *core.Dialog, s *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := f.Engines[s.Engine]
	if e == nil {
		return
	}
	if len(s.Branches) == 0 || e.KeepsBranches() {
		f.push(s.job(d, max(s.Won, 0)))
		return
	}
	for _, b := range s.Branches {
		if b.used || b.Number == s.Won {
			f.push(s.job(d, b.Number))
		}
	}
}

// release ends the media of a branch that has failed, or with others that of all others; where the engine tells branches
// apart by itself, that ends with the call.
func (f *Follower) release(k *course, number int, others bool) {
	s := k.session
	s.mu.Lock()
	defer s.mu.Unlock()
	e := f.Engines[s.Engine]
	if e == nil || e.KeepsBranches() {
		return
	}
	for i := range s.Branches {
		if b := &s.Branches[i]; b.used && (b.Number == number) != others {
			f.push(s.job(k.place.Dialog, b.Number))
			b.used = false
		}
	}
}

// job ends the media of a branch. The session is locked.
func (s *Session) job(d *core.Dialog, number int) job {
	return job{s.Engine, s.media(d, number, Caller), join(s.Context["delete"], s.flag(number, Caller, "delete"), s.flag(number, Callee, "delete"))}
}

// push has a job done. One too many is left to the relay, which ends media that nobody sends.
func (f *Follower) push(j job) {
	select {
	case f.jobs <- j:
	default:
		if f.dropped.Add(1) == 1 {
			f.env.Log.Warn(f.Name + ": relays do not keep up: the ends of calls are left to their timeouts")
		}
	}
}

// end does jobs until the configuration's end.
func (f *Follower) end(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case j := <-f.jobs:
			e := f.Engines[j.engine]
			if e == nil {
				continue
			}
			if err := e.Delete(&j.media, j.flags); err != nil {
				f.env.Log.Warn(f.Name+": media was not ended", slog.String("call", j.media.CallID), slog.Any("error", err))
			}
		}
	}
}
