package sipframe_test

import (
	"bytes"
	"fmt"

	"sipreactor/sipframe"
)

// A proxy's way with a message: cut it out of the stream, index it, check it,
// write what goes on.
func Example() {
	stream := []byte("\r\n\r\n" +
		"OPTIONS sip:bob@example.com SIP/2.0\r\n" +
		"Via: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bK1;rport\r\n" +
		"Max-Forwards: 70\r\n" +
		"From: <sip:alice@example.com>;tag=1\r\n" +
		"To: <sip:bob@example.com>\r\n" +
		"Call-ID: 1@192.0.2.1\r\n" +
		"CSeq: 1 OPTIONS\r\n" +
		"Content-Length: 0\r\n\r\n")
	var (
		framer  sipframe.Framer
		message sipframe.Message
		verdict sipframe.Verdict
		writer  sipframe.Rewriter
	)
	cfg := &sipframe.FramerConfig{PingPong: true}
	for data := stream; ; {
		cut := framer.Next(cfg, data)
		switch cut.Kind {
		case sipframe.NeedMore:
			return // data[cut.Start:] comes again, with what is read next
		case sipframe.Bad:
			fmt.Println("malformed message:", cut.Defect)
			return
		case sipframe.Dropped:
		case sipframe.Ping:
			fmt.Println("answer the ping")
		case sipframe.Frame:
			_ = message.Parse(data[cut.Start:cut.End]) // Validate tells
			if message.Validate(&verdict); verdict.Code != 0 {
				fmt.Println(verdict.Code, verdict.Reason)
				break
			}
			hops, _, _ := message.MaxForwards()
			via, _ := message.TopVia()
			writer.Reset(&message)
			writer.Prepend([]byte("Via: SIP/2.0/TLS 203.0.113.1;branch=z9hG4bK2\r\n"))
			writer.Insert(via.Span.End(), []byte(";received=192.0.2.9"))
			writer.ReplaceUint(message.Header(message.Find(sipframe.HeaderMaxForwards)).Value, uint64(hops-1))
			for _, line := range bytes.Split(writer.AppendTo(nil), []byte("\r\n"))[:4] {
				fmt.Printf("%s\n", line)
			}
		}
		data = data[cut.End:]
	}
	// Output:
	// answer the ping
	// OPTIONS sip:bob@example.com SIP/2.0
	// Via: SIP/2.0/TLS 203.0.113.1;branch=z9hG4bK2
	// Via: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bK1;rport;received=192.0.2.9
	// Max-Forwards: 69
}

// A stream that comes in pieces: what NeedMore leaves is given again.
func ExampleFramer() {
	var framer sipframe.Framer
	cfg := &sipframe.FramerConfig{}
	var kept []byte
	for _, read := range []string{"MESSAGE sip:a@b SIP/2.0\r\nl", ": 5\r\n\r\nhel", "lo", "GET /"} {
		data := append(kept, read...)
		for {
			cut := framer.Next(cfg, data)
			if cut.Kind == sipframe.NeedMore {
				kept = data[cut.Start:]
				fmt.Println(len(kept), "bytes kept")
				break
			}
			if cut.Kind == sipframe.Bad {
				fmt.Println("bad:", cut.Defect.Reason)
				return
			}
			fmt.Printf("%s of %d bytes\n", cut.Kind, cut.End-cut.Start)
			data = data[cut.End:]
		}
	}
	// Output:
	// 26 bytes kept
	// 36 bytes kept
	// Frame of 38 bytes
	// 0 bytes kept
	// bad: HTTP on a SIP Stream
}

func ExampleMessage_Values() {
	var m sipframe.Message
	if err := m.Parse([]byte("ACK sip:c SIP/2.0\r\nRoute: <sip:a;lr>, \"B, b\" <sip:b;lr>\r\nRoute: <sip:c>\r\n\r\n")); err != nil {
		fmt.Println(err)
	}
	routes := m.Values(sipframe.HeaderRoute)
	for v, ok := routes.Next(); ok; v, ok = routes.Next() {
		var a sipframe.NameAddr
		if err := m.NameAddr(v, &a); err == nil {
			fmt.Printf("%s\n", m.Bytes(a.URI))
		}
	}
	// Output:
	// sip:a;lr
	// sip:b;lr
	// sip:c
}

func ExampleParseURI() {
	b := []byte("sip:+4930123456@[2001:db8::1]:5061;transport=tls")
	var u sipframe.URI
	if err := sipframe.ParseURI(b, &u); err != nil {
		fmt.Println(err)
	}
	transport, _ := u.Param(b, "Transport")
	fmt.Printf("%s %s %d %s\n", u.User.In(b), u.Host.In(b), u.Port, transport)
	// Output: +4930123456 [2001:db8::1] 5061 tls
}

func ExampleEqualURI() {
	a, b := []byte("sip:%61lice@atlanta.com;transport=TCP"), []byte("sip:alice@AtLanTa.CoM;Transport=tcp")
	fmt.Println(sipframe.EqualURI(a, b))
	// Output: true
}

func ExampleParams() {
	params := sipframe.Params([]byte(`q=0.5;text="a;b";lr`))
	for p, ok := params.Next(); ok; p, ok = params.Next() {
		fmt.Printf("%s %v %s\n", p.Name, p.HasValue, sipframe.Unquote(p.Value, nil))
	}
	// Output:
	// q true 0.5
	// text true a;b
	// lr false
}
