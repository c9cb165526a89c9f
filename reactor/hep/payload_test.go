package hep

import (
	"crypto/x509"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"sipreactor/reactor"
	"sipreactor/tlsstate"
)

func parse(t *testing.T) (peer, own *x509.Certificate) {
	t.Helper()
	return certificate(t, "peer"), certificate(t, "own")
}

func TestPayloadGolden(t *testing.T) {
	peer, own := parse(t)
	tlsSource := reactor.Source{Proto: reactor.TLS}
	const lines = "CLIENT_RANDOM aa bb\n"
	for _, c := range []struct {
		name         string
		event        Event
		json, homer5 string
	}{
		{"everything",
			Event{Kind: Accepted, Source: tlsSource, Message: "Connection accepted...", Secrets: lines,
				TLS: &tlsstate.State{Peer: []*x509.Certificate{peer, own}, Own: own}},
			`{"Protocol":"TLS","client-subject":"/CN=peer","client-issuer":"/CN=issuer of peer",` +
				`"server-subject":"/CN=own","server-issuer":"/CN=issuer of own",` +
				`"master-key":"CLIENT_RANDOM aa bb\n","Event":"ACCEPTED","Status":"SUCCESS","Message":"Connection accepted..."}`,
			"TLS:/CN=peer:/CN=issuer of peer:/CN=own:/CN=issuer of own:CLIENT_RANDOM aa bb\n:ACCEPTED:SUCCESS:Connection accepted..."},
		{"no certificate of the peer",
			Event{Kind: Accepted, Source: tlsSource, TLS: &tlsstate.State{Own: own}},
			`{"Protocol":"TLS","server-subject":"/CN=own","server-issuer":"/CN=issuer of own","Event":"ACCEPTED","Status":"SUCCESS","Message":""}`,
			"TLS:/CN=own:/CN=issuer of own:ACCEPTED:SUCCESS:"},
		{"no certificate of ours",
			Event{Kind: Connected, Source: tlsSource, TLS: &tlsstate.State{Peer: []*x509.Certificate{peer}}, Message: "m"},
			`{"Protocol":"TLS","client-subject":"/CN=peer","client-issuer":"/CN=issuer of peer","Event":"CONNECTED","Status":"SUCCESS","Message":"m"}`,
			"TLS:/CN=peer:/CN=issuer of peer:CONNECTED:SUCCESS:m"},
		{"closed",
			Event{Kind: Closed, Source: tlsSource, Failed: true, Message: "read error: reset"},
			`{"Protocol":"TLS","Event":"CLOSED","Status":"FAILURE","Message":"read error: reset"}`,
			"TLS:CLOSED:FAILURE:read error: reset"},
		{"plain TCP",
			Event{Kind: Fault, Source: reactor.Source{Proto: reactor.TCP}, Failed: true, Message: `"\` + "\x01\t"},
			`{"Protocol":"TCP","Event":"ERROR","Status":"FAILURE","Message":"\"\\\u0001\t"}`,
			"TCP:ERROR:FAILURE:\"\\\x01\t"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := string(c.event.appendPayload(nil, &Style{})); got != c.json {
				t.Errorf("wrote\n%s\nwant\n%s", got, c.json)
			}
			if got := string(c.event.appendPayload(nil, &Style{Homer5: true})); got != c.homer5 {
				t.Errorf("wrote\n%s\nwant\n%s", got, c.homer5)
			}
			other := string(c.event.appendPayload(nil, &Style{Homer5: true, Delimiter: "||"}))
			if !strings.Contains(other, "||"+string(c.event.Kind)+"||") {
				t.Errorf("with another delimiter: %s", other)
			}
		})
	}
}

func TestPayloadKeysInOrder(t *testing.T) {
	peer, own := parse(t)
	e := Event{Kind: Accepted, Secrets: "x", TLS: &tlsstate.State{Peer: []*x509.Certificate{peer}, Own: own}}
	got := keysOf(t, e.appendPayload(nil, &Style{}))
	want := []string{"Protocol", "client-subject", "client-issuer", "server-subject", "server-issuer",
		"master-key", "Event", "Status", "Message"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("keys %q", got)
	}
}

// An event fits into a packet, and is whole there, whatever its texts are.
func TestPayloadBounded(t *testing.T) {
	long := certificate(t, strings.Repeat("\x01ü", 40000))
	e := Event{Kind: Accepted, Message: strings.Repeat("\x01", 100000), Secrets: strings.Repeat("s", 2000),
		TLS: &tlsstate.State{Peer: []*x509.Certificate{long}, Own: long}}
	payload := e.appendPayload(nil, &Style{})
	if len(payload) > MaxPacket/2 || !json.Valid(payload) {
		t.Errorf("%d bytes, valid %v", len(payload), json.Valid(payload))
	}
}

func TestClip(t *testing.T) {
	for _, c := range []struct {
		text string
		want int
	}{
		{"", 0},
		{strings.Repeat("x", textLimit), textLimit},
		{strings.Repeat("x", textLimit+1), textLimit},
		{strings.Repeat("ü", textLimit), textLimit},
		{"x" + strings.Repeat("ü", textLimit), textLimit - 1},
		{"xy" + strings.Repeat("\U0001F600", textLimit), textLimit - 2},
	} {
		if got := clip(c.text); len(got) != c.want || !utf8.ValidString(got) {
			t.Errorf("of %d bytes %d stay, valid %v", len(c.text), len(got), utf8.ValidString(got))
		}
	}
}

func FuzzPayload(f *testing.F) {
	f.Add("handshake failed", "", ":")
	f.Add("\xff\xfe\x00\x7f\u2028\"\\", "CLIENT_RANDOM aa bb\n", "")
	f.Fuzz(func(t *testing.T, message, secrets, delimiter string) {
		e := Event{Kind: Closed, Source: reactor.Source{Proto: reactor.TLS}, Message: message, Secrets: secrets}
		payload := e.appendPayload(nil, &Style{})
		var m map[string]string
		if err := json.Unmarshal(payload, &m); err != nil || !utf8.Valid(payload) {
			t.Fatalf("%v in %q", err, payload)
		}
		if want := strings.ToValidUTF8(clip(message), "\uFFFD"); utf8.ValidString(message) && m["Message"] != want {
			t.Errorf("%q is read as %q", want, m["Message"])
		}
		delimiter = strings.ToValidUTF8(delimiter, "")
		if joined := e.appendPayload(nil, &Style{Homer5: true, Delimiter: delimiter}); !utf8.Valid(joined) {
			t.Errorf("no UTF-8: %q", joined)
		}
	})
}
