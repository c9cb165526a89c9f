package rest_client

import (
	"bytes"
	"log/slog"
	"strings"

	"sipreactor/reactor/script"
)

type module struct {
	options
	*client
	headers *script.Local // []string, of the next request
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{options: defaults()}
	text, set := script.TextArg, script.SetArg
	return &script.Module{
		Name: "rest_client",
		Help: "Asks HTTP servers.",
		Parameters: []script.Parameter{
			{Name: "curl_timeout", Type: script.IntParam, Min: 1, Max: 3600, Unit: "seconds", Default: "20", Help: "How long a request may take.", Set: script.Seconds(&m.options.timeout)},
			{Name: "connection_timeout", Type: script.IntParam, Min: 1, Max: 3600, Unit: "seconds", Default: "20", Help: "How long a connection may take.", Set: script.Seconds(&m.options.connect)},
			{Name: "connect_poll_interval", Type: script.IntParam, Default: "20", Help: "How often a connection is looked at.", Note: "nothing is polled"},
			{Name: "max_async_transfers", Type: script.IntParam, Default: "100", Help: "Transfers of a process.", Note: "all requests have one bound"},
			{Name: "max_transfer_size", Type: script.IntParam, Min: 0, Max: 1 << 20, Unit: "KB", Default: "10240", Help: "How large an answer may be; 0 is no limit.",
				Set: func(v script.Literal) error { m.options.size = v.Int << 10; return nil }},
			{Name: "ssl_verifypeer", Type: script.BoolParam, Default: "1", Help: "Verifies the certificates of servers.", Set: script.Into(&m.verifyPeer)},
			{Name: "ssl_verifyhost", Type: script.BoolParam, Default: "1", Help: "Verifies that a certificate is of the host.", Set: script.Into(&m.verifyHost)},
			{Name: "ssl_capath", Type: script.StringParam, Help: "A file, or folder, of the certificates that are trusted instead of the system's.", Set: script.Into(&m.caPath)},
			{Name: "curl_http_version", Type: script.IntParam, Min: 0, Max: 5, Default: "0", Help: "The version of HTTP: 0 any, 1 and 2 HTTP/1, 3 and 4 HTTP/2 where the server has it, 5 HTTP/2 without TLS.", Set: script.Into(&m.version)},
			{Name: "enable_expect_100", Type: script.BoolParam, Default: "0", Help: "Asks before it sends a body of more than 1024 bytes.", Set: script.Into(&m.options.expect)},
			{Name: "no_concurrent_connects", Type: script.BoolParam, Default: "0", Help: "Opens one connection to a host at a time.", Set: script.Into(&m.options.oneConnect)},
			{Name: "curl_conn_lifetime", Type: script.IntParam, Default: "0", Help: "How long a connection is taken for one that is there.", Note: "it is known which connections are there"},
		},
		Functions: []script.Function{
			{Name: "rest_get", Usage: `rest_get("url", $var(body)[, $var(type)][, $var(status)])`, Help: "Asks by GET: 1, or -1 refused, -2 and -3 too late, -4 busy, -10 another error.", Async: true,
				Args: []script.ArgKind{text, set, set, set}, Min: 2, Routes: script.Anywhere, Build: m.build("GET")},
			{Name: "rest_post", Usage: `rest_post("url", "body"[, "type"], $var(body)[, $var(type)][, $var(status)])`, Help: "Sends by POST; its codes are those of rest_get().", Async: true,
				Args: []script.ArgKind{text, text, text, set, set, set}, Min: 2, Routes: script.Anywhere, Build: m.build("POST")},
			{Name: "rest_put", Usage: `rest_put("url", "body"[, "type"], $var(body)[, $var(type)][, $var(status)])`, Help: "Sends by PUT; its codes are those of rest_get().", Async: true,
				Args: []script.ArgKind{text, text, text, set, set, set}, Min: 2, Routes: script.Anywhere, Build: m.build("PUT")},
			{Name: "rest_append_hf", Usage: `rest_append_hf("Name: value")`, Help: "Adds a header to the next request.", Args: []script.ArgKind{script.HeadersArg}, Min: 1, Routes: script.Anywhere, Build: m.appendHeader},
			{Name: "rest_init_client_tls", Usage: `rest_init_client_tls("domain")`, Help: "Takes a TLS domain for the next request.", Args: []script.ArgKind{text}, Min: 1, Routes: script.Anywhere,
				Build: func(a *script.Args) script.Action {
					a.Errorf(-1, "rest_init_client_tls() is not supported: requests are verified as the parameters of rest_client say")
					return nil
				}},
		},
		Check: m.check,
	}
}

func (m *module) check(l *script.Loading) {
	m.headers = l.Local()
	if m.options.connect > m.options.timeout {
		m.options.connect = m.options.timeout
	}
	var err error
	if m.client, err = newClient(m.options); err != nil {
		l.Errorf(l.Place("ssl_capath"), "ssl_capath cannot be used: %w", err)
	}
}

func (m *module) build(method string) func(a *script.Args) script.Action {
	return func(a *script.Args) script.Action {
		url, at := a.Text(0), a.Site()
		if text, fixed := a.Fixed(0); fixed {
			if _, err := wholeURL(text); err != nil {
				a.Errorf(0, "%v", err)
				return nil
			}
		}
		none := func(*script.Machine) ([]byte, bool) { return nil, true }
		body, mime, out := none, none, 1
		if method != "GET" {
			body, mime, out = a.Text(1), a.Text(2), 3
			if !a.Given(3) {
				a.Errorf(-1, "%s() needs a variable for the answer: argument 4", a.Name())
				return nil
			}
		}
		given := method != "GET" && a.Given(2)
		text, typ, status := a.Setter(out), a.Setter(out+1), a.Setter(out+2)
		return func(x *script.Machine) int {
			u, ok := url(x)
			if !ok {
				x.Fail(at, "the URL is NULL")
				return codeInternal
			}
			b, _ := body(x)
			r := &request{method: method, url: string(u), body: bytes.Clone(b)}
			if method != "GET" {
				r.mime = "application/x-www-form-urlencoded"
			}
			if t, ok := mime(x); given && ok {
				r.mime = string(t)
			}
			if list, ok := m.headers.Get(x).([]string); ok {
				r.headers = list
				m.headers.Set(x, nil)
			}
			answer := answer{code: codeInternal}
			if !x.Wait(func() { answer = m.do(r) }) {
				x.Say(at, script.LevelWarn, "rest_client: too many messages wait")
				return codeInternal
			}
			if answer.err != nil {
				x.Say(at, script.LevelWarn, "rest_client: "+strings.ToLower(method)+" failed", slog.Any("error", answer.err))
			}
			if answer.code == codeOK || len(answer.body) > 0 {
				text(x, script.Text(x.Keep(answer.body)))
			}
			if typ != nil {
				typ(x, script.Text(x.KeepString(answer.mime)))
			}
			if status != nil {
				status(x, script.Int(int64(answer.status)))
			}
			return answer.code
		}
	}
}

// maxHeaders bounds the headers that are added to a request.
const maxHeaders = 64

func (m *module) appendHeader(a *script.Args) script.Action {
	text, at := a.Text(0), a.Site()
	return func(x *script.Machine) int {
		b, ok := text(x)
		if !ok || !bytes.Contains(b, []byte{':'}) {
			return x.Fail(at, "a header is Name: value")
		}
		list, _ := m.headers.Get(x).([]string)
		if len(list) == maxHeaders {
			return x.Fail(at, "the request has too many headers")
		}
		m.headers.Set(x, append(list[:len(list):len(list)], string(b)))
		return 1
	}
}
