package mi

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/rpc"
)

// Client calls commands of a running program. Its methods may be called by any
// goroutine.
type Client struct {
	// Target is where it listens: the path of its FIFO or UNIX socket,
	// "http://host:port/mi", "https://..." or "udp:host:port".
	Target string
	// ReplyDir is where FIFOs for answers are made; "" = /tmp. It must be the
	// program's own.
	ReplyDir string
	// Token goes with HTTP requests; "" = none.
	Token string
	// HTTP sends them; nil = http.DefaultClient.
	HTTP *http.Client
}

// ErrUnauthorized is that of a call over HTTP whose token is missing or wrong.
var ErrUnauthorized = errors.New("401 Unauthorized")

// callTimeout bounds a call whose context has no deadline.
const callTimeout = 10 * time.Second

// maxReply bounds the answers that are read.
const maxReply = 256 << 20

// Call calls a command of the program at target; see Client.
func Call(ctx context.Context, target, method string, params any) (json.RawMessage, error) {
	return (&Client{Target: target}).Call(ctx, method, params)
}

// Call calls a command and gives its result. params is nil, or becomes an array
// or an object. An error that the program answers is an *Error.
func (c *Client) Call(ctx context.Context, method string, params any) (json.RawMessage, error) {
	request, err := rpc.NewRequest(method, params)
	if err != nil {
		return nil, err
	}
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, callTimeout)
		defer cancel()
	}
	reply, err := c.exchange(ctx, request)
	if err != nil {
		return nil, fmt.Errorf("mi: %s: %w", c.Target, err)
	}
	var r struct {
		Result json.RawMessage `json:"result"`
		Error  *rpc.Error      `json:"error"`
	}
	if err := json.Unmarshal(reply, &r); err != nil || r.Result == nil && r.Error == nil {
		return nil, fmt.Errorf("mi: %s gave no answer in JSON-RPC: %.200q", c.Target, reply)
	}
	if r.Error != nil {
		return nil, r.Error
	}
	return r.Result, nil
}

// exchange brings a request to the target and its answer back.
func (c *Client) exchange(ctx context.Context, request []byte) ([]byte, error) {
	if strings.HasPrefix(c.Target, "http://") || strings.HasPrefix(c.Target, "https://") {
		return c.post(ctx, request)
	}
	if addr, ok := strings.CutPrefix(c.Target, "udp:"); ok {
		conn, err := new(net.Dialer).DialContext(ctx, "udp", addr)
		if err != nil {
			return nil, err
		}
		return roundTrip(ctx, conn, request)
	}
	info, err := os.Stat(c.Target)
	switch {
	case err != nil:
		return nil, err
	case info.Mode()&fs.ModeNamedPipe != 0:
		return c.pipe(ctx, info, request)
	case info.Mode()&fs.ModeSocket != 0:
		return c.unix(ctx, info, request)
	default:
		return nil, errors.New("it is neither a FIFO nor a socket")
	}
}

func (c *Client) post(ctx context.Context, request []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Target, bytes.NewReader(request))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	if c.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.Token)
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err == nil && resp.StatusCode != http.StatusOK && resp.Header.Get("Content-Type") != "application/json" {
		text := strings.TrimSpace(string(body))
		if resp.StatusCode == http.StatusUnauthorized {
			return body, fmt.Errorf("%w: %s", ErrUnauthorized, text)
		}
		err = fmt.Errorf("%s: %s", resp.Status, text)
	}
	return body, err
}

// unix speaks to a datagram socket, from a socket of its own beside the FIFOs
// for answers: without a name it would get no answer.
func (c *Client) unix(ctx context.Context, target fs.FileInfo, request []byte) ([]byte, error) {
	own := c.replyPath("sock")
	conn, err := net.DialUnix("unixgram", &net.UnixAddr{Name: own, Net: "unixgram"}, &net.UnixAddr{Name: c.Target, Net: "unixgram"})
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(own) }()
	if err := admitOwner(own, target); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return roundTrip(ctx, conn, request)
}

// roundTrip sends one datagram and takes one, and closes the connection.
func roundTrip(ctx context.Context, conn net.Conn, request []byte) ([]byte, error) {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })
	defer stop()
	if _, err := conn.Write(request); err != nil {
		return nil, err
	}
	reply := make([]byte, maxDatagram)
	n, err := conn.Read(reply)
	return reply[:n], orCause(ctx, err)
}

// orCause tells of the context's end rather than of what it led to.
func orCause(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("no answer: %w", context.Cause(ctx))
	}
	return err
}

// replyPath names something new in the reply directory.
func (c *Client) replyPath(kind string) string {
	dir := c.ReplyDir
	if dir == "" {
		dir = "/tmp"
	}
	return filepath.Join(dir, fmt.Sprintf("sipreactor_mi_%d_%s_%s", os.Getpid(), rand.Text(), kind))
}

// admitOwner keeps what takes our answer to ourselves, unless the program runs
// as another user: then it may write there, though not read.
func admitOwner(own string, target fs.FileInfo) error {
	mode := fs.FileMode(0o600)
	if s, ok := target.Sys().(*syscall.Stat_t); ok && int(s.Uid) != os.Geteuid() && s.Uid != 0 {
		mode = 0o622
	}
	return os.Chmod(own, mode)
}

// pipe speaks to a request FIFO. The answer's FIFO is there and open before the
// request is sent.
func (c *Client) pipe(ctx context.Context, target fs.FileInfo, request []byte) ([]byte, error) {
	own := c.replyPath("fifo")
	if err := unix.Mkfifo(own, 0o600); err != nil {
		return nil, fmt.Errorf("cannot make %s: %w", own, err)
	}
	defer func() { _ = os.Remove(own) }()
	if err := admitOwner(own, target); err != nil {
		return nil, err
	}
	// Open for writing as well: it must not end before the answer begins.
	in, err := os.OpenFile(own, os.O_RDWR|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	out, err := os.OpenFile(c.Target, os.O_WRONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
	if errors.Is(err, unix.ENXIO) {
		return nil, errors.New("nobody serves it: the program does not run")
	}
	if err != nil {
		return nil, err
	}
	defer out.Close()
	stop := context.AfterFunc(ctx, func() {
		_ = out.SetDeadline(time.Now())
		_ = in.SetDeadline(time.Now())
	})
	defer stop()
	line := append(append([]byte(":"+filepath.Base(own)+":"), request...), '\n')
	if _, err := out.Write(line); err != nil {
		return nil, orCause(ctx, err)
	}
	var reply json.RawMessage
	err = json.NewDecoder(io.LimitReader(in, maxReply)).Decode(&reply)
	return reply, orCause(ctx, err)
}
