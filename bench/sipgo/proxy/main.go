// Command proxy is a SIP proxy written with the library sipgo, as its documentation shows how: transactions on both
// sides, a goroutine for each request. The comparison sets it beside the engine.
//
// It does what the comparison's configurations do: OPTIONS for itself is answered 200, anything else goes by Route or
// Request-URI over TLS, INVITE gets a Record-Route.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:5061", "address to listen on")
	pems := flag.String("pems", ".", "directory of edge.pem, edge.key and ca.pem")
	flag.Parse()
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	if err := run(ctx, *listen, *pems); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "proxy:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, listen, pems string) error {
	pair, err := tls.LoadX509KeyPair(filepath.Join(pems, "edge.pem"), filepath.Join(pems, "edge.key"))
	if err != nil {
		return err
	}
	authority, err := os.ReadFile(filepath.Join(pems, "ca.pem"))
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		return errors.New("no certificate in ca.pem")
	}
	host, text, err := net.SplitHostPort(listen)
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	ua, err := sipgo.NewUA(sipgo.WithUserAgenTLSConfig(&tls.Config{RootCAs: roots}))
	if err != nil {
		return err
	}
	server, err := sipgo.NewServer(ua)
	if err != nil {
		return err
	}
	client, err := sipgo.NewClient(ua, sipgo.WithClientHostname(host), sipgo.WithClientPort(port))
	if err != nil {
		return err
	}
	p := &proxy{client: client, host: host, port: port}
	server.OnNoRoute(p.request)
	return server.ListenAndServeTLS(ctx, "tls", listen, &tls.Config{Certificates: []tls.Certificate{pair}})
}

type proxy struct {
	client *sipgo.Client
	host   string
	port   int
}

// own tells whether a URI is ours.
func (p *proxy) own(u *sip.Uri) bool { return u.Host == p.host && u.Port == p.port }

func (p *proxy) request(req *sip.Request, tx sip.ServerTransaction) {
	if req.Method == sip.OPTIONS && p.own(&req.Recipient) {
		_ = tx.Respond(sip.NewResponseFromRequest(req, sip.StatusOK, "OK", nil))
		return
	}
	if h := req.Route(); h != nil && p.own(&h.Address) {
		req.RemoveHeader("Route")
	}
	next := &req.Recipient
	if h := req.Route(); h != nil {
		next = &h.Address
	}
	req.SetDestination(net.JoinHostPort(next.Host, strconv.Itoa(next.Port)))
	req.SetTransport("TLS")
	options := []sipgo.ClientRequestOption{sipgo.ClientRequestDecreaseMaxForward, sipgo.ClientRequestAddVia}
	if req.Method == sip.INVITE {
		options = append(options, sipgo.ClientRequestAddRecordRoute)
	}
	if req.IsAck() {
		_ = p.client.WriteRequest(req, options...)
		return
	}
	if err := p.forward(req, tx, options); err != nil {
		_ = tx.Respond(sip.NewResponseFromRequest(req, sip.StatusServiceUnavailable, "Service Unavailable", nil))
	}
}

// forward sends a request on and hands its responses back until the final one.
func (p *proxy) forward(req *sip.Request, tx sip.ServerTransaction, options []sipgo.ClientRequestOption) error {
	out, err := p.client.TransactionRequest(context.Background(), req.Clone(), options...)
	if err != nil {
		return err
	}
	defer out.Terminate()
	for {
		select {
		case res, ok := <-out.Responses():
			if !ok {
				return errors.New("no more responses")
			}
			res.SetDestination(req.Source())
			res.RemoveHeader("Via")
			if err := tx.Respond(res); err != nil || res.StatusCode >= 200 {
				return err
			}
		case <-out.Done():
			return out.Err()
		case <-tx.Done():
			return tx.Err()
		}
	}
}
