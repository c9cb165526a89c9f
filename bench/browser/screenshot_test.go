package browser

import (
	"context"
	"flag"
	"fmt"
	"math"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// screenshot is where TestScreenshot puts the picture that README shows; seconds is for how long it lets traffic flow
// before. With a folder's name, which ends in a slash, it puts one of each kind there, to look at.
var (
	screenshot = flag.String("screenshot", "", "file to put the picture for README into, or folder/ for all")
	seconds    = flag.Int("seconds", 60, "how long traffic flows before the picture is taken")
)

// TestScreenshot makes pictures of a program that is at work. Without -screenshot it is skipped.
func TestScreenshot(t *testing.T) {
	if *screenshot == "" {
		t.Skip("no -screenshot is asked for")
	}
	e := start(t, `modparam("proto_tls", "tls_send_timeout", 60000)
modparam("proto_tls", "tls_async_max_postponed_chunks", 2000)
modparam("proto_tls", "tls_max_msg_chunks", 64)
`)
	e.pki.make(t, "partner", "sbc-1.partner.example", 400)
	e.pki.make(t, "hostile", hostile, 10)
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(*seconds)*time.Second)
	defer cancel()
	traffic(ctx, t, e)

	all := strings.HasSuffix(*screenshot, "/")
	kinds := []struct {
		name          string
		width, height int64
		dark          string
	}{{"light", 1280, 1000, "light"}, {"dark", 1280, 1000, "dark"}, {"phone", 390, 1800, "light"}, {"phone-dark", 390, 844, "dark"}}
	if !all {
		kinds = kinds[:1]
	}
	for _, k := range kinds {
		p := open(t, e, k.width, k.height, &emulation.MediaFeature{Name: "prefers-color-scheme", Value: k.dark})
		p.live()
		p.until("the tables are filled", `document.querySelectorAll("#found tbody button").length > 0`)
		if !all {
			p.shot(*screenshot, false)
			return
		}
		p.shot(*screenshot+k.name+".png", k.width > 1000)
		p.run(chromedp.Evaluate(`document.querySelector("#found tbody tr:nth-child(2) button").click()`, nil))
		p.until("the details are there", `document.querySelector("#conn-body .events li")`)
		p.shot(*screenshot+k.name+"-conn.png", false)
		p.press("#conn-close")
		p.shot(*screenshot+k.name+"-ask.png", false)
	}
}

func (p *tab) shot(file string, whole bool) {
	p.t.Helper()
	var png []byte
	if whole {
		p.run(chromedp.FullScreenshot(&png, 100))
	} else {
		p.run(chromedp.CaptureScreenshot(&png))
	}
	if err := os.WriteFile(file, png, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// traffic lets peers of all kinds speak until ctx ends.
func traffic(ctx context.Context, t *testing.T, e *edge) {
	var peers []*peer
	for i := range 14 {
		e.from = &net.TCPAddr{IP: net.IPv4(127, 10, byte(i), 21)}
		peers = append(peers, e.dial(t, []string{"partner", "", "client", "hostile"}[i%4]))
	}
	e.from = &net.TCPAddr{IP: net.IPv4(127, 20, 0, 7)}
	asker := e.dial(t, "")
	quiet := silent(t)
	for i := 0; ctx.Err() == nil; i++ {
		for j, p := range peers {
			if (i+j)%5 < 2+j%3 {
				p.ask(t)
			}
		}
		switch i % 60 {
		case 3:
			_ = asker.send("MESSAGE", "sip:b@127.0.0.1:"+quiet+";transport=tls", "hello")
		case 17, 40:
			e.from = &net.TCPAddr{IP: net.IPv4(127, 30, byte(i%200), 4)}
			p := e.dial(t, "")
			p.ask(t)
			_ = p.Close()
		case 29:
			_ = asker.send("MESSAGE", "sip:b@127.0.0.1:9;transport=tcp", "hello")
		case 33:
			if i/60%4 == 0 {
				noTLS(t, e)
			}
		}
		time.Sleep(time.Duration(90+50*math.Sin(float64(i)/60)) * time.Millisecond)
	}
	// One reads nothing any more, and is sent answers until they have to wait.
	e.from = &net.TCPAddr{IP: net.IPv4(127, 20, 0, 9)}
	slow := e.dial(t, "partner")
	for !strings.Contains(e.mi(t, "", "list_tcp_conns"), `"Stuck":true`) {
		// The answer repeats Call-ID: it is as long as the request.
		if _, err := fmt.Fprintf(slow, "OPTIONS sip:edge.example.net SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bKs\r\nMax-Forwards: 70\r\n"+
			"From: <sip:a@example.net>;tag=1\r\nTo: <sip:b@example.net>\r\nCall-ID: %s\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
			strings.Repeat("x", 50000)); err != nil {
			t.Fatal(err)
		}
	}
}
