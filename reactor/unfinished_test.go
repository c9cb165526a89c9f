package reactor

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"sipreactor/tlsstate"
)

// sealer seals records of TLS 1.3 with TLS_AES_128_GCM_SHA256 as a client that
// has sent nothing since its Finished (RFC 8446 5.2, 7.3).
type sealer struct {
	aead cipher.AEAD
	iv   []byte
	seq  uint64
}

// newSealer reads the client's secret from a key log.
func newSealer(t *testing.T, keys string) *sealer {
	t.Helper()
	var secret []byte
	for line := range strings.Lines(keys) {
		if f := strings.Fields(line); f[0] == "CLIENT_TRAFFIC_SECRET_0" {
			secret, _ = hex.DecodeString(f[2])
		}
	}
	expand := func(label string, n int) []byte {
		info := append([]byte{0, byte(n), byte(len("tls13 ") + len(label))}, "tls13 "+label+"\x00"...)
		out, err := hkdf.Expand(sha256.New, secret, string(info), n)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	block, err := aes.NewCipher(expand("key", 16))
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return &sealer{aead: aead, iv: expand("iv", 12)}
}

// record seals one.
func (s *sealer) record(kind byte, text []byte) []byte {
	inner := append(bytes.Clone(text), kind)
	head := binary.BigEndian.AppendUint16([]byte{23, 3, 3}, uint16(len(inner)+s.aead.Overhead()))
	nonce := bytes.Clone(s.iv)
	seq := binary.BigEndian.AppendUint64(nil, s.seq)
	for i := range seq {
		nonce[4+i] ^= seq[i]
	}
	s.seq++
	return s.aead.Seal(head, nonce, inner, head)
}

// sealing is a client of the engine whose records the test seals itself.
func (r *rig) sealing() (raw io.Writer, in io.Reader, s *sealer) {
	r.Helper()
	var keys bytes.Buffer
	conn := r.raw(TLS)
	c := tls.Client(conn, &tls.Config{RootCAs: r.ca, ServerName: "localhost", MinVersion: tls.VersionTLS13, KeyLogWriter: &keys})
	if err := c.Handshake(); err != nil {
		r.Fatal(err)
	}
	if c.ConnectionState().CipherSuite != tls.TLS_AES_128_GCM_SHA256 {
		r.Skip("another cipher suite is preferred here")
	}
	r.established(conn)
	return conn, c, newSealer(r.TB.(*testing.T), keys.String())
}

const handshakeRecord, textRecord = 22, 23

// What a peer begins and does not finish ends its connection in the time of a
// message, whatever it is a part of.
func TestUnfinishedRecordHasAClock(t *testing.T) {
	m := request("MESSAGE", "x", 1, "")
	for name, send := range map[string]func(s *sealer) []byte{
		"a byte of a header": func(s *sealer) []byte { return []byte{23} },
		"half a record":      func(s *sealer) []byte { return s.record(textRecord, make([]byte, 16000))[:9000] },
		"half a message of TLS's": func(s *sealer) []byte {
			return s.record(handshakeRecord, append([]byte{24, 0, 0x20, 0}, make([]byte, 4000)...))
		},
		"half a record behind messages": func(s *sealer) []byte {
			return append(s.record(textRecord, []byte(m+m)), s.record(textRecord, make([]byte, 100))[:50]...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, &script{}, func(c *Config) { c.MaxMessageTime = 100 * time.Millisecond })
			raw, _, s := r.sealing()
			if _, err := raw.Write(send(s)); err != nil {
				t.Fatal(err)
			}
			reason := r.firstClose()
			// libssl knows that a client may not begin such a message.
			if reason != MessageTimeout && (tlsLibrary == tlsstate.GoLibrary || !strings.Contains(name, "TLS's") || reason != ReadError) {
				t.Errorf("closed with %v", r.seen.of(ConnClosed)[0].Err)
			}
		})
	}
}

// A connection that goes on does not run into that clock, though each of its reads
// may end within a record.
func TestUnfinishedRecordsOfALivePeer(t *testing.T) {
	t.Parallel()
	r := start(t, &script{message: echo}, func(c *Config) { c.MaxMessageTime = 4 * time.Second }) // many times a pause: a busy machine makes it longer
	raw, in, s := r.sealing()
	m := request("MESSAGE", "x", 1, "")
	next := s.record(textRecord, []byte(m))
	_, _ = raw.Write(next[:20])
	got := make([]byte, len(m))
	for range 10 {
		rest := next[20:]
		next = s.record(textRecord, []byte(m))
		time.Sleep(500 * time.Millisecond)
		_, _ = raw.Write(append(bytes.Clone(rest), next[:20]...))
		if _, err := io.ReadFull(in, got); err != nil {
			t.Fatalf("%v; closed with %v", err, r.seen.closes())
		}
	}
}

// A message of TLS's own that is larger than any may be is not waited for, and
// what came of it is not kept.
func TestHugeHandshakeMessage(t *testing.T) {
	r := start(t, &script{}, nil)
	before := heapInUse()
	const conns = 50
	for range conns {
		raw, _, s := r.sealing()
		all := append([]byte{11, 3, 0xff, 0xff}, make([]byte, 235<<10)...) // a certificate of 262,143 bytes
		for len(all) > 0 {
			n := min(16000, len(all))
			if _, err := raw.Write(s.record(handshakeRecord, all[:n])); err != nil {
				break
			}
			all = all[n:]
		}
	}
	r.eventually("all are closed", func() bool { return !r.alive() })
	for _, why := range r.seen.of(ConnClosed) {
		if why.Err.Reason != ReadError {
			t.Errorf("closed with %v", why.Err)
		}
	}
	if grown := int64(heapInUse()) - int64(before); grown > conns*64<<10 {
		t.Errorf("%d kB are kept", grown>>10)
	}
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
