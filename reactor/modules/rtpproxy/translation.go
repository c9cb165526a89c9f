package rtpproxy

import (
	"bytes"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"sipreactor/reactor/modules/rtpproxy/control"
)

// translation is an SDP that is to name rtpproxy: an offer or an answer.
type translation struct {
	session               *session
	flags                 flags
	answer                bool
	sdp                   []byte
	source, local, forced string

	list     []stream
	commands []string
}

// prepare writes the commands, or tells why there can be none.
func (t *translation) prepare(m *module) error {
	mark := strings.TrimSpace(m.mark)
	if mark != "" && !t.flags.again && bytes.Contains(t.sdp, []byte(mark)) {
		return errMarked
	}
	var ok bool
	if t.list, ok = streamsOf(t.sdp); !ok {
		return errBroken
	}
	if t.answer && t.session.toTag == "" {
		return errNoCall
	}
	if t.flags.trust {
		t.source = ""
	}
	if strings.ContainsAny(t.local, " \t") {
		return control.ErrCommand
	}
	tail := ""
	if !t.answer { // rtpproxy keeps it with the session
		tail = m.notifyWords(t.session, &t.flags)
	}
	t.commands = make([]string, len(t.list))
	for i, st := range t.list {
		t.commands[i] = streamCommand(t.session, i+1, &st, t.answer, t.flags.command, t.source, t.local) + tail
	}
	return nil
}

// question asks for the places of the streams.
func (t *translation) question(m *module) *question {
	q := m.newQuestion(t.session, t.commands...)
	q.failover = !t.answer
	q.got = func(i int, words []string, n *node) (err error) {
		t.list[i].to, err = place(words, n, t.forced)
		return err
	}
	return q
}

// written is the SDP as it became.
func (t *translation) written(m *module) []byte { return rewrite(t.sdp, t.list, &t.flags, m.mark) }

// streamCommand asks for the place of a stream: U makes one, L finds that of an offer.
func streamCommand(s *session, i int, st *stream, answer bool, options, source, local string) string {
	addr := st.addr
	if source != "" && !isNull(addr) {
		addr = source
	}
	command := "U"
	if answer {
		command = "L"
	}
	if strings.Contains(addr, ":") {
		options += "6"
	}
	if local != "" {
		options += "l" + local
	}
	return fmt.Sprintf("%s%s %s %s %d %s", command, options, s.callID, addr, st.port, s.words(i))
}

// place reads the answer to streamCommand: a port and an address. An address that is
// advertised goes before that, and one that is forced before both.
func place(words []string, n *node, forced string) (netip.AddrPort, error) {
	port, err := strconv.ParseUint(words[0], 10, 16)
	if err != nil || port == 0 {
		return netip.AddrPort{}, errAnswer
	}
	text := ""
	if len(words) > 1 {
		text = words[1]
	}
	if n.Advertised != "" {
		text = n.Advertised
	}
	if forced != "" {
		text = forced
	}
	addr, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil || addr.Zone() != "" {
		return netip.AddrPort{}, errAnswer
	}
	return netip.AddrPortFrom(addr, uint16(port)), nil
}
