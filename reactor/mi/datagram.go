package mi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/rescue"
	"sipreactor/reactor/rpc"
	"sipreactor/tlsstate/regular"
)

// DatagramConfig is what the module mi_datagram is told.
type DatagramConfig struct {
	// Name is the path of a UNIX socket, or "udp:host:port" with an address.
	Name string
	// Mode are the permission bits of a UNIX socket; 0 = 0600.
	Mode fs.FileMode
	// Allow lists who may speak by UDP; empty = loopback. An address that is not
	// loopback needs it. The sender of a datagram can be forged, so a network
	// where others can do that is no place for it.
	Allow []netip.Prefix
	// Buffer is the size in bytes of the socket's buffers; 0 = the system's.
	Buffer int
	// WriteTimeout is how long a receiver may take to make room; 0 = 1 s.
	WriteTimeout time.Duration
	// Log gets what cannot be answered; nil discards it.
	Log *slog.Logger
}

// maxDatagram is the largest datagram that UDP carries over IPv4.
const maxDatagram = 65507

// Datagram serves requests, one a datagram, and answers each by a datagram to
// its sender. Requests are carried out one after the other.
type Datagram struct {
	complaints
	cfg      DatagramConfig
	dispatch *rpc.Dispatcher
	mu       sync.Mutex
	conn     net.PacketConn // serve's, which alone replaces it; others read it under mu
	made     fs.FileInfo    // the UNIX socket's file; nil for UDP
	ctx      context.Context
	cancel   context.CancelFunc
	done     sync.WaitGroup
	stuck    string // who made no room for an answer: others wait for it once only
}

// ServeDatagram listens and serves until Close. A UNIX socket that a program
// that is gone left behind is replaced; one that is in use, or a file of another
// type, is an error.
func ServeDatagram(cfg DatagramConfig, d *rpc.Dispatcher) (*Datagram, error) {
	if cfg.Mode == 0 {
		cfg.Mode = 0o600
	}
	if cfg.WriteTimeout <= 0 {
		cfg.WriteTimeout = time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Datagram{cfg: cfg, dispatch: d, complaints: complaints{
		log: cfg.Log, subject: "management datagram", whom: "peer", socket: slog.String("socket", cfg.Name)}}
	var err error
	if addr, ok := strings.CutPrefix(cfg.Name, "udp:"); ok {
		s.conn, err = s.listenUDP(addr)
	} else {
		s.conn, err = s.listenUNIX()
	}
	if err != nil {
		return nil, fmt.Errorf("mi: datagrams on %s: %w", cfg.Name, err)
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.done.Go(func() { rescue.Again(cfg.Log, "mi: the socket of datagrams", s.serve) })
	return s, nil
}

// Check tells why the socket cannot be made, as far as that shows without making it.
func (c *DatagramConfig) Check() error {
	if err := c.check(); err != nil {
		return fmt.Errorf("mi: datagrams on %s: %w", c.Name, err)
	}
	return nil
}

func (c *DatagramConfig) check() error {
	if addr, ok := strings.CutPrefix(c.Name, "udp:"); ok {
		at, err := netip.ParseAddrPort(addr)
		if err == nil && !at.Addr().IsLoopback() && len(c.Allow) == 0 {
			err = errors.New("an address that is not loopback needs a list of those who may speak")
		}
		return err
	}
	info, err := os.Lstat(c.Name)
	switch {
	case err != nil:
		return regular.Writable(filepath.Dir(c.Name))
	case info.Mode()&fs.ModeSocket == 0:
		return errors.New("it is there and is no socket")
	default:
		return nil
	}
}

func (s *Datagram) listenUDP(addr string) (net.PacketConn, error) {
	if err := s.cfg.check(); err != nil {
		return nil, err
	}
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	if err != nil {
		return nil, err
	}
	return c, s.size(c)
}

// size gives a socket the buffers that were asked for.
func (s *Datagram) size(c interface {
	SetReadBuffer(bytes int) error
	SetWriteBuffer(bytes int) error
}) error {
	if s.cfg.Buffer == 0 {
		return nil
	}
	if err := c.SetReadBuffer(s.cfg.Buffer); err != nil {
		return err
	}
	return c.SetWriteBuffer(s.cfg.Buffer)
}

// listenUNIX binds under another name first, so that the socket is nobody
// else's from the moment it can be found.
func (s *Datagram) listenUNIX() (net.PacketConn, error) {
	name := s.cfg.Name
	if err := s.cfg.check(); err != nil {
		return nil, err
	}
	if info, err := os.Lstat(name); err == nil {
		if c, err := net.Dial("unixgram", name); err == nil {
			_ = c.Close()
			if s.made == nil || !os.SameFile(s.made, info) {
				return nil, errors.New("it is in use by another program")
			}
		}
	}
	temporary := fmt.Sprintf("%s.%d", name, os.Getpid())
	_ = os.Remove(temporary) // of a crash in between
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: temporary, Net: "unixgram"})
	if err != nil {
		return nil, err
	}
	if err = s.size(c); err == nil {
		err = os.Chmod(temporary, s.cfg.Mode.Perm())
	}
	if err == nil {
		s.made, err = os.Lstat(temporary)
	}
	if err == nil {
		err = os.Rename(temporary, name)
	}
	if err != nil {
		_ = c.Close()
		_ = os.Remove(temporary)
		return nil, err
	}
	return c, nil
}

