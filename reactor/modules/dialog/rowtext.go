package dialog

import (
	"fmt"
	"strconv"
	"strings"

	core "sipreactor/reactor/dialog"
)

// Values are stored as name#value|name#value|, with the separators and backslashes escaped, and numbers behind name#i.
var escaper = strings.NewReplacer(`\`, `\\`, "|", `\|`, "#", `\#`)

func formatValues(values []core.Value) string {
	var b strings.Builder
	for _, v := range values {
		if v.IsInt {
			fmt.Fprintf(&b, "%s#i%d|", escaper.Replace(v.Name), v.Int)
		} else {
			fmt.Fprintf(&b, "%s#s%s|", escaper.Replace(v.Name), escaper.Replace(v.Text))
		}
	}
	return b.String()
}

func parseValues(text string) (values []core.Value) {
	for _, pair := range fields(text) {
		if len(pair) != 2 || pair[1] == "" {
			continue
		}
		v := core.Value{Name: pair[0], Text: pair[1][1:]}
		if pair[1][0] == 'i' {
			n, err := strconv.ParseInt(v.Text, 10, 64)
			if err != nil {
				continue
			}
			v = core.Value{Name: v.Name, Int: n, IsInt: true}
		}
		values = append(values, v)
	}
	return values
}

func formatProfiles(list []core.Membership) string {
	var b strings.Builder
	for _, p := range list {
		fmt.Fprintf(&b, "%s#%s|", escaper.Replace(p.Profile.Name), escaper.Replace(p.Value))
	}
	return b.String()
}

func (m *Module) parseProfiles(text string) (list []core.Membership) {
	for _, pair := range fields(text) {
		if p := m.profiles[pair[0]]; p != nil && len(pair) == 2 {
			list = append(list, core.Membership{Profile: p, Value: pair[1]})
		}
	}
	return list
}

// fields cuts a text at | and its parts at #, and takes escapes off.
func fields(text string) (all [][]string) {
	part := []string{""}
	for i := 0; i < len(text); i++ {
		last := &part[len(part)-1]
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			i++
			*last += text[i : i+1]
		case c == '|':
			all, part = append(all, part), []string{""}
		case c == '#':
			part = append(part, "")
		default:
			*last += text[i : i+1]
		}
	}
	return all
}
