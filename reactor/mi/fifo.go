package mi

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/rescue"
	"sipreactor/reactor/rpc"
)

// FIFOConfig is what the module mi_fifo is told.
type FIFOConfig struct {
	// Name is the path of the request FIFO; it is made, and made again when it
	// is removed.
	Name string
	// Mode are its permission bits; 0 = 0600. User and Group are its owners, by
	// name or number; "" = ours.
	Mode        fs.FileMode
	User, Group string
	// ReplyDir is where the FIFOs of those who ask are; "" = /tmp.
	ReplyDir string
	// ReplyTimeout is how long a reader may take to open its FIFO, and then to
	// take the answer; 0 = 2 s.
	ReplyTimeout time.Duration
	// Log gets what cannot be answered; nil discards it.
	Log *slog.Logger

	tick time.Duration // how often the FIFO is looked after
}

const (
	// maxAnswering bounds the answers that wait for their readers at once.
	maxAnswering = 16
	// fifoTick is how often the FIFO is looked after, and how long half a
	// request may rest.
	fifoTick = time.Second
)

// FIFO serves requests of the form `:reply:{json}`, each with a line end or
// without, and answers each into the FIFO named reply in the reply directory.
// Requests are carried out one after the other, as soon as their JSON is whole.
type FIFO struct {
	complaints
	cfg      FIFOConfig
	dispatch *rpc.Dispatcher
	ctx      context.Context
	cancel   context.CancelFunc
	slots    chan struct{}
	running  sync.WaitGroup

	mu   sync.Mutex
	file *os.File // the reader's, which alone replaces it; Close reads it under mu
}

// ServeFIFO makes the FIFO and serves it until Close. A FIFO that a program
// that is gone left behind is replaced; one that is in use, or a file of
// another type, is an error.
func ServeFIFO(cfg FIFOConfig, d *rpc.Dispatcher) (*FIFO, error) {
	if cfg.Mode == 0 {
		cfg.Mode = 0o600
	}
	if cfg.ReplyDir == "" {
		cfg.ReplyDir = "/tmp"
	}
	if cfg.ReplyTimeout <= 0 {
		cfg.ReplyTimeout = 2 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.tick <= 0 {
		cfg.tick = fifoTick
	}
	f := &FIFO{cfg: cfg, dispatch: d, slots: make(chan struct{}, maxAnswering), complaints: complaints{
		log: cfg.Log, subject: "management FIFO", whom: "reply", socket: slog.String("fifo", cfg.Name)}}
	file, err := f.create()
	if err != nil {
		return nil, err
	}
	f.file = file
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.running.Go(func() { rescue.Again(cfg.Log, "mi: the FIFO", f.serve) })
	return f, nil
}

// Close stops serving, waits for answers that are under way, which is bounded
// by ReplyTimeout, and removes the FIFO. It may be called more than once.
func (f *FIFO) Close() {
	f.cancel()
	f.mu.Lock()
	_ = f.file.SetReadDeadline(time.Now())
	f.mu.Unlock()
	f.running.Wait()
	if f.current() {
		_ = os.Remove(f.cfg.Name)
	}
	_ = f.file.Close()
}

// current tells whether the path still leads to the FIFO that is open.
func (f *FIFO) current() bool {
	open, err := f.file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(f.cfg.Name)
	return err == nil && os.SameFile(open, there)
}

// serve reads until Close.
func (f *FIFO) serve() {
	var c cutter
	buf := make([]byte, 16<<10)
	for f.ctx.Err() == nil {
		_ = f.file.SetReadDeadline(time.Now().Add(f.cfg.tick))
		if f.ctx.Err() != nil { // Close's deadline is not overwritten for long
			return
		}
		n, err := f.file.Read(buf)
		if n > 0 {
			before := c.junk
			c.feed(buf[:n], f.carryOut)
			if c.junk != before {
				f.complain("unreadable request", c.last)
			}
			continue
		}
		if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			if c.reset() {
				f.complain("half a request was not continued", c.last)
			}
			f.lookAfter()
			continue
		}
		f.cfg.Log.Error("management FIFO cannot be read", "fifo", f.cfg.Name, "error", err)
		select {
		case <-f.ctx.Done():
		case <-time.After(f.cfg.tick):
			f.replace()
		}
	}
}

// lookAfter makes the FIFO again when it is no longer there.
func (f *FIFO) lookAfter() {
	if !f.current() {
		f.replace()
	}
}

func (f *FIFO) replace() {
	if f.ctx.Err() != nil {
		return
	}
	file, err := f.create()
	if err != nil {
		if held, ok := f.told.Open(time.Now(), complaint{what: "gone"}); ok {
			f.cfg.Log.Error("management FIFO is gone and cannot be made again", "error", err, "more", held)
		}
		return
	}
	f.mu.Lock()
	old := f.file
	f.file = file
	f.mu.Unlock()
	_ = old.Close()
	f.cfg.Log.Warn("management FIFO was gone and is made again", "fifo", f.cfg.Name)
}

// carryOut handles one request. The answer is brought to its reader elsewhere,
// so that a reader who never comes holds nobody up until all slots wait.
func (f *FIFO) carryOut(r fifoRequest) {
	var reply []byte
	if r.body == nil {
		reply = rpc.TooLarge()
	} else {
		reply = f.dispatch.Handle(f.ctx, r.body)
	}
	if r.reply == "" {
		return
	}
	if strings.ContainsAny(r.reply, "/\x00") || r.reply == "." || r.reply == ".." {
		f.complain("the reply FIFO must be named without a path", r.reply)
		return
	}
	select {
	case f.slots <- struct{}{}:
	default: // what is carried out is answered, Close or not, while there is room
		select {
		case f.slots <- struct{}{}:
		case <-f.ctx.Done():
			return
		}
	}
	f.running.Go(func() {
		defer func() { <-f.slots }()
		_ = rescue.Run(f.cfg.Log, "mi: an answer", func() {
			path := filepath.Join(f.cfg.ReplyDir, r.reply)
			if err := writeReply(path, reply, f.cfg.ReplyTimeout); err != nil {
				f.complain("the answer could not be delivered", r.reply, "error", err)
			}
		})
	})
}

// writeReply opens a reply FIFO, which its reader may not have opened yet, and
// writes the answer. An empty answer tells the reader that there is none.
func writeReply(path string, reply []byte, timeout time.Duration) error {
	deadline := time.Now().Add(timeout)
	var fd int
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		var err error
		fd, err = unix.Open(path, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err == nil {
			break
		}
		if !errors.Is(err, unix.ENXIO) && !errors.Is(err, unix.EINTR) {
			return err
		}
		if time.Now().Add(wait).After(deadline) {
			return errors.New("nobody reads")
		}
		time.Sleep(wait)
	}
	file := os.NewFile(uintptr(fd), path)
	defer file.Close()
	if info, err := file.Stat(); err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		return errors.New("it is no FIFO")
	}
	if err := file.SetWriteDeadline(deadline); err != nil {
		return err
	}
	_, err := file.Write(reply)
	return err
}
