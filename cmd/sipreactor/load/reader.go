package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// MaxMessage is the largest message that the loader reads.
const MaxMessage = 65535

// Reader cuts the messages of a stream. It is for one goroutine.
type Reader struct {
	// BeforeRead, when set, runs before each read that may wait: the place to flush what the messages that were
	// read at once have caused.
	BeforeRead func()

	r          io.Reader
	buf        []byte
	start, end int
	newlines   int
}

// NewReader reads messages from r.
func NewReader(r io.Reader) *Reader {
	return &Reader{r: r, buf: make([]byte, 4096)}
}

// Next reads the next message into m, whose views are valid until the next call. The error is io.EOF when the
// stream ends between two messages, io.ErrUnexpectedEOF when it ends within one.
func (r *Reader) Next(m *Message) error {
	for {
		r.skipNewlines()
		n, err := r.cut(m)
		if err != nil {
			return err
		}
		if n > 0 {
			raw := r.buf[r.start : r.start+n]
			r.start += n
			return m.Parse(raw)
		}
		if err := r.fill(); err != nil {
			if errors.Is(err, io.EOF) && r.start < r.end {
				return io.ErrUnexpectedEOF
			}
			return err
		}
	}
}

// cut tells the length of the message at start, 0 when it is not complete.
func (r *Reader) cut(m *Message) (int, error) {
	data := r.buf[r.start:r.end]
	end := bytes.Index(data, []byte("\r\n\r\n"))
	if end < 0 {
		if len(data) > MaxMessage {
			return 0, fmt.Errorf("load: no end of headers in %d bytes", len(data))
		}
		return 0, nil
	}
	if err := m.parseHead(data[:end+2]); err != nil {
		return 0, err
	}
	total := end + 4 + m.length
	switch {
	case m.length < 0, total > MaxMessage:
		return 0, errLength
	case total > len(data):
		return 0, nil
	}
	return total, nil
}

// Newlines counts the bytes of line ends between messages that have gone by: keep-alives and their answers.
func (r *Reader) Newlines() int { return r.newlines }

func (r *Reader) skipNewlines() {
	for r.start < r.end && (r.buf[r.start] == '\r' || r.buf[r.start] == '\n') {
		r.start++
		r.newlines++
	}
}

func (r *Reader) fill() error {
	if r.start > 0 {
		r.end = copy(r.buf, r.buf[r.start:r.end])
		r.start = 0
	}
	if r.end == len(r.buf) {
		r.buf = append(r.buf, make([]byte, len(r.buf))...)
	}
	if r.BeforeRead != nil {
		r.BeforeRead()
	}
	n, err := r.r.Read(r.buf[r.end:])
	r.end += n
	if n > 0 {
		return nil
	}
	return err
}
