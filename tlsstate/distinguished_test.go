package tlsstate

import (
	"encoding/asn1"
	"testing"
)

func TestStringTypes(t *testing.T) {
	for _, c := range []struct {
		tag   int
		bytes string
		want  string
		ok    bool
	}{
		{asn1.TagUTF8String, "Zoë", "Zoë", true},
		{asn1.TagUTF8String, "Zo\xEB", "Zo\uFFFD", true},
		{asn1.TagPrintableString, "abc", "abc", true},
		{asn1.TagIA5String, "a@b", "a@b", true},
		{asn1.TagNumericString, "123", "123", true},
		{asn1.TagT61String, "Zo\xEB", "Zoë", true},
		{asn1.TagBMPString, "\x00Z\x00o\x00\xEB", "Zoë", true},
		{asn1.TagBMPString, "\xD8\x3D\xDE\x00", "\U0001F600", true},
		{asn1.TagBMPString, "\x00", "", false},
		{tagUniversalString, "\x00\x01\xF6\x00\x00\x00\x00a", "\U0001F600a", true},
		{tagUniversalString, "abc", "", false},
		{asn1.TagInteger, "\x01", "", false},
	} {
		got, ok := utf8Of(asn1.RawValue{Tag: c.tag, Bytes: []byte(c.bytes)})
		if got != c.want || ok != c.ok {
			t.Errorf("type %d, %q: %q, %v", c.tag, c.bytes, got, ok)
		}
	}
	if _, ok := utf8Of(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: asn1.TagUTF8String}); ok {
		t.Error("a tag of another class is taken for a string")
	}
}

// Several attributes in one part are told from several parts.
func TestMultiValued(t *testing.T) {
	str := func(s string) asn1.RawValue {
		return asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte(s)}
	}
	der, err := asn1.Marshal([]attributeSET{
		{{countryName, str("CH")}},
		{{commonName, str("x")}, {organizationalUnit, str("y")}},
		{{asn1.ObjectIdentifier{1, 2, 3}, str("\x00\n~\x7fa/b+c")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := oneLine(der), `/C=CH/CN=x+OU=y/1.2.3=\x00\x0A~\x7Fa\/b\+c`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, ok := firstValue(der, organizationalUnit); got != "y" || !ok {
		t.Error(got, ok)
	}
	if _, ok := firstValue(der, localityName); ok {
		t.Error("a locality out of nothing")
	}
	if oneLine(nil) != "" || oneLine([]byte("rubbish")) != "" || oneLine(append(der, 0)) != "" {
		t.Error("rubbish has a name")
	}
}
