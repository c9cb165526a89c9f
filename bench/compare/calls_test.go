package compare

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"sipreactor/bench/report"
	"sipreactor/reactor/modules/rtpengine/ng"
)

// TestKindsOfCalls has the engine do with calls all that a load wants: none of them fails, and all carry some.
func TestKindsOfCalls(t *testing.T) {
	var names []string
	for _, k := range kinds {
		names = append(names, k.name+"-tls")
	}
	if _, err := exec.LookPath("rtpengine"); err != nil {
		names = slices.DeleteFunc(names, func(name string) bool { return name == "media-tls" })
	}
	r, _ := compareFew(t, t.Context(), names, []string{"sipreactor"}, 1)
	for _, name := range names {
		res := r.Find(name, "sipreactor")
		if res == nil {
			t.Errorf("%s: no result", name)
			continue
		}
		run := res.Runs[0]
		if run.Counts[report.Done] == 0 || run.Counts[report.Failed] > 0 || run.Fault != "" {
			t.Errorf("%s: %+v", name, run)
		}
	}
}

// TestStubEngine asks the stub as the engine does.
func TestStubEngine(t *testing.T) {
	s, err := startStub()
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	c := ng.NewClient(s.conn.LocalAddr().String(), 5*time.Second, 0, nil)
	defer c.Close()
	for command, want := range map[string]string{"ping": "pong", "offer": "ok", "answer": "ok", "delete": "ok"} {
		d, err := c.Do(t.Context(), ng.Dict{{Key: "command", Value: command}, {Key: "sdp", Value: "v=0\r\n"}})
		if err != nil || d.Text("result") != want {
			t.Errorf("%s: %v, %v", command, d, err)
		}
		if sdp := d.Text("sdp"); (command == "offer" || command == "answer") != (sdp == "v=0\r\n") {
			t.Errorf("%s gives the SDP %q", command, sdp)
		}
	}
	if got := answered(nil, []byte("no cookie")); strings.Contains(string(got), "ok") {
		t.Errorf("nonsense is answered %q", got)
	}
}
