package reactor_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"sipreactor/reactor"
	"sipreactor/sipframe"
)

// answerer answers every request with 200 on the connection it came on. It
// copies no header, so it is no SIP element: package proxy is.
type answerer struct{}

func (answerer) Message(w *reactor.Worker, f *reactor.Frame) {
	response := reactor.Bytes("SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n")
	if _, err := w.Send(&reactor.Target{Conn: f.Src.Conn}, response); err != nil {
		fmt.Println("not sent:", err)
	}
}

func (answerer) Malformed(*reactor.Worker, *reactor.Frame, sipframe.Defect) {}

func (answerer) Undelivered(_ *reactor.Worker, u *reactor.Undelivered) {
	fmt.Println("not delivered:", u.Err)
}

// An engine with one plain TCP socket, and a client that asks it something.
func Example() {
	cfg := reactor.DefaultConfig()
	cfg.Sockets = []reactor.SocketConfig{{Proto: reactor.TCP, Addr: netip.MustParseAddrPort("127.0.0.1:0")}}
	engine, err := reactor.New(cfg, answerer{})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := engine.Start(); err != nil {
		fmt.Println(err)
		return
	}

	client, err := net.Dial("tcp", engine.Sockets()[0].Addr.String())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Fprint(client, "OPTIONS sip:127.0.0.1 SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 0\r\n\r\n")
	line, _ := bufio.NewReader(client).ReadString('\n')
	fmt.Println(strings.TrimSpace(line))
	client.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	fmt.Println("stopped:", engine.Stop(ctx))
	// Output:
	// SIP/2.0 200 OK
	// stopped: <nil>
}
