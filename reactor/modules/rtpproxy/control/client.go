package control

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"sipreactor/reactor/modules/internal/relay/cookie"
	"sipreactor/reactor/rescue"
)

// Errors of a Client; others are those of its socket.
var (
	ErrSilent = cookie.ErrSilent
	ErrBusy   = cookie.ErrBusy
	ErrClosed = cookie.ErrClosed
	// ErrCommand is that a command would be more than one, or is too long.
	ErrCommand = errors.New("rtpproxy: the command is no line")
)

// Refusal is the error that rtpproxy answered, such as E8.
type Refusal string

func (r Refusal) Error() string { return "rtpproxy: error " + string(r) }

// maxLine is the size, in bytes, of the longest command and answer.
const maxLine = 4096

// maxStreams bounds the commands of a Client that are under way by streams.
const maxStreams = 1024

// Client speaks to one rtpproxy.
type Client struct {
	network, addr string
	within        time.Duration  // a command by a stream
	datagrams     *cookie.Client // nil: by streams
	streams       atomic.Int32   // that are open
}

// Parse reads where an rtpproxy is: udp:host:port, udp6:, tcp:, tcp6:, unix:path or a path.
func Parse(url string) (network, addr string, err error) {
	network, addr, ok := strings.Cut(url, ":")
	if !ok || strings.HasPrefix(url, "/") {
		network, addr = "unix", url
	}
	switch network {
	case "unix":
		if !strings.HasPrefix(addr, "/") {
			return "", "", fmt.Errorf("%q is neither udp:host:port, tcp:host:port nor the path of a UNIX socket", url)
		}
	case "udp", "udp6", "tcp", "tcp6":
		host, port, err := net.SplitHostPort(addr)
		if p, perr := strconv.ParseUint(port, 10, 16); err != nil || perr != nil || p == 0 || host == "" {
			return "", "", fmt.Errorf("%q is no %s:host:port", url, network)
		}
	default:
		return "", "", fmt.Errorf("%q is neither udp:host:port, tcp:host:port nor the path of a UNIX socket", url)
	}
	return network, addr, nil
}

// NewClient makes a client for an address of Parse. Over UDP a command is sent up to
// 1+retries times, each time with timeout for the answer, by sockets that dial opens (nil is
// cookie.DialUDP); the others have all of that time for one try.
func NewClient(network, addr string, timeout time.Duration, retries int, dial cookie.Dial) *Client {
	c := &Client{network: network, addr: addr, within: timeout * time.Duration(1+retries)}
	if strings.HasPrefix(network, "udp") {
		c.datagrams = cookie.NewClient(cookie.Config{Network: network, Addr: addr, Timeout: timeout, Retries: retries, Dial: dial})
	}
	return c
}

// Asker gets what became of a command: the words of its answer, at least one, or why there is none; an error that rtpproxy
// tells is a Refusal. It is called once, on any goroutine, which may be an event loop, and must not block.
type Asker interface {
	Answered(words []string, err error)
}

// Start sends a command, by the socket of a lane where that is one of datagrams. to gets what became of it, no later
// than 1+retries times the timeout, name resolution included, and perhaps before Start returns. Start does not block.
func (c *Client) Start(lane int, command string, to Asker) {
	switch {
	case command == "" || strings.ContainsAny(command, "\r\n\x00") || len(command) > maxLine:
		to.Answered(nil, ErrCommand)
	case c.datagrams != nil:
		c.datagrams.Start(lane, []byte(command+"\n"), reader{to})
	case c.streams.Add(1) > maxStreams:
		c.streams.Add(-1)
		to.Answered(nil, ErrBusy)
	default:
		rescue.Go(nil, "a command of rtpproxy's", func() {
			defer c.streams.Add(-1)
			to.Answered(words(c.byStream(command)))
		})
	}
}

// reader reads an answer for an Asker.
type reader struct{ to Asker }

// Answered is cookie.Asker's.
func (r reader) Answered(text []byte, err error) { r.to.Answered(words(string(text), err)) }

// words reads an answer.
func words(answer string, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	list := strings.Fields(answer)
	switch {
	case len(list) == 0:
		return nil, Refusal("without a number")
	case list[0][0] == 'E':
		return nil, Refusal(list[0])
	}
	return list, nil
}

// byStream sends a command on a connection of its own and reads the line that answers it.
func (c *Client) byStream(command string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), c.within)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, c.network, c.addr)
	if err != nil {
		return "", silence(err)
	}
	defer func() { _ = conn.Close() }()
	end, _ := ctx.Deadline()
	_ = conn.SetDeadline(end)
	if _, err := conn.Write([]byte(command + "\n")); err != nil {
		return "", silence(err)
	}
	text, err := bufio.NewReader(io.LimitReader(conn, maxLine)).ReadString('\n')
	if errors.Is(err, io.EOF) && text != "" {
		err = nil // rtpproxy closes behind it
	}
	return text, silence(err)
}

// silence tells a time that is over as what it is.
func silence(err error) error {
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		return ErrSilent
	}
	return err
}

// Do sends a command and returns the words of its answer. It blocks, no longer than ctx.
func (c *Client) Do(ctx context.Context, command string) ([]string, error) {
	w := make(waiter, 1)
	c.Start(-1, command, w)
	select {
	case r := <-w:
		return r.words, r.err
	case <-ctx.Done():
		return nil, ErrSilent
	}
}

// waiter waits for the end of a command.
type waiter chan result

type result struct {
	words []string
	err   error
}

// Answered is Asker's.
func (w waiter) Answered(words []string, err error) { w <- result{words, err} }

// Ping asks for the version of the protocol.
func (c *Client) Ping(ctx context.Context) error {
	_, err := c.Do(ctx, "V")
	var r Refusal
	if errors.As(err, &r) {
		return nil // it is there
	}
	return err
}

// Renew closes the sockets, so that the next command resolves the name again.
func (c *Client) Renew() {
	if c.datagrams != nil {
		c.datagrams.Renew()
	}
}

// Close ends the client; commands that wait by datagrams get ErrClosed.
func (c *Client) Close() {
	if c.datagrams != nil {
		c.datagrams.Close()
	}
}
