package control

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// Errors of a Client; others are those of its socket.
var (
	ErrSilent = errors.New("rtpproxy: no answer")
	// ErrCommand is that a command would be more than one, or is too long.
	ErrCommand = errors.New("rtpproxy: the command is no line")
)

// Refusal is the error that rtpproxy answered, such as E8.
type Refusal string

func (r Refusal) Error() string { return "rtpproxy: error " + string(r) }

// maxLine is the size, in bytes, of the longest command and answer.
const maxLine = 4096

// Client speaks to one rtpproxy.
type Client struct {
	network, addr string
	timeout       time.Duration
	sends         int
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
// 1+retries times, each time with timeout for the answer; the others have all of that time
// for one try.
func NewClient(network, addr string, timeout time.Duration, retries int) *Client {
	return &Client{network, addr, timeout, 1 + retries}
}

// Do sends a command and returns the words of its answer, at least one; an error that
// rtpproxy tells is a Refusal. It blocks, no longer than 1+retries times the timeout, name
// resolution included, and ctx.
func (c *Client) Do(ctx context.Context, command string) ([]string, error) {
	if command == "" || strings.ContainsAny(command, "\r\n\x00") || len(command) > maxLine {
		return nil, ErrCommand
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout*time.Duration(c.sends))
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, c.network, c.addr)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	var answer string
	if strings.HasPrefix(c.network, "udp") {
		answer, err = c.datagram(ctx, conn, command)
	} else {
		answer, err = line(conn, command)
	}
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		err = ErrSilent
	}
	if err != nil {
		return nil, err
	}
	words := strings.Fields(answer)
	switch {
	case len(words) == 0:
		return nil, Refusal("without a number")
	case words[0][0] == 'E':
		return nil, Refusal(words[0])
	}
	return words, nil
}

// datagram sends a command until there is an answer with its cookie.
func (c *Client) datagram(ctx context.Context, conn net.Conn, command string) (string, error) {
	cookie := rand.Text()[:16]
	out := []byte(cookie + " " + command + "\n")
	buf := make([]byte, maxLine)
	for range c.sends {
		if _, err := conn.Write(out); err != nil {
			return "", err
		}
		_ = conn.SetReadDeadline(time.Now().Add(c.timeout))
		for ctx.Err() == nil {
			n, err := conn.Read(buf)
			var late net.Error
			if errors.As(err, &late) && late.Timeout() {
				break
			}
			if err != nil {
				return "", err
			}
			if got, text, ok := bytes.Cut(buf[:n], []byte{' '}); ok && string(got) == cookie {
				return string(text), nil
			}
		}
		if ctx.Err() != nil {
			break
		}
	}
	return "", ErrSilent
}

// line sends a command on a connection and reads the line that answers it.
func line(conn net.Conn, command string) (string, error) {
	if _, err := conn.Write([]byte(command + "\n")); err != nil {
		return "", err
	}
	text, err := bufio.NewReader(io.LimitReader(conn, maxLine)).ReadString('\n')
	if errors.Is(err, io.EOF) && text != "" {
		err = nil // rtpproxy closes behind it
	}
	return text, err
}

// Ping asks for the version of the protocol.
func (c *Client) Ping(ctx context.Context) error {
	_, err := c.Do(ctx, "V")
	var r Refusal
	if errors.As(err, &r) {
		return nil // it is there
	}
	return err
}

// Renew does nothing: each command resolves the name.
func (c *Client) Renew() {}

// Close does nothing: nothing is open.
func (c *Client) Close() {}
