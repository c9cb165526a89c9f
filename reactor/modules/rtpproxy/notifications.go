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
	"sync/atomic"
	"time"

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

// notifications is the socket where nodes tell that a call has no media any more: a line with
// the tag that the call's offer has given them, which is its Call-ID. It outlives
// reloads that leave its address as it is.
type notifications struct {
	listener net.Listener
	of       atomic.Pointer[module]
	serving  sync.WaitGroup

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
func (m *module) notifyWords(s *session) string {
	id, _, _ := strings.Cut(s.callID, ";branch=")
	return " " + m.notifyAt + " " + url.QueryEscape(id)
}

// checkFlags checks the flags of a call in the configuration. It reports whether they are right.
func (m *module) checkFlags(a *script.Args, text string) bool {
	f, err := parseFlags(text)
	if err != nil {
		a.Errorf(0, "%v", err)
	} else if f.notify && m.notifyAt == "" {
		a.Notef(0, "the flag n does nothing: rtpp_notify_socket is not set")
	}
	return err == nil
}

// listen takes the socket over, or opens it.
func (m *module) listen(old *module) error {
	if m.notifyAt == "" {
		return nil
	}
	if old != nil && old.notify != nil && old.notifyAt == m.notifyAt {
		m.notify = old.notify
		m.notify.of.Store(m)
		return nil
	}
	network, addr, _ := control.Parse(m.notifyAt) // it was checked
	if network == "unix" {
		if err := removeSocket(addr); err != nil {
			return fmt.Errorf("rtpp_notify_socket: %w", err)
		}
	}
	l, err := net.Listen(network, addr)
	if err != nil {
		return fmt.Errorf("rtpp_notify_socket: %w", err)
	}
	n := &notifications{listener: l, conns: map[net.Conn]bool{}}
	n.of.Store(m)
	m.notify = n
	n.serving.Go(n.accept)
	return nil
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
	n := m.notify
	if n == nil {
		return
	}
	if next != nil && next.notify == n {
		n.of.Store(next) // which may be the one before, as a later module has failed
		return
	}
	_ = n.listener.Close()
	n.mu.Lock()
	n.closed = true
	for c := range n.conns {
		_ = c.Close()
	}
	n.mu.Unlock()
	n.serving.Wait()
}

func (n *notifications) accept() {
	for {
		c, err := n.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // no descriptor, as it may be: the kernel's queue waits meanwhile
			if n.pause() {
				return
			}
			continue
		}
		if !n.add(c) {
			_ = c.Close()
			continue
		}
		n.serving.Go(func() {
			n.of.Load().env.Guard(func(context.Context) { n.serve(c) })
			n.mu.Lock()
			delete(n.conns, c)
			n.mu.Unlock()
			_ = c.Close()
		})
	}
}

// pause waits before the next try to accept. It reports whether there is to be none.
func (n *notifications) pause() (over bool) {
	timer := time.NewTimer(100 * time.Millisecond)
	defer timer.Stop()
	<-timer.C
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.closed
}

// add reports whether there is room for a connection.
func (n *notifications) add(c net.Conn) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed || len(n.conns) >= maxNotifiers {
		return false
	}
	n.conns[c] = true
	return true
}

// serve reads the lines of a node, for as long as it keeps its connection.
func (n *notifications) serve(c net.Conn) {
	m := n.of.Load()
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
		m := n.of.Load()
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
