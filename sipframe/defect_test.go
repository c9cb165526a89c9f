package sipframe

import (
	"errors"
	"fmt"
	"testing"
)

func TestDefectIsError(t *testing.T) {
	d := Defect{Code: 400, Reason: "Bad Via"}
	for _, err := range []error{d, &d, fmt.Errorf("wrapped: %w", &d)} {
		var value Defect
		var pointer *Defect
		if !errors.As(err, &value) && !errors.As(err, &pointer) {
			t.Errorf("%T is no Defect", err)
		}
	}
	if d.Error() != "Bad Via" {
		t.Errorf("%q", d.Error())
	}
}
