//go:build !race

// What is pooled is not kept under the race detector.

package dispatcher_test

import (
	"fmt"
	"strings"
	"testing"

	"sipreactor/reactor/modules/dispatcher"
	"sipreactor/reactor/modules/moduletest"
)

// thousand are the rows of a set of a thousand destinations.
func thousand() string {
	var rows strings.Builder
	rows.WriteString("setid,destination,weight\n")
	for i := range 1000 {
		fmt.Fprintf(&rows, "1,sip:10.0.%d.%d,%d\n", i/250, i%250+1, 1+i%5)
	}
	return rows.String()
}

// BenchmarkSelect is a message with and without a choice among a thousand.
func BenchmarkSelect(b *testing.B) {
	for name, statement := range map[string]string{"nothing": "$du = \"sip:10.0.0.1\";", "hash": "ds_select_dst(1, 0);", "roundrobin": "ds_select_dst(1, 4);", "is_in_list": "ds_is_in_list($si, 0);"} {
		b.Run(name, func(b *testing.B) {
			bench := moduletest.New(b, head(b, thousand())+"route { "+statement+" exit; }", dispatcher.New)
			b.ReportAllocs()
			for b.Loop() {
				bench.Receive(moduletest.Invite)
			}
		})
	}
}

// TestChoosingAllocatesNothing: a message that is sent to a destination costs no
// memory of the heap.
func TestChoosingAllocatesNothing(t *testing.T) {
	for _, statement := range []string{"ds_select_dst(1, 0);", "ds_select_dst(1, 4);", "ds_select_dst(1, 6);", "ds_is_in_list($si, 0);"} {
		b := moduletest.New(t, head(t, thousand())+"route { "+statement+" exit; }", dispatcher.New)
		plain := moduletest.New(t, head(t, thousand())+"route { exit; }", dispatcher.New)
		b.Receive(moduletest.Invite)
		plain.Receive(moduletest.Invite)
		with := testing.AllocsPerRun(200, func() { b.Receive(moduletest.Invite) })
		without := testing.AllocsPerRun(200, func() { plain.Receive(moduletest.Invite) })
		if with > without {
			t.Errorf("%s: %v allocations, %v without it", statement, with, without)
		}
	}
}
