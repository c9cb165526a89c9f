package figures

import (
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
)

// Each counter of a loop, a shard or the engine is in the table once, or has its own way
// into Stats.
func TestFiguresReadEveryCounter(t *testing.T) {
	own := map[string]bool{"Datagrams": true, "DatagramBytes": true} // counted among Carried, too
	for _, part := range []struct {
		counters any
	}{
		{new(LoopCounters)}, {new(ShardCounters)}, {new(EngineCounters)},
	} {
		v := reflect.ValueOf(part.counters).Elem()
		read := make(map[uintptr]int)
		for i := range All {
			f := &All[i]
			switch c := part.counters.(type) {
			case *LoopCounters:
				if f.loop != nil {
					read[reflect.ValueOf(f.loop(c)).Pointer()]++
				}
			case *ShardCounters:
				if f.shard != nil {
					read[reflect.ValueOf(f.shard(c)).Pointer()]++
				}
			case *EngineCounters:
				if f.engine != nil {
					read[reflect.ValueOf(f.engine(c)).Pointer()]++
				}
			}
		}
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if field.Type != reflect.TypeFor[atomic.Uint64]() || own[field.Name] {
				continue
			}
			if n := read[v.Field(i).Addr().Pointer()]; n != 1 {
				t.Errorf("%T.%s is read by %d figures", part.counters, field.Name, n)
			}
		}
	}
}

// Each number of Stats is a figure, and no two have a name in common.
func TestFiguresTellAllOfStats(t *testing.T) {
	var s Stats
	v := reflect.ValueOf(&s).Elem()
	told := make(map[uintptr]bool)
	names, metrics := make(map[string]bool), make(map[string]bool)
	for i := range All {
		f := &All[i]
		if !strings.HasSuffix(f.Help, ".") || f.Group == "" {
			t.Errorf("%s:%s has no group or no help: %q", f.Group, f.Name, f.Help)
		}
		if f.Metric != "" && (metrics[f.Metric] || strings.HasSuffix(f.Metric, "_total") == f.Level) {
			t.Errorf("the metric %s is there twice, or its name is not of its kind", f.Metric)
		}
		metrics[f.Metric] = true
		f.Each(&s, func(_ uint64, labels ...string) {
			if len(labels) != len(f.Labels) {
				t.Errorf("%s:%s has labels %v, and values %v", f.Group, f.Name, f.Labels, labels)
			}
			name := f.Group + ":" + f.NameOf(labels...)
			if names[name] {
				t.Errorf("two statistics are called %s", name)
			}
			names[name] = true
		})
		switch {
		case f.count != nil:
			told[reflect.ValueOf(f.count(&s)).Pointer()] = true
		case f.level != nil:
			told[reflect.ValueOf(f.level(&s)).Pointer()] = true
		}
	}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if kind := field.Type.Kind(); kind != reflect.Uint64 && kind != reflect.Int || field.Name == "DatagramsOut" {
			continue // which is messages_out_udp
		}
		if !told[v.Field(i).Addr().Pointer()] {
			t.Errorf("no figure tells Stats.%s", field.Name)
		}
	}
}
