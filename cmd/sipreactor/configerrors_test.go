package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sipreactor/tlsstate"
)

// writePair writes a certificate that is valid from one time to another, and its key.
func writePair(t *testing.T, dir, name string, from, to time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: to}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{name + ".pem": {Type: "CERTIFICATE", Bytes: cert}, name + ".key": {Type: "PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(filepath.Join(dir, file), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestConfigurationErrorsOfFiles: what is wrong with the files of TLS domains is told
// with the line and column of the parameter that names them, all of it.
func TestConfigurationErrorsOfFiles(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	writePair(t, dir, "good", now.Add(-time.Hour), now.Add(time.Hour))
	writePair(t, dir, "other", now.Add(-time.Hour), now.Add(time.Hour))
	writePair(t, dir, "old", now.Add(-2*time.Hour), now.Add(-time.Hour))
	writePair(t, dir, "early", now.Add(time.Hour), now.Add(2*time.Hour))
	const head = "socket=tls:127.0.0.1:5061\nloadmodule \"proto_tls.so\"\n# TLS\nloadmodule \"tls_mgm.so\"\n"
	domain := func(name, cert, key, more string) string {
		return fmt.Sprintf("modparam(\"tls_mgm\", \"server_domain\", \"%[1]s\")\nmodparam(\"tls_mgm\", \"certificate\", \"[%[1]s]%[2]s\")\n"+
			"modparam(\"tls_mgm\", \"private_key\", \"[%[1]s]%[3]s\")\n%[4]s", name, filepath.Join(dir, cert), filepath.Join(dir, key), more)
	}
	more := func(param, value string) string {
		return fmt.Sprintf("modparam(\"tls_mgm\", %q, \"[d]%s\")\n", param, value)
	}
	for _, c := range []struct {
		name, text string
		want       []string // beginnings of lines behind the file's name, and what they hold
	}{
		{"good", domain("d", "good.pem", "good.key", ""), nil},
		{"no certificate", domain("d", "none.pem", "good.key", ""), []string{":6:36: ", "none.pem: no such file"}},
		{"no key", domain("d", "good.pem", "none.key", ""), []string{":7:36: ", "none.key: no such file"}},
		{"not a pair", domain("d", "good.pem", "other.key", ""), []string{":7:36: ", "does not match"}},
		{"key as certificate", domain("d", "good.key", "good.key", ""), []string{":6:36: ", "a private key and no certificate"}},
		{"certificate as key", domain("d", "good.pem", "good.pem", ""), []string{":7:36: ", "good.pem"}},
		{"no authorities", domain("d", "good.pem", "good.key", more("ca_list", dir+"/none.pem")), []string{":8:32: ", "none.pem: no such file"}},
		{"authorities of keys", domain("d", "good.pem", "good.key", more("ca_list", dir+"/good.key")), []string{":8:32: ", "no certificate"}},
		{"no folder", domain("d", "good.pem", "good.key", more("ca_dir", dir+"/none")), []string{":8:31: ", "no such file"}},
		{"no revocations", domain("d", "good.pem", "good.key", more("crl_dir", dir+"/none")), []string{":8:32: ", "no such file"}},
		{"two domains", domain("d", "none.pem", "good.key", "") + domain("e", "good.pem", "other.key", ""), []string{":6:36: ", "none.pem", ":10:36: ", "does not match"}},
		{"nothing is there", domain("d", "none.pem", "none.key", more("ca_list", dir+"/none.pem")+more("ca_dir", dir+"/none")+more("crl_dir", dir+"/none")), []string{
			":6:36: ", "none.pem: no such file", ":7:36: ", "none.key: no such file", ":8:32: ", "none.pem: no such file", ":9:31: ", "no such file", ":10:32: ", "no such file",
		}},
		{"expired", domain("d", "old.pem", "old.key", ""), []string{":6:36: ", "has expired"}},
		{"not valid yet", domain("d", "early.pem", "early.key", ""), []string{":6:36: ", "not valid yet"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "x.cfg")
			if err := os.WriteFile(file, []byte(head+c.text+"route { exit; }\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			var out, bad bytes.Buffer
			code := run(t.Context(), []string{"-C", "-f", file}, &out, &bad)
			lines := strings.Split(strings.TrimSuffix(bad.String(), "\n"), "\n")
			if len(c.want) == 0 {
				if code != exitOK || bad.Len() > 0 {
					t.Errorf("%d: %s", code, &bad)
				}
				return
			}
			if code != exitFailed || out.Len() > 0 || len(lines) != len(c.want)/2 {
				t.Fatalf("%d: %s%s", code, &out, &bad)
			}
			for i, line := range lines {
				if !strings.HasPrefix(line, file+c.want[2*i]) || !strings.Contains(line, c.want[2*i+1]) {
					t.Errorf("%s\nwant %s … %s", line, c.want[2*i], c.want[2*i+1])
				}
			}
		})
	}
}

// TestExpiredCertificateStarts: it runs, so that a restart at the wrong time is no
// outage of all, and says so.
func TestExpiredCertificateStarts(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	writePair(t, dir, "old", now.Add(-2*time.Hour), now.Add(-time.Hour))
	set, err := tlsstate.Build(tlsstate.Config{Domains: []tlsstate.DomainConfig{{Name: "d", Role: tlsstate.Server,
		Certificates: []tlsstate.KeyPair{{CertificateFile: dir + "/old.pem", PrivateKeyFile: dir + "/old.key"}}}}})
	if err != nil || !strings.Contains(strings.Join(set.Warnings(), "\n"), "expired") {
		t.Errorf("%v", err)
	}
}

// TestSocketsInUse: each socket that cannot be opened is named with its line.
func TestSocketsInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	file := filepath.Join(t.TempDir(), "x.cfg")
	text := fmt.Sprintf("socket=tcp:127.0.0.1:0\nsocket=tcp:%v\nsocket=udp:%v\nsocket=tcp:192.0.2.77:5060\nloadmodule \"proto_tcp.so\"\nloadmodule \"proto_udp.so\"\nroute { exit; }\n",
		taken.Addr(), udp.LocalAddr())
	text = strings.Replace(text, "127.0.0.1:0\n", "127.0.0.2:"+fmt.Sprint(taken.Addr().(*net.TCPAddr).Port)+"\n", 1)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out, bad bytes.Buffer
	if code := run(ctx, []string{"-f", file}, &out, &bad); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{
		fmt.Sprintf("%s:2:8: socket tcp:%v: bind: address already in use", file, taken.Addr()),
		fmt.Sprintf("%s:3:8: socket udp:%v: bind: address already in use", file, udp.LocalAddr()),
		file + ":4:8: socket tcp:192.0.2.77:5060: bind: cannot assign requested address",
	} {
		if !strings.Contains(bad.String(), want) {
			t.Errorf("%s\ndoes not say %s", &bad, want)
		}
	}
	if strings.Contains(bad.String(), ":1:8:") {
		t.Errorf("the first one is good: %s", &bad)
	}
}

func TestConfigurationIsAFolder(t *testing.T) {
	dir := t.TempDir()
	var out, bad bytes.Buffer
	if code := run(t.Context(), []string{"-f", dir}, &out, &bad); code != exitFailed || bad.String() != dir+": is a folder, not a file\n" {
		t.Errorf("%d: %s", code, &bad)
	}
}
