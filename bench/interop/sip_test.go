package interop

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// patience is for one step of a program on a machine that does other things too.
const patience = 30 * time.Second

var callNumber atomic.Int64

// options is an OPTIONS request with a Call-ID of its own. transport is that of its sender.
func options(uri, transport string, headers ...string) string {
	n := callNumber.Add(1)
	return strings.Join(append([]string{
		"OPTIONS " + uri + " SIP/2.0",
		fmt.Sprintf("Via: SIP/2.0/%s 127.0.0.1:9;branch=z9hG4bKinterop%d;rport", transport, n),
		"Max-Forwards: 70",
		fmt.Sprintf("From: <sip:interop@127.0.0.1>;tag=%d", n),
		"To: <" + uri + ">",
		fmt.Sprintf("Call-ID: interop-%d", n),
		"CSeq: 1 OPTIONS",
	}, append(headers, "Content-Length: 0\r\n\r\n")...), "\r\n")
}

// answer is a response as a test looks at it.
type answer struct {
	status int
	head   []string
}

// header is the value of the first header of a name, "" none.
func (a answer) header(name string) string {
	for _, l := range a.head {
		if n, v, ok := strings.Cut(l, ":"); ok && strings.EqualFold(n, name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// readAnswer reads a response without a body from what a program prints, which may say other things before it.
func readAnswer(r *bufio.Reader) (answer, error) {
	var a answer
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return a, err
		}
		line = strings.TrimRight(line, "\r\n")
		if code, ok := strings.CutPrefix(line, "SIP/2.0 "); ok && a.status == 0 {
			code, _, _ = strings.Cut(code, " ")
			if a.status, err = strconv.Atoi(code); err != nil {
				return a, err
			}
			continue
		}
		switch {
		case a.status == 0:
		case line == "":
			return a, nil
		default:
			a.head = append(a.head, line)
		}
	}
}

// caller is one who asks the engine over TCP to send something on.
type caller struct {
	conn net.Conn
	r    *bufio.Reader
}

func (e *edge) caller(t *testing.T) *caller {
	t.Helper()
	conn, err := net.DialTimeout("tcp", e.tcp, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &caller{conn, bufio.NewReader(conn)}
}

// ask sends an OPTIONS through the engine by a client domain, and returns the final answer.
func (c *caller) ask(t *testing.T, uri, domain string) answer {
	t.Helper()
	if err := c.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c.conn, options(uri, "TCP", "X-Domain: "+domain)); err != nil {
		t.Fatal(err)
	}
	a, err := readAnswer(c.r)
	if err != nil {
		t.Fatalf("no answer to OPTIONS %s: %v", uri, err)
	}
	return a
}
