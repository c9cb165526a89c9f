package hep_test

import (
	"fmt"
	"net"
	"net/netip"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/hep"
)

func Example() {
	collector, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer collector.Close()

	to, err := hep.ParseID("[homer]" + collector.LocalAddr().String() + ";transport=udp")
	if err != nil {
		fmt.Println(err)
		return
	}
	sender, err := hep.NewSender(hep.SenderConfig{Destination: to})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sender.Close()
	tracer := hep.New(hep.Config{TLS: hep.Lane{To: sender, On: true}, CaptureID: 1})

	// An engine does this when it has the tracer as its Config.Observer.
	src := &reactor.Source{Conn: 4294967297, Proto: reactor.TLS,
		Remote: netip.MustParseAddrPort("192.0.2.9:40000"), Local: netip.MustParseAddrPort("198.51.100.1:5061")}
	tracer.Observe(&reactor.Event{Kind: reactor.ConnAccepted, Src: src, Time: time.Now()})
	tracer.Observe(&reactor.Event{Kind: reactor.ConnEstablished, Src: src, Time: time.Now()})

	buf := make([]byte, hep.MaxPacket)
	n, _, err := collector.ReadFrom(buf)
	if err != nil {
		fmt.Println(err)
		return
	}
	var p hep.Packet
	if err := p.Decode(buf[:n]); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Source, p.Target, string(p.Correlation))
	fmt.Println(string(p.Payload))
	// Output:
	// 192.0.2.9:40000 198.51.100.1:5061 4294967297
	// {"Protocol":"TLS","Event":"ACCEPTED","Status":"SUCCESS","Message":"Connection accepted..."}
}
