package presence

// Event is an event package.
type Event interface {
	// Name is that of the Event header, such as "presence" or "dialog;sla".
	Name() string
	// Type is the Content-Type of what is published and of what watchers get.
	Type() string
	// Check tells what is wrong with a body that somebody publishes.
	Check(body []byte) error
	// Body makes what watchers get of what is published, the oldest first; nil is
	// nothing.
	Body(uri string, published [][]byte) []byte
}

// WatcherEvent is an Event about the watchers of another one, which nobody publishes.
type WatcherEvent interface {
	Event
	// Of is the name of the event whose watchers it tells of.
	Of() string
	// Watchers makes what a watcher gets: version counts what it has got before.
	Watchers(uri string, version int, list []Watcher) []byte
}

// NumberedEvent is an Event whose documents have a number, which each watcher counts by itself.
type NumberedEvent interface {
	Event
	// Number gives a document its number: how many the watcher has got before. A body of nil
	// is that of a resource of which nothing is published.
	Number(uri string, body []byte, n int) []byte
}

// Watcher is who has subscribed to a presentity.
type Watcher struct {
	ID  string
	URI string
}
