package pua_dialoginfo

import (
	"encoding/xml"
	"fmt"
	"strings"
	"sync/atomic"
)

// view is what a document says of a call besides its parties and state.
type view struct{ id, fromTag, toTag string }

// version counts documents: that of a later one is higher.
var version atomic.Uint32

// document is what is published of a party's call.
func (m *module) document(who, other party, of view, direction, state string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "<?xml version=\"1.0\"?>\n<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"%d\" state=\"full\" entity=\"%s\"><dialog id=\"%s\"",
		version.Add(1), escaped(bare(who.URI)), escaped(of.id))
	if m.callID {
		fmt.Fprintf(&b, " call-id=\"%s\"", escaped(of.id))
	}
	if m.tags {
		local, remote := of.fromTag, of.toTag
		if direction == "recipient" {
			local, remote = remote, local
		}
		for name, tag := range map[string]string{"local-tag": local, "remote-tag": remote} {
			if tag != "" {
				fmt.Fprintf(&b, " %s=\"%s\"", name, escaped(tag))
			}
		}
	}
	fmt.Fprintf(&b, " direction=\"%s\"><state>%s</state>", direction, state)
	if m.parties {
		side(&b, "remote", other)
		side(&b, "local", who)
	}
	b.WriteString("</dialog></dialog-info>\n")
	return []byte(b.String())
}

// side writes who is at one side.
func side(b *strings.Builder, what string, p party) {
	fmt.Fprintf(b, "<%s><identity", what)
	if p.Name != "" {
		fmt.Fprintf(b, " display=\"%s\"", escaped(p.Name))
	}
	fmt.Fprintf(b, ">%s</identity><target uri=\"%s\"/></%s>", escaped(bare(p.URI)), escaped(p.URI), what)
}

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes all
	return b.String()
}
