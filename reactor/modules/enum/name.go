package enum

import (
	"cmp"
	"context"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// number is the name of an E.164 number: +35831 is 1.3.8.5.3.e164.arpa.
func (m *module) number(_ context.Context, number, suffix string) string {
	digits := digitsOf(number)
	if digits == "" {
		return ""
	}
	return reversed(digits) + "." + cmp.Or(suffix, m.suffix)
}

// carrier is its name in the infrastructure tree, which branches off with a label.
func (m *module) carrier(ctx context.Context, number, suffix string) string {
	digits, tree := digitsOf(number), cmp.Or(suffix, m.infrastructure)
	if digits == "" {
		return ""
	}
	place, label := countryCode(digits), m.label
	asked := m.label + "." + reversed(digits[:place]) + "." + tree
	switch m.algorithm {
	case "txt":
		list, _ := m.dns.Records(ctx, asked, dns.TypeTXT)
		for _, rr := range list {
			if t, ok := rr.(*dns.TXT); ok && len(t.Txt) > 0 {
				place = position(t.Txt[0], place, digits)
			}
		}
	case "ebl":
		list, _ := m.dns.Records(ctx, asked, typeEBL)
		for _, rr := range list {
			if t, ok := rr.(*dns.RFC3597); ok {
				if n, l, apex, ok := branchLocation(t.Rdata); ok {
					place, label, tree = position(strconv.Itoa(n), place, digits), l, apex
				}
			}
		}
	}
	rest := reversed(digits[place:])
	if rest != "" {
		rest += "."
	}
	return rest + label + "." + reversed(digits[:place]) + "." + tree
}

// subscriber is the name of an ISN: 56*1212 is 6.5.1212.freenum.org.
func (m *module) subscriber(_ context.Context, number, suffix string) string {
	local, domain, ok := strings.Cut(number, "*")
	if !ok || !allDigits(local) || !allDigits(domain) || len(number) > 32 {
		return ""
	}
	return reversed(local) + "." + domain + "." + cmp.Or(suffix, m.isn)
}

// digitsOf gives the digits of an E.164 number, "" of another text.
func digitsOf(number string) string {
	digits, ok := strings.CutPrefix(number, "+")
	if !ok || !allDigits(digits) || len(digits) < 2 || len(digits) > 15 {
		return ""
	}
	return digits
}

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// reversed gives digits from the last to the first, with dots between them.
func reversed(digits string) string {
	var b strings.Builder
	for i := len(digits) - 1; i >= 0; i-- {
		b.WriteByte(digits[i])
		if i > 0 {
			b.WriteByte('.')
		}
	}
	return b.String()
}

// position reads where a record has the label, behind so many digits.
func position(text string, otherwise int, digits string) int {
	if n, err := strconv.Atoi(strings.TrimSpace(text)); err == nil && n > 0 && n <= len(digits) {
		return n
	}
	return otherwise
}

// twoDigits are the country codes of two digits, by ITU-T E.164.
const twoDigits = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98"

// countryCode tells how many of a number's digits, of which there are two or more, are its country code.
func countryCode(digits string) int {
	switch {
	case digits[0] == '1', digits[0] == '7':
		return 1
	case strings.Contains(twoDigits, digits[:2]), len(digits) == 2:
		return 2
	}
	return 3
}

// typeEBL is the type of ENUM branch location records, which was never allocated.
const typeEBL = 65300

// branchLocation reads such a record: a position, a label and the tree.
func branchLocation(rdata string) (place int, label, apex string, ok bool) {
	b, err := hex.DecodeString(rdata)
	if err != nil || len(b) < 3 || len(b) < 2+int(b[1]) {
		return 0, "", "", false
	}
	place, label = int(b[0]), string(b[2:2+b[1]])
	apex, end, err := dns.UnpackDomainName(b, 2+int(b[1]))
	if _, valid := dns.IsDomainName(label); err != nil || end != len(b) || label == "" || !valid {
		return 0, "", "", false
	}
	return place, label, apex, true
}
