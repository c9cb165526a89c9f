package presence_xml

import (
	"errors"
	"fmt"
	"strings"

	"sipreactor/reactor/modules/presence"
)

var errMade = errors.New("nobody publishes watcher information")

// watchers is the event presence.winfo (RFC 3857).
type watchers struct{}

func (watchers) Name() string                 { return "presence.winfo" }
func (watchers) Of() string                   { return "presence" }
func (watchers) Type() string                 { return "application/watcherinfo+xml" }
func (watchers) Check([]byte) error           { return errMade }
func (watchers) Body(string, [][]byte) []byte { return nil }

// Watchers lists all of them each time.
func (watchers) Watchers(uri string, version int, list []presence.Watcher) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<watcherinfo xmlns=\"urn:ietf:params:xml:ns:watcherinfo\" version=\"%d\" state=\"full\">"+
		"<watcher-list resource=\"%s\" package=\"presence\">", version, escaped(uri))
	for _, w := range list {
		fmt.Fprintf(&b, "<watcher id=\"%s\" status=\"active\" event=\"subscribe\">%s</watcher>", escaped(w.ID), escaped(w.URI))
	}
	b.WriteString("</watcher-list></watcherinfo>\n")
	return []byte(b.String())
}
