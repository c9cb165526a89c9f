package mi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"sipreactor/reactor/rescue"
	"sipreactor/reactor/rpc"
)

// HTTPConfig is what the modules httpd and mi_http are told.
type HTTPConfig struct {
	// Addr is where to listen; port 0 lets the kernel choose. The zero value is
	// 127.0.0.1:8888.
	Addr netip.AddrPort
	// Root is the path of the requests; "" = mi.
	Root string
	// Allow lists whose connections are accepted; empty = loopback. An Addr that
	// is not loopback needs it, and a Token, a Password or Secure.
	Allow []netip.Prefix
	// Token is what clients send as "Authorization: Bearer", or as the password
	// of any user; "" = none.
	Token string
	// User and Password are what clients may send instead (RFC 7617); no
	// Password = not.
	User, Password string
	// Realm is what a browser names when it asks for them; "" = sipreactor.
	Realm string
	// Secure wraps the listener in TLS; nil = plain.
	Secure func(net.Listener) net.Listener
	// Timeout bounds how long a client may take over its request, and over
	// taking the answer; 0 = 10 s.
	Timeout time.Duration
	// MaxConns bounds the connections at one time; 0 = a sixteenth of the
	// descriptors that the process may have, but 2 to 64. Half of them are for
	// those who have not sent the token yet: one more ends the oldest.
	MaxConns int
	// Log gets what the server complains of; nil discards it.
	Log *slog.Logger
}

const (
	defaultHTTPPort = 8888
	// headerTimeout bounds how long a client may take to say who it is.
	headerTimeout = 2 * time.Second
	// maxHeader bounds the header section of a request.
	maxHeader = 16 << 10
)

// complete checks the configuration and fills what is left out.
func (c *HTTPConfig) complete() error {
	if !c.Addr.IsValid() {
		c.Addr = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), defaultHTTPPort)
	}
	if !c.Addr.Addr().IsLoopback() {
		switch {
		case len(c.Allow) == 0:
			return fmt.Errorf("mi: HTTP on %v needs a list of addresses that may speak", c.Addr)
		case c.Token == "" && c.Password == "" && c.Secure == nil:
			return fmt.Errorf("mi: HTTP on %v needs a token or TLS", c.Addr)
		}
	}
	c.Root = "/" + strings.Trim(c.Root, "/")
	if c.Root == "/" {
		c.Root = "/mi"
	}
	if strings.ContainsAny(c.Root, "{} \t") {
		return fmt.Errorf("mi: %q is no path for HTTP", c.Root)
	}
	if c.Realm == "" {
		c.Realm = "sipreactor"
	}
	if c.Timeout <= 0 {
		c.Timeout = 10 * time.Second
	}
	if c.MaxConns <= 0 {
		c.MaxConns = connectionShare()
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}

// HTTP serves requests by POST, and whatever else is given to Handle, under one
// rule of access.
type HTTP struct {
	cfg    HTTPConfig
	mux    *http.ServeMux
	open   *http.ServeMux
	server *http.Server
	listen net.Listener
	done   sync.WaitGroup
}

// ServeHTTP listens and serves until Close.
func ServeHTTP(cfg HTTPConfig, d *rpc.Dispatcher) (*HTTP, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{Control: deferred}).Listen(context.Background(), "tcp", cfg.Addr.String())
	if err != nil {
		return nil, fmt.Errorf("mi: HTTP: %w", err)
	}
	h := &HTTP{cfg: cfg, mux: http.NewServeMux(), open: http.NewServeMux(), listen: l}
	rpc := postHandler(d)
	h.mux.Handle(cfg.Root, rpc)
	h.mux.Handle(cfg.Root+"/{$}", rpc)
	guard := newGuard(&cfg, cfg.Addr.Addr().IsLoopback(), h.open, h.mux)
	h.server = &http.Server{
		Handler:           guard,
		ConnContext:       withPlace,
		ConnState:         turns,
		ReadHeaderTimeout: min(cfg.Timeout, headerTimeout),
		ReadTimeout:       cfg.Timeout,
		WriteTimeout:      2 * cfg.Timeout,
		IdleTimeout:       cfg.Timeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(cfg.Log.Handler(), slog.LevelDebug),
	}
	bounded := net.Listener(&boundedListener{Listener: l, allow: cfg.Allow, log: cfg.Log, secure: cfg.Secure != nil,
		places: newPlaces(cfg.MaxConns, guard.shows), refusals: make(chan struct{}, max(1, min(maxRefusals, cfg.MaxConns/4))), done: &h.done, closed: make(chan struct{})})
	if cfg.Secure != nil {
		bounded = cfg.Secure(bounded)
	}
	h.done.Go(func() { // handlers are rescued by net/http
		_ = rescue.Run(cfg.Log, "mi: HTTP", func() {
			if err := h.server.Serve(bounded); !errors.Is(err, http.ErrServerClosed) {
				cfg.Log.Error("management over HTTP has ended", "error", err)
			}
		})
	})
	return h, nil
}

// Addr gives the address that is listened on.
func (h *HTTP) Addr() netip.AddrPort { return h.listen.Addr().(*net.TCPAddr).AddrPort() }

// Handle serves a pattern of http.ServeMux as well, such as "GET /metrics". Any
// goroutine may call it; a pattern that is taken panics.
func (h *HTTP) Handle(pattern string, handler http.Handler) { h.mux.Handle(pattern, handler) }

// HandleOpen serves a pattern to whoever may speak here by address, token or
// not: for what is no secret, such as a page that asks for the token. Any
// goroutine may call it; a pattern that is taken panics.
func (h *HTTP) HandleOpen(pattern string, handler http.Handler) { h.open.Handle(pattern, handler) }

// Root gives the path that requests are posted to, such as /mi.
func (h *HTTP) Root() string { return h.cfg.Root }

// Close lets requests that are being carried out finish, until ctx ends.
func (h *HTTP) Close(ctx context.Context) error {
	err := h.server.Shutdown(ctx)
	if err != nil {
		_ = h.server.Close()
	}
	h.done.Wait()
	return err
}

// postHandler carries out what is posted.
func postHandler(d *rpc.Dispatcher) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			http.Error(w, "requests are posted", http.StatusMethodNotAllowed)
			return
		}
		status := http.StatusOK
		var reply []byte
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, rpc.MaxRequest))
		if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
			status, reply = http.StatusRequestEntityTooLarge, rpc.TooLarge()
		} else if err != nil {
			http.Error(w, "the request could not be read", http.StatusBadRequest)
			return
		} else if reply = d.Handle(r.Context(), body); reply == nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", fmt.Sprint(len(reply)))
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.WriteHeader(status)
		_, _ = w.Write(reply)
	})
}
