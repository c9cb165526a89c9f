package rest_client

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"sipreactor/tlsstate/regular"
)

// Codes of the functions.
const (
	codeOK       = 1
	codeRefused  = -1
	codeConnect  = -2 // the connection took too long
	codeTransfer = -3 // the answer took too long
	codeBusy     = -4 // another one connects to the host
	codeInternal = -10
)

// client asks HTTP servers. Any goroutine may use it.
type client struct {
	timeout    time.Duration // curl_timeout: the whole
	connect    time.Duration // connection_timeout
	size       int64         // max_transfer_size, bytes; 0 no limit
	oneConnect bool          // no_concurrent_connects
	expect     bool          // enable_expect_100
	http       *http.Client

	mu         sync.Mutex
	connecting map[string]int // hosts that are connected to, with oneConnect
	slots      chan struct{}  // one for each request under way
	held, most atomic.Int64   // bytes of bodies that are being read, and how many may be
}

// maxRequests bounds the requests under way; past it one fails at once.
const maxRequests = 1024

// options are what the module's parameters say.
type options struct {
	timeout, connect       time.Duration
	size                   int64
	oneConnect, expect     bool
	verifyPeer, verifyHost bool
	caPath                 string
	version                int // curl_http_version
}

func defaults() options {
	return options{timeout: 20 * time.Second, connect: 20 * time.Second, size: 10240 << 10, verifyPeer: true, verifyHost: true}
}

// newClient makes a client.
func newClient(o options) (*client, error) {
	c := &client{timeout: o.timeout, connect: o.connect, size: o.size, oneConnect: o.oneConnect, expect: o.expect, connecting: make(map[string]int), slots: make(chan struct{}, maxRequests)}
	c.most.Store(max(heldMost, 2*o.size))
	conf, err := o.tls()
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: o.connect}
	t := &http.Transport{
		DialContext:           c.guarded(dialer.DialContext),
		TLSClientConfig:       conf,
		TLSHandshakeTimeout:   o.connect,
		ExpectContinueTimeout: time.Second,
		MaxIdleConnsPerHost:   64,
		MaxIdleConns:          256,
		IdleConnTimeout:       90 * time.Second,
		ForceAttemptHTTP2:     o.version == 0 || o.version >= 3,
		DisableKeepAlives:     o.version == 1,
	}
	if o.version == 1 || o.version == 2 {
		t.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
	if o.version == 5 {
		t.Protocols = new(http.Protocols)
		t.Protocols.SetUnencryptedHTTP2(true)
		t.Protocols.SetHTTP2(true)
	}
	c.http = &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return c, nil
}

// tls makes the configuration of what is verified of a server.
func (o *options) tls() (*tls.Config, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.caPath != "" {
		pool, err := readPool(o.caPath)
		if err != nil {
			return nil, err
		}
		conf.RootCAs = pool
	}
	if o.verifyPeer && o.verifyHost {
		return conf, nil
	}
	conf.InsecureSkipVerify = true //nolint:gosec // the operator has switched it off; what is left of it follows
	if o.verifyPeer {
		conf.VerifyConnection = func(s tls.ConnectionState) error {
			chain := x509.VerifyOptions{Roots: conf.RootCAs, Intermediates: x509.NewCertPool()}
			for _, cert := range s.PeerCertificates[1:] {
				chain.Intermediates.AddCert(cert)
			}
			_, err := s.PeerCertificates[0].Verify(chain)
			return err
		}
	}
	return conf, nil
}

// readPool reads a file of certificates, or all files of a folder.
func readPool(name string) (*x509.CertPool, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	files := []string{name}
	if info.IsDir() {
		if files, err = filepath.Glob(filepath.Join(name, "*")); err != nil {
			return nil, err
		}
	}
	pool, found := x509.NewCertPool(), false
	for _, f := range files {
		b, err := regular.Read(f)
		if err != nil && !info.IsDir() {
			return nil, err
		}
		if err != nil {
			continue // a folder of links has some that lead nowhere
		}
		found = pool.AppendCertsFromPEM(b) || found
	}
	if !found {
		return nil, fmt.Errorf("there is no certificate in %s", name)
	}
	return pool, nil
}

var errConnecting = errors.New("another one connects to the host")

// guarded lets one connection be opened to a host at a time, with oneConnect.
func (c *client) guarded(dial func(context.Context, string, string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if c.oneConnect {
			c.mu.Lock()
			busy := c.connecting[addr] > 0
			if !busy {
				c.connecting[addr]++
			}
			c.mu.Unlock()
			if busy {
				return nil, errConnecting
			}
			defer func() {
				c.mu.Lock()
				delete(c.connecting, addr)
				c.mu.Unlock()
			}()
		}
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, &dialError{err}
		}
		return conn, nil
	}
}

// dialError is a connection that could not be opened.
type dialError struct{ error }

func (e *dialError) Unwrap() error { return e.error }

// request is one to be sent.
type request struct {
	method, url string
	headers     []string // "Name: value"
	body        []byte
	mime        string // of the body
}

// answer is what came back. What of it came before an error is there, too.
type answer struct {
	code   int // of the functions
	status int // 0: no answer at all
	body   []byte
	mime   string
	err    error
}

var errURL = errors.New("the URL is none of http or https, such as https://host/path")

// wholeURL checks a URL; one without a scheme is one of http, as OpenSIPS takes it.
func wholeURL(text string) (string, error) {
	if i := strings.Index(text, "://"); i < 0 || strings.ContainsAny(text[:i], "/?#") {
		text = "http://" + text
	}
	if u, err := url.Parse(text); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", errURL
	}
	return text, nil
}

// do sends a request and waits for the answer.
func (c *client) do(r *request) (a answer) {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	default:
		return answer{code: codeInternal, err: errors.New("too many requests are under way")}
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout)
	defer cancel()
	whole, err := wholeURL(r.url)
	if err != nil {
		return answer{code: codeInternal, err: err}
	}
	req, err := http.NewRequestWithContext(ctx, r.method, whole, bytes.NewReader(r.body))
	if err != nil {
		return answer{code: codeInternal, err: errURL}
	}
	if r.mime != "" {
		req.Header.Set("Content-Type", r.mime)
	}
	for _, h := range r.headers {
		name, value, ok := strings.Cut(h, ":")
		if !ok {
			return answer{code: codeInternal, err: errors.New("a header has no colon")}
		}
		req.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	if c.expect && len(r.body) > 1024 {
		req.Header.Set("Expect", "100-continue")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{code: codeOf(err), err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	a.status, a.mime = resp.StatusCode, resp.Header.Get("Content-Type")
	a.code = codeOK
	if a.body, err = c.read(resp); err != nil {
		a.code, a.err = codeOf(err), err
	}
	return a
}

// codeOf gives the code of an error.
func codeOf(err error) int {
	var dial *dialError
	var timeout interface{ Timeout() bool }
	late := errors.As(err, &timeout) && timeout.Timeout()
	switch {
	case errors.Is(err, errConnecting):
		return codeBusy
	case errors.Is(err, syscall.ECONNREFUSED):
		return codeRefused
	case errors.As(err, &dial) && late:
		return codeConnect
	case errors.As(err, &dial):
		return codeRefused
	case late:
		return codeTransfer
	default:
		return codeInternal
	}
}
