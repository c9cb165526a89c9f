package main

import (
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"sipreactor/reactor/script"
)

const escapes = "CN=\x1b]0;owned\x07\x1b[2J\x7f\u009b31m\u202e\r\nforged: line \\ \"q\" \xff é"

func TestVisible(t *testing.T) {
	want := `CN=\x1b]0;owned\a\x1b[2J\x7f\u009b31m\u202e\r\nforged: line \ "q" \xff é`
	if got := visible(escapes); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := visible(`plain \ "text" é`); got != `plain \ "text" é` {
		t.Errorf("got %s", got)
	}
}

// What a peer put into its certificate, or anywhere else, does nothing to the terminal of who asks for it.
func TestMIAnswersAreVisible(t *testing.T) {
	text, err := json.Marshal(escapes)
	if err != nil {
		t.Fatal(err)
	}
	result := `{"Connections":[{"Peer":` + string(text) + `,` + string(text) + `:1}]}`
	answer := ""
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var call struct {
			ID json.RawMessage `json:"id"`
		}
		_ = json.NewDecoder(r.Body).Decode(&call)
		_, _ = w.Write([]byte(`{"jsonrpc":"2.0","id":` + string(call.ID) + `,` + answer + `}`))
	}))
	defer s.Close()
	for _, tc := range []struct{ answer, flag string }{
		{`"result":` + result, "--to"}, {`"result":` + result, "--json"}, {`"error":{"code":-1,"message":` + string(text) + `}`, "--to"},
	} {
		answer = tc.answer
		args := []string{"mi", "--to", s.URL, "list_tcp_conns"}
		if tc.flag == "--json" {
			args = append([]string{"mi", "--json"}, args[1:]...)
		}
		_, out, errs := command(t, args...)
		for _, printed := range []string{out, errs} {
			if i := strings.IndexFunc(printed, func(r rune) bool { return hidden(r) && r != '\n' }); i >= 0 || !utf8.ValidString(printed) || strings.Contains(printed, "\nforged") {
				t.Errorf("%v prints %q", args, printed)
			}
		}
		if tc.flag == "--json" && !json.Valid([]byte(out)) {
			t.Errorf("%v prints what is no JSON: %s", args, out)
		}
		if !strings.Contains(out+errs, "owned") {
			t.Errorf("%v prints %q and %q", args, out, errs)
		}
	}
}

// Nor does it to who reads the log.
func TestLogIsVisible(t *testing.T) {
	var out strings.Builder
	log := newLogger(&out, script.LevelDebug, "edge: ")
	log.Warn(escapes, "peer", escapes, "address", &net.TCPAddr{Zone: escapes}, slog.Group("g", "x", []string{escapes}))
	if line := strings.TrimSuffix(out.String(), "\n"); strings.IndexFunc(line, hidden) >= 0 {
		t.Errorf("the log has %q", line)
	}
}
