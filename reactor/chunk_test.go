package reactor

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// pacedConn waits between the records that are written.
type pacedConn struct {
	net.Conn
	gap time.Duration
}

func (c *pacedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	time.Sleep(c.gap)
	return n, err
}

// A client whose records begin small and grow, as Go's do, passes at the default,
// whatever the gaps between them.
func TestGrowingRecordsPass(t *testing.T) {
	r := start(t, &script{message: echo}, nil)
	m := request("MESSAGE", "x", 1, strings.Repeat("b", 20000))
	for i := range 40 {
		c := tls.Client(&pacedConn{r.raw(TLS), 200 * time.Microsecond}, &tls.Config{RootCAs: r.ca, ServerName: "localhost"})
		if _, err := io.WriteString(c, m); err != nil {
			t.Fatal(err)
		}
		if got, err := readMessage(bufio.NewReader(c)); got != m {
			t.Fatalf("%d: %d bytes, %v; closed with %v", i, len(got), err, r.seen.closes())
		}
		c.Close()
	}
}

// What is a chunk: each row is reads, each read the sizes of its records. The
// last byte of the message comes behind them.
func TestWhatIsAChunk(t *testing.T) {
	many := func(n, size int) (list []int) {
		for range n {
			list = append(list, size)
		}
		return list
	}
	one := func(n, size int) (reads [][]int) {
		for range n {
			reads = append(reads, []int{size})
		}
		return reads
	}
	for _, row := range []struct {
		name  string
		reads [][]int
		tls   int // chunks
		tcp   int
	}{
		{"reads of 1,024", one(6, 1024), 0, 0},
		{"reads of 1,023", one(3, 1023), 3, 3},
		{"reads of 1 byte", one(5, 1), 5, 5},
		{"a read of four records of 256", [][]int{many(4, 256)}, 0, 0},
		{"a read of three records of 256", [][]int{many(3, 256)}, 1, 1},
		{"a read of five records of 255", [][]int{many(5, 255)}, 5, 0},
		{"a small record beside a large one", [][]int{{255, 2000}}, 1, 0},
		{"a small record beside one that is not large enough", [][]int{{100, 300}}, 2, 1},
		{"a read of many records of 1,200", [][]int{many(10, 1200)}, 0, 0},
		{"large reads and a small one", [][]int{{3000}, {100}, {3000}}, 1, 1},
	} {
		bothProtos(t, func(t *testing.T, p Proto) {
			chunks := row.tls
			if p == TCP {
				chunks = row.tcp
			}
			m := request("MESSAGE", "x", 1, strings.Repeat("b", 20000))
			for _, limit := range []int{chunks, chunks + 1} {
				if limit == 0 {
					continue
				}
				r := start(t, &script{message: echo}, func(c *Config) { c.stream(p).MaxChunks = limit })
				raw := r.raw(p)
				held := &holdingConn{Conn: raw}
				c := net.Conn(held)
				if p == TLS {
					c = tls.Client(held, &tls.Config{RootCAs: r.ca, ServerName: "localhost", DynamicRecordSizingDisabled: true})
					if err := c.(*tls.Conn).Handshake(); err != nil {
						t.Fatal(err)
					}
				}
				r.established(raw)
				held.hold = true
				rest := m
				for _, read := range row.reads {
					for _, n := range read {
						_, _ = io.WriteString(c, rest[:n])
						rest = rest[n:]
					}
					in := r.Stats().BytesIn + uint64(held.held.Len())
					_, _ = raw.Write(held.held.Bytes())
					held.held.Reset()
					r.eventually("it is read", func() bool { return r.Stats().BytesIn >= in || !r.alive() })
				}
				_, _ = io.WriteString(c, rest)
				_, _ = raw.Write(held.held.Bytes())
				got, err := readMessage(bufio.NewReader(c))
				if passes := limit > chunks; passes != (got == m) {
					t.Errorf("%s, limit %d: %d of %d bytes, %v", row.name, limit, len(got), len(m), err)
				}
				if limit <= chunks {
					r.eventually("the log names the parameter", func() bool { return r.log.Count(p.String()+"_max_msg_chunks") == 1 })
				}
			}
		})
	}
}
