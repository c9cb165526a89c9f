package rtpproxy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"sipreactor/reactor/modules/internal/relay"
	"sipreactor/reactor/modules/rtpproxy/control"
	"sipreactor/reactor/script"
)

// Bounds of who notifies: connections at once, the length of a line, and how long
// names of nodes may take to be resolved.
const (
	maxNotifiers = 64
	maxNotice    = 1024
	resolveMost  = 3 * time.Second
)

// notifiers are the connections of nodes that tell which calls have no media any more: a line each, with the tag that the
// call's offer has given them, which is its Call-ID.
type notifiers struct {
	*relay.Notices[module]
	listener net.Listener

	mu     sync.Mutex
	conns  map[net.Conn]bool // those that are open
	closed bool
}

// setNotify reads rtpp_notify_socket.
func (m *module) setNotify(v script.Literal) error {
	network, _, err := control.Parse(v.Text)
	if err != nil {
		return err
	}
	if network != "tcp" && network != "tcp6" && network != "unix" {
		return fmt.Errorf("is by TCP or a UNIX socket: %q", v.Text)
	}
	if strings.ContainsAny(v.Text, " \t\r\n") {
		return fmt.Errorf("is one word of a command: %q", v.Text)
	}
	m.notifyAt = v.Text
	return nil
}

// notifyWords are what an offer's command has behind it: where to tell, and what.
func (m *module) notifyWords(s *session, f *flags) string {
	to := f.tell
	if to == "" {
		to = m.notifyAt
	}
	if !f.notify || to == "" {
		return ""
	}
	id, _, _ := strings.Cut(s.callID, ";branch=")
	return " " + to + " " + url.QueryEscape(id)
}

// checkFlags checks the flags of a call in the configuration. It reports whether they are right.
func (m *module) checkFlags(a *script.Args, text string) bool {
	f, err := parseFlags(text)
	if err != nil {
		a.Errorf(0, "%v", err)
	} else if f.notify && f.tell == "" && m.notifyAt == "" {
		a.Notef(0, "the flag n does nothing: rtpp_notify_socket is not set")
	}
	return err == nil
}

// listen takes the socket over, or opens it.
func (m *module) listen(old *module) (err error) {
	if m.notifyAt == "" {
		return nil
	}
	var before *relay.Notices[module]
	if old != nil {
		before = old.notify
	}
	m.notify, err = relay.TakeNotices(m, before, m.notifyAt, m.open)
	return err
}

// open opens the socket.
func (m *module) open(n *relay.Notices[module]) (stop func(), err error) {
	network, addr, _ := control.Parse(m.notifyAt) // it was checked
	if network == "unix" {
		if err := removeSocket(addr); err != nil {
			return nil, fmt.Errorf("rtpp_notify_socket: %w", err)
		}
	}
	l, err := net.Listen(network, addr)
	if err != nil {
		return nil, fmt.Errorf("rtpp_notify_socket: %w", err)
	}
	s := &notifiers{Notices: n, listener: l, conns: map[net.Conn]bool{}}
	n.Go(s.accept)
	return s.close, nil
}

// removeSocket takes away the socket that an earlier life has left, and nothing else.
func removeSocket(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s is there and is no socket", path)
	}
	return os.Remove(path)
}

// unlisten closes the socket, unless the next configuration has it.
func (m *module) unlisten(next *module) {
	if next == nil {
		m.notify.Leave(nil, nil)
		return
	}
	m.notify.Leave(next, next.notify)
}

// close ends all connections.
func (n *notifiers) close() {
	_ = n.listener.Close()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	for c := range n.conns {
		_ = c.Close()
	}
}

func (n *notifiers) accept() {
	for {
		c, err := n.listener.Accept()
		if err != nil { // no descriptor, as it may be: the kernel's queue waits meanwhile
			if !n.Again(err) {
				return
			}
			continue
		}
		if !n.add(c) {
			_ = c.Close()
			continue
		}
		n.Go(func() {
			n.Of().env.Guard(func(context.Context) { n.serve(c) })
			n.mu.Lock()
			delete(n.conns, c)
			n.mu.Unlock()
			_ = c.Close()
		})
	}
}

// add reports whether there is room for a connection.
func (n *notifiers) add(c net.Conn) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed || len(n.conns) >= maxNotifiers {
		return false
	}
	n.conns[c] = true
	return true
}

// serve reads the lines of a node, for as long as it keeps its connection.
func (n *notifiers) serve(c net.Conn) {
	m := n.Of()
	if addr, err := netip.ParseAddrPort(c.RemoteAddr().String()); err == nil && !m.isNode(addr.Addr().Unmap()) {
		m.env.Log.Warn("rtpproxy: a notification comes from no node", slog.String("from", addr.String()))
		return
	}
	lines := bufio.NewScanner(c)
	lines.Buffer(make([]byte, 0, maxNotice), maxNotice)
	for lines.Scan() {
		tag := strings.Trim(lines.Text(), " \t\r\x00")
		if tag == "" {
			continue
		}
		m := n.Of()
		if m.follower.Dead(tag) {
			continue
		}
		if plain, err := url.QueryUnescape(tag); err != nil || !m.follower.Dead(plain) {
			m.env.Log.Info("rtpproxy: a notification is of no call", slog.String("tag", strconv.Quote(tag)))
		}
	}
}

// isNode reports whether a node is at an address.
func (m *module) isNode(from netip.Addr) bool {
	if from.IsLoopback() {
		return true // a node on this machine, at any of its addresses
	}
	ctx, cancel := context.WithTimeout(context.Background(), resolveMost)
	defer cancel()
	for n := range m.fleet.All {
		network, addr, err := control.Parse(n.URL)
		if err != nil || network == "unix" {
			continue
		}
		host, _, _ := net.SplitHostPort(addr)
		found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		if err == nil && slices.ContainsFunc(found, func(a netip.Addr) bool { return a.Unmap() == from }) {
			return true
		}
	}
	return false
}
