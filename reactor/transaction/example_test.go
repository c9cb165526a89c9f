package transaction_test

import (
	"fmt"
	"time"

	"sipreactor/reactor/transaction"
)

// printer is a user that has no network.
type printer struct{}

func (printer) SendRequest(_ *transaction.Transaction, b *transaction.Branch) error {
	fmt.Println("request on branch", b.Index)
	return nil
}

func (printer) SendCancel(_ *transaction.Transaction, b *transaction.Branch) error {
	fmt.Println("CANCEL on branch", b.Index)
	return nil
}

func (printer) SendAck(_ *transaction.Transaction, b *transaction.Branch) {
	fmt.Println("ACK on branch", b.Index)
}

func (printer) Relay(_ *transaction.Transaction, b *transaction.Branch) {
	fmt.Println("relayed from branch", b.Index)
}

func (printer) Answer(_ *transaction.Transaction, _ *transaction.Branch, code int) {
	fmt.Println("answer", code)
}

func (printer) Keep(*transaction.Transaction, *transaction.Branch)       {}
func (printer) Again(*transaction.Transaction)                           {}
func (printer) Lost(*transaction.Transaction, transaction.Loss)          {}
func (printer) Retry(*transaction.Transaction, *transaction.Branch) bool { return false }
func (printer) Gone(*transaction.Transaction)                            { fmt.Println("gone") }
func (printer) Failed(t *transaction.Transaction, _ *transaction.Branch) { t.Resume(0) }

// A call that rings on one of two branches and is answered busy by both.
func Example() {
	wheel, timing := transaction.NewWheel(0), transaction.DefaultTiming()
	t := transaction.New(printer{}, wheel, &timing, 0, true, true)
	var a, b transaction.Branch
	for _, branch := range []*transaction.Branch{&a, &b} {
		if t.Add(branch, true) == nil {
			_ = t.Launch(0, branch)
		}
	}
	now := 2 * time.Second
	t.Response(now, &a, 180)
	t.Response(now, &a, 486)
	t.Response(now, &b, 404)
	t.Acknowledged(now)
	// Output:
	// request on branch 0
	// request on branch 1
	// relayed from branch 0
	// ACK on branch 0
	// ACK on branch 1
	// answer 404
	// gone
}
