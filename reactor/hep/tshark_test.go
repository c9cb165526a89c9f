package hep

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor"
)

// recording is a pcap file of raw IPv4 packets from one end point to another.
type recording struct {
	bytes.Buffer
	sequence uint32
}

const (
	ipTCP = 6
	ipUDP = 17
)

func newRecording() *recording {
	r := &recording{sequence: 1}
	const rawIP = 101
	for _, v := range []any{uint32(0xa1b2c3d4), uint16(2), uint16(4), int32(0), uint32(0), uint32(1 << 18), uint32(rawIP)} {
		_ = binary.Write(r, binary.LittleEndian, v)
	}
	return r
}

// packet adds one IPv4 packet from 127.0.0.1 to itself.
func (r *recording) packet(protocol byte, body []byte) {
	total := 20 + len(body)
	for _, v := range []uint32{1, 0, uint32(total), uint32(total)} {
		_ = binary.Write(r, binary.LittleEndian, v)
	}
	r.Write([]byte{0x45, 0, byte(total >> 8), byte(total), 0, 0, 0, 0, 64, protocol, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1})
	r.Write(body)
}

func (r *recording) datagram(data []byte) {
	head := binary.BigEndian.AppendUint16([]byte{0x9c, 0x40}, 9060)
	head = binary.BigEndian.AppendUint16(head, uint16(8+len(data)))
	r.packet(ipUDP, append(append(head, 0, 0), data...))
}

func (r *recording) segment(data []byte) {
	head := binary.BigEndian.AppendUint16([]byte{0x9c, 0x40}, 9060)
	head = binary.BigEndian.AppendUint32(head, r.sequence)
	head = append(head, 0, 0, 0, 1, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0)
	r.packet(ipTCP, append(head, data...))
	r.sequence += uint32(len(data))
}

// dissect has tshark print fields of a recording, one line a packet.
func dissect(t *testing.T, r *recording, filter string, fields ...string) string {
	t.Helper()
	// Debian's tshark has no dissector of HEP: it gets one.
	return tsharkReads(t, r, filter, fields, "-X", "lua_script:testdata/hep.lua", "-d", "udp.port==9060,hep3", "-d", "tcp.port==9060,hep3")
}

// tsharkReads has tshark print fields of what a filter finds in a recording.
func tsharkReads(t *testing.T, r *recording, filter string, fields []string, options ...string) string {
	t.Helper()
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not installed: nobody else to read our packets")
	}
	file := filepath.Join(t.TempDir(), "hep.pcap")
	if err := os.WriteFile(file, r.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"-n", "-r", file, "-Y", filter, "-T", "fields"}, options...)
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	cmd := exec.Command(tshark, args...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "LC_ALL=C")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark: %v\n%s", err, errs.String())
	}
	return strings.TrimRight(string(out), "\n")
}

// story is what a sender sends of a connection, an IPv6 one, and a message.
func story(t *testing.T) [][]byte {
	t.Helper()
	b := newBench(t, func(c *Config) {
		c.SIP = SIP{On: true, IDs: only(c.TLS.To)}
		c.AuthKey = "key"
	})
	v4, v6 := source(4294967297, false), source(8589934594, true)
	v6.Remote, v6.Local = netip.MustParseAddrPort("[2001:db8::9]:5061"), netip.MustParseAddrPort("[2001:db8::1]:40001")
	at := time.Unix(1795384430, 123456000)
	b.Observe(&reactor.Event{Kind: accepted, Src: v4})
	b.Observe(&reactor.Event{Kind: established, Src: v4, Time: at})
	traceMessage(b.Tracer, v4, []byte("OPTIONS sip:a@b SIP/2.0\r\nCall-ID: one@two\r\nContent-Length: 0\r\n\r\n"), false)
	b.Observe(&reactor.Event{Kind: closed, Src: v4, Time: at, Err: orderly})
	b.Observe(&reactor.Event{Kind: started, Src: v6})
	b.Observe(&reactor.Event{Kind: closed, Src: v6, Time: at, Err: refused})
	b.await(4)
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.wire
}

var storyFields = []string{"hep3.family", "hep3.protocol", "hep3.src4", "hep3.srcport", "hep3.dst6", "hep3.dstport", "hep3.type", "hep3.capture",
	"hep3.correlation", "hep3.key", "sip.Method", "sip.Call-ID", "json.value.string"}

const storyTold = `2	22	192.0.2.9	40000		5061	0x59	1	4294967297	key			TLS,ACCEPTED,SUCCESS,Connection accepted...
2	22	192.0.2.9	40000		5061	0x01	1	4294967297	key	OPTIONS	one@two	
2	22	192.0.2.9	40000		5061	0x59	1	4294967297	key			TLS,CLOSED,SUCCESS,peer closed
10	22		5061	2001:db8::1	40001	0x59	1	8589934594	key			TLS,CONNECTED,FAILURE,connect failed: connection refused`

func TestTsharkDatagrams(t *testing.T) {
	r := newRecording()
	for _, wire := range story(t) {
		r.datagram(wire)
	}
	if got := dissect(t, r, "hep3", storyFields...); got != storyTold {
		t.Errorf("tshark reads\n%s\nwant\n%s", got, storyTold)
	}
	if got := dissect(t, r, "hep3.bad || _ws.malformed", "frame.number"); got != "" {
		t.Errorf("malformed: %s", got)
	}
	if got, want := dissect(t, r, "hep3.type == 0x59 && hep3.srcport == 5061", "hep3.sec", "hep3.usec"), "1795384430\t123456"; got != want {
		t.Errorf("time %q", got)
	}
}

// The same as a stream, cut where no packet ends.
func TestTsharkStream(t *testing.T) {
	r := newRecording()
	stream := bytes.Join(story(t), nil)
	for i := 0; len(stream) > 0; i++ {
		n := min(len(stream), 3+i*41%97)
		r.segment(stream[:n])
		stream = stream[n:]
	}
	if got := dissect(t, r, "hep3", "hep3.correlation"); strings.Join(strings.FieldsFunc(got, func(c rune) bool { return c == '\n' || c == ',' }), " ") !=
		"4294967297 4294967297 4294967297 8589934594" {
		t.Errorf("tshark reads\n%s", got)
	}
	if got := dissect(t, r, "hep3.bad || _ws.malformed", "frame.number"); got != "" {
		t.Errorf("malformed: %s", got)
	}
}
