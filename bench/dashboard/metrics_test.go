package dashboard

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"sipreactor/bench/process"
	"sipreactor/cmd/sipreactor/load"
	"sipreactor/reactor/ports"
)

// patience bounds what a test waits for; nothing is asserted about time.
const patience = 30 * time.Second

// binary is the program, built for these tests.
var binary string

func TestMain(m *testing.M) { os.Exit(process.RunWith(m, "sipreactor/cmd/sipreactor", &binary)) }

// exposed are the metrics that a program exposes, by the names that expressions
// use: a histogram is three.
type exposed map[string]metric

type metric struct {
	counter bool
	labels  map[string]map[string]bool // the values that each label has
}

func (x exposed) add(name string, counter bool, pairs []*dto.LabelPair, more ...string) {
	m, ok := x[name]
	if !ok {
		m = metric{counter: counter, labels: make(map[string]map[string]bool)}
		x[name] = m
	}
	note := func(label, value string) {
		if m.labels[label] == nil {
			m.labels[label] = make(map[string]bool)
		}
		m.labels[label][value] = true
	}
	for _, p := range pairs {
		note(p.GetName(), p.GetValue())
	}
	for i := 0; i+1 < len(more); i += 2 {
		note(more[i], more[i+1])
	}
}

// ask gives what the program at a URL exposes.
func ask(url string) (exposed, error) {
	client := http.Client{Timeout: patience}
	resp, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s", resp.Status)
	}
	p := expfmt.NewTextParser(model.LegacyValidation)
	families, err := p.TextToMetricFamilies(resp.Body)
	if err != nil {
		return nil, err
	}
	all := make(exposed)
	for name, f := range families {
		for _, m := range f.GetMetric() {
			switch f.GetType() {
			case dto.MetricType_HISTOGRAM:
				all.add(name+"_sum", true, m.GetLabel())
				all.add(name+"_count", true, m.GetLabel())
				for _, b := range m.GetHistogram().GetBucket() {
					all.add(name+"_bucket", true, m.GetLabel(), "le", fmt.Sprint(b.GetUpperBound()))
				}
			default:
				all.add(name, f.GetType() == dto.MetricType_COUNTER, m.GetLabel())
			}
		}
	}
	return all, nil
}

// program is a sipreactor that runs.
type program struct {
	tls, tcp string // addresses
	metrics  string // URL
}

func start(t *testing.T) *program {
	t.Helper()
	port := func() string {
		p, err := ports.Unused()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	collector, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { collector.Close() })
	ca, err := load.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := ca.Write(dir, "edge", "ecdsa", "127.0.0.1"); err != nil {
		t.Fatal(err)
	}
	secure, plain, web := port(), port(), port()
	config, err := filepath.Abs("testdata/metrics.cfg")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "-f", config)
	cmd.Env = append(os.Environ(), "PEMS="+dir, "TLS_PORT="+secure, "TCP_PORT="+plain, "HTTP_PORT="+web, "STATE_DIRECTORY="+dir,
		fmt.Sprintf("HEP_PORT=%d", collector.LocalAddr().(*net.UDPAddr).Port))
	process.Start(t, "sipreactor", cmd).WaitLine(t, "msg=ready")
	token, err := os.ReadFile(filepath.Join(dir, "http_token"))
	if err != nil {
		t.Fatal(err)
	}
	web = "prometheus:" + strings.TrimSpace(string(token)) + "@127.0.0.1:" + web
	return &program{tls: "127.0.0.1:" + secure, tcp: "127.0.0.1:" + plain, metrics: "http://" + web + "/metrics"}
}

// keepBusy has the program count something of what it counts only when it
// happens: replies, refusals, broken streams and handshakes, failed connects.
func (p *program) keepBusy(t *testing.T) {
	t.Helper()
	secure, err := tls.Dial("tcp", p.tls, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { secure.Close() })
	_ = secure.SetDeadline(time.Now().Add(patience))
	nowhere, err := ports.Unused()
	if err != nil {
		t.Fatal(err)
	}
	const request = "%s sip:a@%s;transport=tcp SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1;branch=z9hG4bK%[1]s\r\nMax-Forwards: 70\r\n" +
		"From: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:a@127.0.0.1>\r\nCall-ID: %[1]s\r\nCSeq: 1 %[3]s\r\nContent-Length: 0\r\n\r\n"
	fmt.Fprintf(secure, request, "OPTIONS", p.tls, "OPTIONS")
	fmt.Fprintf(secure, request, "MESSAGE", "127.0.0.1:"+nowhere, "MESSAGE")
	fmt.Fprintf(secure, request, "INFO", p.tls, "INVITE") // refused: the methods differ
	for addr, text := range map[string]string{p.tls: "OPTIONS sip:a SIP/2.0\r\n\r\n", p.tcp: "GET / HTTP/1.1\r\n\r\n"} {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(patience))
		fmt.Fprint(c, text)
		_, _ = io.Copy(io.Discard, c)
		c.Close()
	}
}
