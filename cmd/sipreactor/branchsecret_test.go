package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestKeepBranchSecret(t *testing.T) {
	dir := t.TempDir()
	shared := filepath.Join(dir, "shared")
	if err := os.WriteFile(shared, []byte(strings.Repeat("secret ", 9)), 0o600); err != nil {
		t.Fatal(err)
	}
	key := func(text string) (k [32]byte, said string) {
		cfg, err := loader().Compile("test", []byte(text+"\nsocket=tls:127.0.0.1:5061\nloadmodule \"proto_tls.so\"\nroute { exit; }\n"))
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		keepBranchSecret(cfg, slog.New(slog.NewTextHandler(&out, nil)))
		if cfg.Proxy.Key != nil {
			k = *cfg.Proxy.Key
		}
		return k, out.String()
	}
	state := `state_dir="` + filepath.Join(dir, "state") + `"`
	first, said := key(state)
	if again, _ := key(state); first == [32]byte{} || again != first || said != "" {
		t.Errorf("the first start has the secret %x, the second %x; said %q", first, again, said)
	}
	if k, said := key(state + "\nbranch_secret_file=\"" + shared + `"`); k == first || k == [32]byte{} || said != "" {
		t.Errorf("branch_secret_file does not count; said %q", said)
	}
	// Where nothing can be kept the program runs, and says what that means.
	if k, said := key(`state_dir="` + shared + `/none"`); k != [32]byte{} || !strings.Contains(said, "state_dir") || !strings.Contains(said, shared) {
		t.Errorf("secret %x, said %q", k, said)
	}
	for text, want := range map[string]string{
		`branch_secret_file="` + dir + `/none"`: "no such file",
		`via_fallback=sometimes`:                "verified, always or never", `via_fallback_peers="10.0.0.0/8, x"`: "x is none",
	} {
		_, err := loader().Compile("test", []byte(text+"\nroute { exit; }\n"))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "test:1:") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