// Addr gives the address of a UDP socket, the zero value for a UNIX socket.
func (s *Datagram) Addr() netip.AddrPort {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, ok := s.conn.LocalAddr().(*net.UDPAddr); ok {
		return a.AddrPort()
	}
	return netip.AddrPort{}
}

// Close stops serving when the request that is being carried out is answered,
// and removes the socket. It may be called more than once.
func (s *Datagram) Close() {
	s.cancel()
	s.mu.Lock()
	_ = s.conn.SetReadDeadline(time.Now())
	s.mu.Unlock()
	s.done.Wait()
	if there, err := os.Lstat(s.cfg.Name); err == nil && s.made != nil && os.SameFile(s.made, there) {
		_ = os.Remove(s.cfg.Name)
	}
	_ = s.conn.Close()
}

func (s *Datagram) serve() {
	buf := make([]byte, rpc.MaxRequest+1)
	for s.ctx.Err() == nil {
		n, from, err := s.conn.ReadFrom(buf)
		if err != nil {
			if s.ctx.Err() == nil {
				s.complain("the socket cannot be read", "", "error", err)
				select { // whatever it is, it must not spin
				case <-s.ctx.Done():
				case <-time.After(time.Second):
				}
			}
			continue
		}
		if a, ok := from.(*net.UDPAddr); ok && !admits(s.cfg.Allow, a.AddrPort().Addr()) {
			s.complain("an address may not speak", a.AddrPort().Addr().String())
			continue
		}
		s.answer(from, s.dispatch.Handle(s.ctx, buf[:n]))
	}
}

// answer sends a reply to who asked, if that can be.
func (s *Datagram) answer(to net.Addr, reply []byte) {
	if reply == nil {
		return
	}
	if u, ok := to.(*net.UnixAddr); to == nil || ok && (u == nil || u.Name == "") {
		s.complain("the sender has no name: it gets no answer", "")
		return
	}
	if len(reply) > maxDatagram {
		reply = rpc.Instead(reply, rpc.Failed("The answer is too large for a datagram", len(reply)))
	}
	patience := s.cfg.WriteTimeout
	if to.String() == s.stuck {
		patience = time.Millisecond
	}
	_ = s.conn.SetWriteDeadline(time.Now().Add(patience))
	_, err := s.conn.WriteTo(reply, to)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.stuck = to.String()
		s.renew()
	case to.String() == s.stuck:
		s.stuck = ""
	}
	if err != nil {
		s.complain("the answer could not be delivered", to.String(), "error", err)
	}
}

// renew makes the UNIX socket anew when answers that receivers leave unread have
// used up its room, which the kernel charges to us: else one of them could stop
// the answers to all. Who is connected to the old one has to connect again.
func (s *Datagram) renew() {
	old, ok := s.conn.(*net.UnixConn)
	if !ok || !usedUp(old) || s.ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	conn, err := s.listenUNIX()
	if err != nil {
		s.complain("the socket cannot be made anew", "", "error", err)
		return
	}
	s.conn = conn
	_ = old.Close()
	s.complain("the socket is made anew: its answers were not read", "")
}

// usedUp tells whether most of a socket's room for sending is taken.
func usedUp(c *net.UnixConn) bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	taken, room := 0, 0
	_ = raw.Control(func(fd uintptr) {
		taken, _ = unix.IoctlGetInt(int(fd), unix.TIOCOUTQ)
		room, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF)
	})
	return taken > room/2
}
