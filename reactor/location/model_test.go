package location

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"sipreactor/reactor"
)

// TestAgainstModel does random things to a table and to a list, and compares.
func TestAgainstModel(t *testing.T) {
	type entry struct {
		callID  string
		cseq    uint32
		expires int64
	}
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		table := New(Config{Persistent: true})
		model := map[string]map[string]entry{}
		rows := map[uint64]string{}
		now := int64(start)
		table.Expire(now)
		for step := range 3000 {
			aor := fmt.Sprint("u", rng.IntN(20))
			switch rng.IntN(10) {
			case 0:
				now += rng.Int64N(40)
				table.Expire(now)
			case 1:
				table.Remove([]byte(aor))
				delete(model, aor)
			case 2:
				fail := rng.IntN(3) == 0
				err := table.Changed(1+rng.IntN(5), func(list []Stored) error {
					if fail {
						return errors.New("away")
					}
					for _, x := range list {
						if x.Delete {
							if _, ok := rows[x.ID]; !ok {
								t.Fatalf("step %d: the row of %d goes, but there is none", step, x.ID)
							}
							delete(rows, x.ID)
						} else {
							rows[x.ID] = x.AOR + " " + x.URI()
						}
					}
					return nil
				})
				if err != nil && !fail {
					t.Fatal(err)
				}
			default:
				u := update(now, fmt.Sprint("c", rng.IntN(2)), uint32(rng.IntN(50)), fmt.Sprint("sip:", rng.IntN(4)))
				u.AOR = []byte(aor)
				b := &u.Bindings[0]
				b.Expires = now + rng.Int64N(2000)*rng.Int64N(2)
				err := table.Save(u, nil)
				have, ok := model[aor][string(b.URI)]
				ok = ok && have.expires > now
				switch {
				case ok && have.callID == string(u.CallID) && u.CSeq < have.cseq:
					if !errors.Is(err, ErrOutOfOrder) {
						t.Fatalf("step %d: %v", step, err)
					}
				case ok && have.callID == string(u.CallID) && u.CSeq == have.cseq:
				case b.Expires <= now:
					delete(model[aor], string(b.URI))
				default:
					if model[aor] == nil {
						model[aor] = map[string]entry{}
					}
					model[aor][string(b.URI)] = entry{string(u.CallID), u.CSeq, b.Expires}
				}
			}
			for aor, contacts := range model {
				n := 0
				for uri, e := range contacts {
					if e.expires <= now {
						delete(contacts, uri)
						continue
					}
					n++
				}
				if got := table.Lookup([]byte(aor), now, func(c *Contact) bool {
					e, ok := contacts[c.URI()]
					if !ok || e.expires != c.Expires || e.cseq != c.CSeq || e.callID != c.CallID() {
						t.Fatalf("seed %d step %d: %s has %s", seed, step, aor, c.URI())
					}
					return true
				}); got != n {
					t.Fatalf("seed %d step %d: %s has %d contacts, want %d", seed, step, aor, got, n)
				}
			}
		}
		if err := table.Changed(100, func(list []Stored) error {
			for _, x := range list {
				if x.Delete {
					delete(rows, x.ID)
				} else {
					rows[x.ID] = x.AOR + " " + x.URI()
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		have := map[uint64]string{}
		table.Each(func(c *Contact) bool {
			have[c.ID] = c.AOR() + " " + c.URI()
			if c.State() != StateSync {
				t.Fatalf("%s is %v", c.URI(), c.State())
			}
			return true
		})
		if fmt.Sprint(have) != fmt.Sprint(rows) {
			t.Fatalf("seed %d: rows and table differ:\n%v\n%v", seed, rows, have)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	var told sync.Map
	table := New(Config{Persistent: true, Notify: func(c Change) { told.Store(c.Kind, true) }})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(g), 2))
			for i := range 3000 {
				u := update(start+int64(i/100), fmt.Sprint(g), uint32(i), fmt.Sprint("sip:", rng.IntN(3)))
				u.AOR, u.Flow = fmt.Append(nil, rng.IntN(50)), reactor.Handle(rng.IntN(10))
				_ = table.Save(u, func(*Contact) {})
				switch rng.IntN(20) {
				case 0:
					table.FlowEnded(reactor.Handle(rng.IntN(10)), rng.IntN(2) == 0)
				case 1:
					table.Expire(start + int64(i/100))
				case 2:
					table.Each(func(*Contact) bool { return true })
				}
			}
		})
	}
	wg.Wait()
	table.Expire(start + 1000)
	if s := table.Stats(); s.Contacts != 0 || s.Records != 0 {
		t.Errorf("left: %+v", s)
	}
	for i := range table.flows.shards {
		if n := len(table.flows.shards[i].first); n != 0 {
			t.Errorf("%d flows are left", n)
		}
	}
}
