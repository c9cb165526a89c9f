package rtpengine

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/rtpengine/ng"
	"sipreactor/reactor/modules/sl"
)

func record(mos, jitter, at int64) ng.Dict {
	return ng.Dict{{Key: "MOS", Value: mos}, {Key: "jitter", Value: jitter}, {Key: "reported at", Value: at}}
}

// known is what rtpengine tells of a call with two streams.
var known = ng.Dict{
	{Key: "result", Value: "ok"}, {Key: "created", Value: int64(1000)},
	{Key: "SSRC", Value: ng.Dict{
		{Key: "1", Value: ng.Dict{{Key: "average MOS", Value: record(40, 3, 0)}, {Key: "lowest MOS", Value: record(30, 9, 1005)}, {Key: "highest MOS", Value: record(44, 1, 1002)}}},
		{Key: "2", Value: ng.Dict{{Key: "average MOS", Value: record(44, 6, 0)}, {Key: "lowest MOS", Value: record(41, 2, 1020)}, {Key: "highest MOS", Value: record(43, 2, 1030)}}},
	}},
	{Key: "totals", Value: ng.Dict{
		{Key: "RTP", Value: ng.Dict{{Key: "packets", Value: int64(100)}, {Key: "bytes", Value: int64(17200)}, {Key: "errors", Value: int64(1)}}},
		{Key: "RTCP", Value: ng.Dict{{Key: "packets", Value: int64(2)}, {Key: "bytes", Value: int64(160)}}},
	}},
}

func TestStatistics(t *testing.T) {
	e := newEngine(t)
	e.set(func(ng.Dict) ng.Dict { return known })
	for name, want := range map[string]string{
		"$rtpstat":                    "RTP: 17200 bytes, 100 packets, 1 errors; RTCP: 160 bytes, 2 packets, 0 errors",
		"$rtpstat(MOS-average)":       "42",
		"$rtpstat(MOS-min)":           "30",
		"$rtpstat(MOS-min-at)":        "5",
		"$rtpstat(MOS-max)":           "44",
		"$rtpstat(MOS-max-at)":        "2",
		"$rtpstat(jitter-average)":    "4",
		"$rtpstat(jitter-max)":        "9",
		"$rtpstat(roundtrip-average)": "<null>",
		"$rtpquery":                   string(appendJSON(nil, known)),
	} {
		log := moduletest.Logs(t, head(e.url), `xlog("`+name+`");`, New, sl.New)
		if strings.Join(log, "|") != want {
			t.Errorf("%s: %q, want %s", name, log, want)
		}
	}
	e.take()
	// A delete tells them, too, and they are asked for once.
	moduletest.Logs(t, head(e.url), `rtpengine_delete(); xlog("$rtpstat $rtpstat(MOS-min)");`, New, sl.New)
	if got := e.take(); strings.Contains(got, "query") {
		t.Error(got)
	}
	moduletest.Logs(t, head(e.url), `xlog("$rtpstat $rtpstat(MOS-min)");`, New, sl.New)
	if got := e.take(); strings.Count(got, "query") != 1 {
		t.Error(got)
	}
	e.set(func(ng.Dict) ng.Dict { return ng.Dict{{Key: "result", Value: "ok"}} })
	if log := moduletest.Logs(t, head(e.url), `xlog("$rtpstat(MOS-min)");`, New, sl.New); log[0] != "<null>" {
		t.Error(log)
	}
}

func TestJSON(t *testing.T) {
	got := string(appendJSON(nil, ng.Dict{{Key: "a\"\n", Value: ng.List{int64(-1), "\xff", ng.Dict{}}}}))
	if want := "{\"a\\\"\\n\":[-1,\"\\ufffd\",{}]}"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
