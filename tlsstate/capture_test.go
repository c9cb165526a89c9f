package tlsstate_test

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

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

// capture writes what two machines send each other as a pcap file of raw IPv4
// packets, as tcpdump would have seen it.
type capture struct {
	file bytes.Buffer
	seq  [2]uint32
}

// rawIP is the link type of packets without a link (LINKTYPE_RAW).
const rawIP = 101

func newCapture() *capture {
	c := new(capture)
	for _, v := range []any{uint32(0xa1b2c3d4), uint16(2), uint16(4), uint32(0), uint32(0), uint32(1 << 16), uint32(rawIP)} {
		_ = binary.Write(&c.file, binary.LittleEndian, v)
	}
	c.packet(0, nil, 0x02) // SYN
	c.packet(1, nil, 0x12)
	c.packet(0, nil, 0x10)
	return c
}

// packet adds one segment, from the client (0) or from the server (1).
func (c *capture) packet(from int, data []byte, flags byte) {
	ends := [2]netip.AddrPort{tlstest.Caller, tlstest.Listener}
	src, dst := ends[from], ends[1-from]
	ip := make([]byte, 40, 40+len(data))
	ip[0], ip[8], ip[9] = 0x45, 64, 6
	binary.BigEndian.PutUint16(ip[2:], uint16(40+len(data)))
	copy(ip[12:], src.Addr().AsSlice())
	copy(ip[16:], dst.Addr().AsSlice())
	tcp := ip[20:]
	binary.BigEndian.PutUint16(tcp, src.Port())
	binary.BigEndian.PutUint16(tcp[2:], dst.Port())
	binary.BigEndian.PutUint32(tcp[4:], c.seq[from])
	binary.BigEndian.PutUint32(tcp[8:], c.seq[1-from])
	tcp[12], tcp[13] = 5<<4, flags
	binary.BigEndian.PutUint16(tcp[14:], 0xffff)
	ip = append(ip, data...)
	now := time.Now()
	for _, v := range []uint32{uint32(now.Unix()), uint32(now.Nanosecond() / 1000), uint32(len(ip)), uint32(len(ip))} {
		_ = binary.Write(&c.file, binary.LittleEndian, v)
	}
	c.file.Write(ip)
	c.seq[from] += uint32(len(data))
	if flags&0x02 != 0 {
		c.seq[from]++
	}
}

// carry is carry, with the capture listening.
func (c *capture) carry(number int, from, to *tlstest.End) (some bool) {
	return tlstest.Carry(from, to, func(n int) int {
		n = min(n, 1400)
		c.packet(number, from.Output()[:n], 0x18)
		return n
	})
}

func (c *capture) wire(client, server *tlstest.End) {
	for c.carry(0, client, server) || c.carry(1, server, client) {
	}
}

// With the key log, tshark reads the SIP inside a capture.
func TestKeyLogDecryptsCapture(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("the tshark program is not installed (apt-get install tshark)")
	}
	w := tlstest.NewWorld(t)
	for _, version := range []string{"TLSv1_2", "TLSv1_3"} {
		t.Run(version, func(t *testing.T) {
			dir := t.TempDir()
			keys, pcap := filepath.Join(dir, "keys.log"), filepath.Join(dir, "call.pcap")
			log, err := tlsstate.OpenKeyLog(keys)
			if err != nil {
				t.Fatal(err)
			}
			defer log.Close()
			s := w.ServerDomain()
			s.Method = version
			set := buildConfig(t, tlsstate.Config{Domains: []tlsstate.DomainConfig{s, w.ClientDomain()}, KeyLog: log})
			server, client := tlstest.NewServer(t, set), tlstest.NewClient(t, set, "sip.example.com")
			c := newCapture()
			client.Step(nil)
			c.wire(client, server)
			request := "OPTIONS sip:trunk@example.com SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.77;branch=z9hG4bK1\r\n" +
				"From: <sip:a@example.com>;tag=1\r\nTo: <sip:trunk@example.com>\r\nCall-ID: captured-" + version + "\r\n" +
				"CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
			if _, err := client.Write([]byte(request)); err != nil {
				t.Fatal(err)
			}
			c.wire(client, server)
			if server.In.String() != request {
				t.Fatalf("%q arrived: %v", server.In.String(), server.Err)
			}
			if err := os.WriteFile(pcap, c.file.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			read := func(args ...string) string {
				args = append([]string{"-r", pcap, "-d", "tcp.port==5061,tls", "-Y", "sip", "-T", "fields", "-e", "sip.Method", "-e", "sip.Call-ID"}, args...)
				cmd := exec.Command(tshark, args...)
				cmd.Env = append(os.Environ(), "HOME="+dir)
				out, err := cmd.Output()
				if err != nil {
					t.Fatal(err)
				}
				return strings.TrimSpace(string(out))
			}
			if got, want := read("-o", "tls.keylog_file:"+keys), "OPTIONS\tcaptured-"+version; got != want {
				t.Errorf("tshark reads %q, want %q", got, want)
			}
			if got := read(); got != "" {
				t.Errorf("tshark reads %q without keys", got)
			}
		})
	}
}
