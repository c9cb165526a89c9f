package tlsstate

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sipreactor/tlsstate/internal/wire"
)

// The texts that errors are told apart by are those of this Go release. One
// that is missing means that a failure is typed as a protocol violation.
func TestTextsAreOfThisRelease(t *testing.T) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Skip("there is no go command to ask for the sources")
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(root)), "src/crypto/tls/*.go"))
	if err != nil || len(files) == 0 {
		t.Skip("the sources of crypto/tls are not installed")
	}
	var source strings.Builder
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(text)
	}
	for _, s := range said {
		if !strings.Contains(source.String(), `"tls: `+s.prefix) {
			t.Errorf("crypto/tls no longer says %q", s.prefix)
		}
	}
}

func TestClassify(t *testing.T) {
	for _, c := range []struct {
		err    error
		blame  Blame
		reason string
	}{
		{errors.New("tls: no cipher suite supported by both client and server; client offered: [1]"), BlamePeer, ReasonCipher},
		{errors.New("tls: failed to sign handshake: token gone"), BlameConfig, ReasonSign},
		{errors.New("tls: certificate RSA key size too small for supported signature algorithms"), BlameConfig, ReasonSignature},
		{errors.New("tls: unsupported certificate key (*dsa.PrivateKey)"), BlameConfig, ReasonSignature},
		{errors.New("tls: peer doesn't support any of the certificate's signature algorithms"), BlamePeer, ReasonSignature},
		{errors.New("tls: internal error: unexpected renegotiation"), BlameUs, ReasonInternal},
		{errors.New("tls: client's Finished message is incorrect"), BlamePeer, ReasonProtocol},
		{io.EOF, BlamePeer, "alert received: close_notify"},
		{fmt.Errorf("read: %w", errStopped), BlameUs, ReasonStopped},
		{fmt.Errorf("chosen: %w", &Error{Blame: BlameConfig, Reason: ReasonRejected}), BlameConfig, ReasonRejected},
	} {
		e := new(machine).classify(c.err)
		if e.Blame != c.blame || e.Reason != c.reason {
			t.Errorf("%v: %v, %q; want %v, %q", c.err, e.Blame, e.Reason, c.blame, c.reason)
		}
	}
}

// A goodbye in the middle of a handshake is one, not the end of a socket.
func TestGoodbyeInHandshake(t *testing.T) {
	set := idleSet(t)
	server, client := newPair(t, set)
	defer server.Stop()
	defer client.Stop()
	for _, m := range []*machine{server, client} {
		_ = m.Handshake()
		m.Feed([]byte{wire.RecordAlert, 3, 3, 0, 2, 1, wire.AlertCloseNotify})
		var e *Error
		if err := m.Handshake(); !errors.As(err, &e) || e.Reason != "alert received: close_notify" || m.Phase() != Failed {
			t.Errorf("%v in %v", err, m.Phase())
		}
	}
}
