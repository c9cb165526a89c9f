package page

import (
	"testing"

	"sipreactor/reactor"
)

func TestTimeless(t *testing.T) {
	for in, want := range map[string]string{
		"":                                  "",
		"no certificate":                    "no certificate",
		"after 105.3ms (limit 100ms), more": "after ~ (limit ~), more",
		"it is 2026-11-28T20:01:02Z now, and was 2026-11-28T20:01:02.5+01:00.": "it is ~ now, and was ~.",
		"1m2.5s: 3µs": "~: ~",
		"no common version: client offered only unsupported versions: [302 301]": "no common version: client offered only unsupported versions: [302 301]",
		"192.0.2.1:5061 refused, 5xx":                                            "192.0.2.1:5061 refused, 5xx",
	} {
		if got := timeless(in); got != want {
			t.Errorf("%q: %q, not %q", in, got, want)
		}
	}
}

// TestTroublesGroup: an error that differs in nothing but how long it took is the
// same one again; the last one's text is shown.
func TestTroublesGroup(t *testing.T) {
	r := fed(t, closing(1, 1, reactor.HandshakeTimeout, "after 101ms, 1 flight"), closing(2, 2, reactor.HandshakeTimeout, "after 2.103s, 1 flight"),
		closing(3, 3, reactor.HandshakeTimeout, "after 105ms, 2 flights"))
	list := r.troubles.list
	if len(list) != 2 || list[1].times != 2 || list[1].detail != "after 2.103s, 1 flight" || list[0].times != 1 {
		t.Errorf("%+v", list)
	}
}
