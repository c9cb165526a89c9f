package script

import (
	"maps"
	"slices"
	"time"
)

// listener is an Events that takes subscriptions.
type listener interface {
	Subscribe(event, socket string, ttl time.Duration) error
}

// EventNames lists the events that there are: those that are declared, and those that
// somebody has subscribed to. Any goroutine.
func (b *Background) EventNames() []string {
	names := slices.Clone(b.watch.Load().prog.eventNames)
	if p := b.subscribed.all.Load(); p != nil {
		names = append(names, slices.Collect(maps.Keys(*p))...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Subscriber is who gets an event.
type Subscriber struct {
	Socket string
	Until  int64 // Unix seconds; 0 is for good
}

// Subscribers lists who gets an event at a time. Any goroutine.
func (b *Background) Subscribers(event string, now time.Time) (list []Subscriber) {
	for _, s := range b.subscribed.of(event) {
		if !s.over(now) {
			list = append(list, Subscriber{s.socket, s.until.Load()})
		}
	}
	return list
}

// CheckEventName returns why an event cannot have a name; nil if it can.
func CheckEventName(name string) error {
	if !eventName(name) {
		return errEventName
	}
	return nil
}
