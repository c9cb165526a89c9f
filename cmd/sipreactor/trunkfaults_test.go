package main

import (
	"crypto/tls"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sipreactor/cmd/sipreactor/load"
)

// The load of TestTrunkFaults: how many calls, and the time between two. 4,000 of 200 a second pass as well.
const (
	faultCalls = 500
	faultPace  = 20 * time.Millisecond
)

// pbx calls over one TLS connection and keeps what becomes of each call.
type pbx struct {
	conn *tls.Conn

	mu     sync.Mutex
	began  map[string]time.Time
	final  map[string]int // by Call-ID
	took   map[string]time.Duration
	finals map[string]int // how many
}

func dialPBX(t *testing.T, addr string) *pbx {
	t.Helper()
	conn, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	p := &pbx{conn: conn, began: map[string]time.Time{}, final: map[string]int{}, took: map[string]time.Duration{}, finals: map[string]int{}}
	done := make(chan struct{})
	go func() { defer close(done); p.read() }()
	t.Cleanup(func() { conn.Close(); <-done })
	return p
}

// read takes responses, and acknowledges those that are final.
func (p *pbx) read() {
	in := load.NewReader(p.conn)
	var m load.Message
	for in.Next(&m) == nil {
		if m.Request || m.Status < 200 || string(m.CSeqMethod()) != "INVITE" {
			continue
		}
		id := string(m.CallID)
		p.mu.Lock()
		p.finals[id]++
		if p.finals[id] == 1 {
			p.final[id], p.took[id] = m.Status, time.Since(p.began[id])
		}
		p.mu.Unlock()
		p.write("ACK", id, string(m.To))
	}
}

// write sends a request of a call, whose number is the first part of its Call-ID.
func (p *pbx) write(method, id, to string) {
	number, _, _ := strings.Cut(id, "-")
	at := p.conn.LocalAddr().String()
	_, _ = fmt.Fprintf(p.conn, "%[1]s sip:%[2]s@example.com SIP/2.0\r\nVia: SIP/2.0/TLS %[3]s;branch=z9hG4bK%[4]s\r\nMax-Forwards: 70\r\nFrom: <sip:a@example.com>;tag=1\r\n"+
		"To: %[5]s\r\nCall-ID: %[4]s\r\nCSeq: 1 %[1]s\r\nContact: <sip:a@%[3]s;transport=tls>\r\nContent-Length: 0\r\n\r\n", method, number, at, id, to)
}

// call begins a call to a number.
func (p *pbx) call(number string, n int) {
	id := number + "-" + strconv.Itoa(n)
	p.mu.Lock()
	p.began[id] = time.Now()
	p.mu.Unlock()
	p.write("INVITE", id, "<sip:"+number+"@example.com>")
}

func (p *pbx) answered() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.final)
}

// TestTrunkFaults: a PBX calls by two carriers of three gateways each, and the gateway that comes first is broken,
// in each of the ways that there are. No call fails: all end at a gateway that answers 486.
func TestTrunkFaults(t *testing.T) {
	t.Parallel()
	ca, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	server, err := ca.ServerConfig("ecdsa", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	gateway := func(fault load.Fault) string {
		f, err := load.NewFaulty(fault, server)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(f.Close)
		return strings.Replace(f.URI(), "x@", "", 1)
	}
	var sound [5]string
	for i := range sound {
		sound[i] = gateway(load.Sound)
	}
	// The carrier of each fault has a gateway of its own before the two that it shares with the others.
	faults := map[string]string{"nowhere": "sip:nowhere.invalid:5061;transport=tls"}
	for _, fault := range load.Faults {
		faults[string(fault)] = gateway(fault)
	}
	names := slices.Sorted(maps.Keys(faults))
	gateways, carriers, rules := "gwid,type,address,strip,pri_prefix,attrs,probe_mode\n", "carrierid,gwlist,sort_alg,attrs\n", "groupid,prefix,timerec,priority,gwlist,attrs\n"
	for i, uri := range sound {
		gateways += fmt.Sprintf("s%d,1,%s,0,,,2\n", i, uri)
	}
	carriers += "B,\"s2,s3,s4\",N,\n"
	for i, name := range names {
		gateways += fmt.Sprintf("f%d,1,%s,0,,,2\n", i, faults[name])
		carriers += fmt.Sprintf("A%[1]d,\"f%[1]d,s0,s1\",N,\n", i)
		rules += fmt.Sprintf("0,%d,,0,\"#A%d,#B\",\n", 100+i, i)
	}
	dir := t.TempDir()
	pairs := []string{`"drouting", "probing_interval", 10`, `"drouting", "probing_interval", 1`, `"fr_inv_timeout", 120`, `"fr_inv_timeout", 6`,
		`modparam("drouting", "extra_prefix_chars", "+")`, `modparam("drouting", "force_dns", 0)`}
	for name, text := range map[string]string{"gateways.csv": gateways, "carriers.csv": carriers, "rules.csv": rules} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		pairs = append(pairs, `"/etc/sipreactor/`+name+`"`, `"`+path+`"`)
	}
	c := try(t, "trunk-edge", pairs...)
	p := dialPBX(t, c.tls)
	tick := time.NewTicker(faultPace)
	defer tick.Stop()
	for n := range faultCalls {
		<-tick.C
		p.call(strconv.Itoa(100+n%len(names)), n)
	}
	c.eventually("all calls are answered", func() bool { return p.answered() == faultCalls })

	p.mu.Lock()
	defer p.mu.Unlock()
	codes, slowest := map[string]map[int]int{}, map[string]time.Duration{}
	for id, code := range p.final {
		number, _, _ := strings.Cut(id, "-")
		n, _ := strconv.Atoi(number)
		name := names[n-100]
		if codes[name] == nil {
			codes[name] = map[int]int{}
		}
		codes[name][code]++
		slowest[name] = max(slowest[name], p.took[id])
		if code != 486 || p.finals[id] != 1 {
			t.Errorf("call %s, whose first gateway is %s: %d, %d finals, after %v", id, name, code, p.finals[id], p.took[id])
		}
	}
	for _, name := range names {
		t.Logf("%-12s slowest %5.2f s %v", name, slowest[name].Seconds(), codes[name])
	}
}
