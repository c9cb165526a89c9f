package script

import (
	"errors"
	"fmt"
	"strings"

	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

// checkedArguments are the kinds whose constants are looked at when the script is loaded:
// how they are read, and what is wrong with what is known of a text, which is the whole
// of it or what stands before its first variable.
var checkedArguments = map[ArgKind]struct {
	as    ArgKind
	wrong func(text string, whole bool) error
}{
	HeaderNameArg: {TextArg, fixed(CheckHeaderName)},
	HeadersArg:    {HeaderArg, wrongHeaders},
	MethodArg:     {TextArg, fixed(CheckMethod)},
	TableArg:      {TextArg, fixed(CheckColumnName)},
}

// fixed checks a text that has no variables.
func fixed(check func(string) error) func(string, bool) error {
	return func(text string, whole bool) error {
		if !whole {
			return nil
		}
		return check(text)
	}
}

// checkedArgument compiles an argument of such a kind.
func (k *compiler) checkedArgument(a *argument, kind ArgKind, x expression, f *Function) bool {
	checked := checkedArguments[kind]
	if !k.argument(a, checked.as, x, f) {
		return false
	}
	known, _, variable := strings.Cut(a.str, "$")
	if _, quoted := x.(*stringExpr); !quoted {
		known, variable = a.str, !a.fixed
	}
	if err := checked.wrong(known, !variable); err != nil {
		k.rep.errorf(x.Pos(), "%v: %s", err, f.Usage)
		return false
	}
	return true
}

// wrongHeaders tells what is wrong with headers; none is right.
func wrongHeaders(text string, whole bool) error {
	if text == "" {
		return nil
	}
	if whole {
		if _, err := proxy.AppendHeaders(nil, []byte(text)); err == nil {
			return nil
		}
		return fmt.Errorf("%q is no header, and Content-Length is not the script's to write", clip(text))
	}
	if name, _, ok := strings.Cut(text, ":"); ok {
		return CheckHeaderName(strings.TrimRight(name, " \t"))
	}
	return nil
}

const tokenRunes = "letters, digits and -.!%*_+`'~"

// CheckHeaderName tells what is wrong with the name of a header.
func CheckHeaderName(name string) error {
	if !sipframe.IsToken([]byte(name)) {
		return fmt.Errorf("%q is no name of a header: %s are allowed", clip(name), tokenRunes)
	}
	return nil
}

// CheckMethod tells what is wrong with the method of a request.
func CheckMethod(name string) error {
	if !sipframe.IsToken([]byte(name)) {
		return fmt.Errorf("%q is no method: %s are allowed", clip(name), tokenRunes)
	}
	return nil
}

// CheckPing tells what is wrong with the method of requests that are sent for their answer.
func CheckPing(method string) error {
	if !sipframe.IsToken([]byte(method)) || method == "ACK" || method == "CANCEL" {
		return fmt.Errorf("%q is no method of a request that is answered, such as OPTIONS", clip(method))
	}
	return nil
}

// CheckURI tells what is wrong with a URI.
func CheckURI(uri string) error {
	var u sipframe.URI
	if sipframe.ParseURI([]byte(uri), &u) != nil {
		return fmt.Errorf("%q is no URI, such as sip:pinger@example.org", clip(uri))
	}
	return nil
}

// CheckGiven tells that a text is empty.
func CheckGiven(text string) error {
	if text == "" {
		return errors.New("is empty: leave the parameter out")
	}
	return nil
}

// Checked makes a Set that stores a text only if there is nothing wrong with it.
func Checked(check func(text string) error, to *string) func(Literal) error {
	return func(v Literal) error {
		if err := check(v.Text); err != nil {
			return err
		}
		*to = v.Text
		return nil
	}
}
