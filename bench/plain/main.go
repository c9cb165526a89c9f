// Command plain is a SIP proxy as it is written plainly: crypto/tls, a goroutine for each connection, messages as
// strings, a write for each. The comparison shows what the engine's loops, batches and views bring beside it.
//
// It does what the comparison's configurations do, without transactions: OPTIONS for itself is answered 200, anything
// else goes by Route or Request-URI over TLS, INVITE gets a Record-Route.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/pflag"
)

func main() {
	listen := pflag.String("listen", "127.0.0.1:5061", "address to listen on")
	pems := pflag.String("pems", ".", "directory of edge.pem, edge.key and ca.pem")
	pflag.Parse()
	if err := run(*listen, *pems); err != nil {
		fmt.Fprintln(os.Stderr, "plain:", err)
		os.Exit(1)
	}
}

func run(listen, pems string) error {
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
	ln, err := tls.Listen("tcp", listen, &tls.Config{Certificates: []tls.Certificate{pair}})
	if err != nil {
		return err
	}
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-end
		ln.Close()
	}()
	p := newProxy(listen, &tls.Config{RootCAs: roots})
	for {
		c, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		go p.serve(c)
	}
}
