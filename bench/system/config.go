package system

import (
	"bytes"
	"context"
	"embed"
	"net"
	"path/filepath"
	"text/template"
	"time"
)

//go:embed conf
var confFiles embed.FS

var confs = template.Must(template.ParseFS(confFiles, "conf/*"))

// render writes a configuration from its template.
func (s Setup) render(name string, data any) (path string, err error) {
	var text bytes.Buffer
	if err := confs.ExecuteTemplate(&text, name, data); err != nil {
		return "", err
	}
	return s.write(name, text.Bytes())
}

type opensipsConf struct {
	Setup
	OpenSSL                bool
	Library                string // ours: tls_library
	Loops                  int    // ours: tcp_loops; 0: its own choice
	MetricsIP, MetricsPort string
	State                  string // where our engine keeps the token of its metrics
}

func sipreactorGo() System { return sipreactorOn("sipreactor", "this engine, TLS by crypto/tls", 0) }

// sipreactorOn is the engine with a number of event loops; 0 is its own choice.
func sipreactorOn(name, about string, loops int) System {
	return System{
		Name: name, About: about, Role: Ours, Begins: 500 * time.Millisecond, Workers: []int{0}, Reload: true, Traces: true, TCP: true,
		prepare: func(ctx context.Context, h *Home) (string, string, error) {
			path, err := h.build(ctx, "sipreactor", ".", "./cmd/sipreactor")
			return path, revision(ctx, h), err
		},
		command: opensipsCommand("go", loops),
	}
}

// sipreactorWith is the engine with OpenSSL's code for TLS, or for private keys alone.
func sipreactorWith(name, library, about string) System {
	return System{
		Name: "sipreactor-" + name, About: about, Install: "Debian: apt-get install gcc libssl-dev", Role: Ours, Begins: 500 * time.Millisecond, Variant: true, Workers: []int{0}, Reload: true, Traces: true, TCP: true,
		prepare: func(ctx context.Context, h *Home) (string, string, error) {
			path, err := h.build(ctx, "sipreactor-openssl", ".", "./cmd/sipreactor", "-tags", "openssl")
			return path, revision(ctx, h), err
		},
		command: opensipsCommand(library, 0),
	}
}

// opensipsCommand runs sipreactor with a tls_library and a number of event loops.
func opensipsCommand(library string, loops int) func(string, Setup) ([]string, []string, error) {
	return func(_ string, s Setup) ([]string, []string, error) {
		conf := opensipsConf{Setup: s, Library: library, Loops: loops}
		if s.Metrics != "" {
			var err error
			if conf.MetricsIP, conf.MetricsPort, err = net.SplitHostPort(s.Metrics); err != nil {
				return nil, nil, err
			}
			if conf.State, err = filepath.Abs(s.Dir); err != nil {
				return nil, nil, err
			}
		}
		file, err := s.render("opensips.cfg", conf)
		return []string{"-f", file}, nil, err
	}
}

// shared is how many MiB processes share: a million contacts take more.
func (s Setup) shared() string {
	if s.Registrar {
		return "4096"
	}
	return "1024"
}

func opensips() System {
	return System{
		Name: "opensips", About: "OpenSIPS, the same opensips.cfg", Install: "not Debian's; packages opensips opensips-tls-module opensips-tls-openssl-module from opensips.org",
		Role: SIPPeer, Begins: 300 * time.Millisecond, Workers: []int{1, 2, 4}, Traces: true, TCP: true,
		prepare: installed("opensips", "-V"),
		command: func(_ string, s Setup) ([]string, []string, error) {
			s.Metrics = "" // it has its own ways
			file, err := s.render("opensips.cfg", opensipsConf{Setup: s, OpenSSL: true})
			return []string{"-F", "-f", file, "-m", s.shared(), "-M", "32"}, nil, err
		},
	}
}

func kamailio() System {
	return System{
		Name: "kamailio", About: "Kamailio, an equivalent configuration", Install: "Debian: apt-get install kamailio kamailio-tls-modules",
		Role: SIPPeer, Begins: 300 * time.Millisecond, Workers: []int{1, 2, 4}, TCP: true,
		prepare: installed("kamailio", "-v"),
		command: func(path string, s Setup) ([]string, []string, error) {
			tls, err := s.render("kamailio-tls.cfg", s)
			if err != nil {
				return nil, nil, err
			}
			file, err := s.render("kamailio.cfg", struct {
				Setup
				TLS, Modules string
			}{s, tls, KamailioModules(path)})
			return []string{"-DD", "-E", "-f", file, "-m", s.shared(), "-M", "32", "-Y", s.Dir}, nil, err
		},
	}
}

// KamailioModules is the directory of a kamailio's modules: Debian's, or that of the program's own prefix; "" if there is none.
func KamailioModules(path string) string {
	prefix := filepath.Dir(filepath.Dir(path))
	for _, pattern := range []string{"/lib/*/kamailio/modules", "/lib64/kamailio/modules", "/lib/kamailio/modules"} {
		if dirs, err := filepath.Glob(prefix + pattern); err == nil && len(dirs) > 0 {
			return dirs[0]
		}
	}
	return ""
}

func haproxy() System {
	return System{
		Name: "haproxy", About: "HAProxy as a relay that parses no SIP: the floor", Install: "Debian: apt-get install haproxy",
		Role: Relay, Begins: 300 * time.Millisecond, Workers: []int{1, 2}, TCP: true,
		prepare: installed("haproxy", "-v"),
		command: func(_ string, s Setup) ([]string, []string, error) {
			file, err := s.render("haproxy.cfg", s)
			return []string{"-db", "-f", file}, nil, err
		},
	}
}

func plainGo() System {
	return System{
		Name: "plain-go", About: "a proxy on crypto/tls with a goroutine a connection", Role: Baseline, Begins: 300 * time.Millisecond, Workers: []int{0},
		prepare: func(ctx context.Context, h *Home) (string, string, error) {
			path, err := h.build(ctx, "plain", "bench", "./plain")
			return path, "", err
		},
		command: func(_ string, s Setup) ([]string, []string, error) {
			return []string{"--listen", s.Addr, "--pems", s.Dir}, nil, nil
		},
	}
}

func sipgo() System {
	return System{
		Name: "sipgo", About: "a proxy written with the library sipgo, on crypto/tls", Role: Baseline, Begins: 300 * time.Millisecond, Workers: []int{0},
		prepare: func(ctx context.Context, h *Home) (string, string, error) {
			path, err := h.build(ctx, "sipgo", "bench/sipgo", "./proxy")
			return path, moduleVersion(ctx, h, "bench/sipgo", "github.com/emiago/sipgo"), err
		},
		command: func(_ string, s Setup) ([]string, []string, error) {
			return []string{"--listen", s.Addr, "--pems", s.Dir}, nil, nil
		},
	}
}
