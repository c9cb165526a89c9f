package tlsstate_test

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"testing"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

// fuzzSet is made once: a fuzzing worker should not spend its time on keys.
var fuzzSet = sync.OnceValues(func() (*tlsstate.Set, error) {
	cert, key, err := tlsstate.Ephemeral([]string{"sip.example.com"}, false)
	if err != nil {
		return nil, err
	}
	pair := []tlsstate.KeyPair{{CertificatePEM: cert, PrivateKeyPEM: key}}
	return tlsstate.Build(tlsstate.Config{Domains: []tlsstate.DomainConfig{
		{Name: "in", Role: tlsstate.Server, Certificates: pair, CAPEM: cert},
		{Name: "out", Role: tlsstate.Client, Certificates: pair, CAPEM: cert},
	}})
})

func mustFuzzSet(t testing.TB) *tlsstate.Set {
	t.Helper()
	set, err := fuzzSet()
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// pieces cuts data as the bytes of cuts say, the rest in one piece.
func pieces(data, cuts []byte) (list [][]byte) {
	for _, c := range cuts {
		n := min(int(c)+1, len(data))
		list = append(list, data[:n])
		data = data[n:]
	}
	return append(list, data)
}

// checkEnd tells what is wrong with how a machine took what it was fed: it
// wants more, is through, or has failed with somebody to blame.
func checkEnd(e *tlstest.End) error {
	var typed *tlsstate.Error
	switch {
	case e.Err == nil || e.Err == io.EOF:
		if e.Phase() == tlsstate.Failed {
			return errors.New("failed without an error")
		}
	case !errors.As(e.Err, &typed):
		return errors.Join(errors.New("not typed"), e.Err)
	case typed.Blame == 0 || typed.Reason == "":
		return errors.Join(errors.New("nobody to blame"), e.Err)
	case typed.Blame == tlsstate.BlameUs:
		return errors.Join(errors.New("a peer's bytes are not our fault"), e.Err)
	case e.Phase() != tlsstate.Failed:
		return errors.Join(errors.New("goes on after an error"), e.Err)
	}
	return nil
}

// Bits that fall over in an established stream: what is read is a beginning of
// what was written, and the rest is refused.
func FuzzRecords(f *testing.F) {
	f.Add(uint16(0), byte(1), []byte{}, false)
	f.Add(uint16(3), byte(0x80), []byte{4, 4}, true)
	f.Add(uint16(30), byte(0), []byte{0, 0, 0, 0, 0, 0}, false)
	f.Add(uint16(700), byte(0xff), []byte{200}, true)
	f.Fuzz(func(t *testing.T, at uint16, flip byte, cuts []byte, backwards bool) {
		from, to := pair(t, mustFuzzSet(t), "sip.example.com", tlstest.Whole)
		if backwards {
			from, to = to, from
		}
		const messages, length = 3, 400
		var written []byte
		for i := range messages {
			message := bytes.Repeat([]byte{byte('a' + i)}, length)
			if _, err := from.Write(message); err != nil {
				t.Fatal(err)
			}
			written = append(written, message...)
		}
		stream := bytes.Clone(from.Output())
		from.Sent(len(stream))
		stream[int(at)%len(stream)] ^= flip
		for _, p := range pieces(stream, cuts) {
			if to.Err == nil {
				to.Step(p)
			}
		}
		if err := checkEnd(to); err != nil {
			t.Error(err)
		}
		if !bytes.HasPrefix(written, to.In.Bytes()) {
			t.Errorf("read what was not written: %q", to.In.Bytes())
		}
		if flip == 0 && (to.Err != nil || to.In.Len() != len(written)) {
			t.Errorf("read %d bytes: %v", to.In.Len(), to.Err)
		}
		if flip != 0 && to.In.Len() == len(written) {
			t.Error("all was read, although a bit fell over")
		}
	})
}
