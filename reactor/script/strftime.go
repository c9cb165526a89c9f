package script

import (
	"strconv"
	"strings"
	"time"
)

// strftimeVerbs are the conversions that strftime knows.
const strftimeVerbs = "aAbBcCdDeFgGhHIjklmMnprRsStTuUVwWxXyYzZ%"

// checkStrftime tells what is wrong with a format, "" if nothing is.
func checkStrftime(format string) string {
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			continue
		}
		if i++; i == len(format) || strings.IndexByte(strftimeVerbs, format[i]) < 0 {
			return "the time format has an unknown % conversion"
		}
	}
	return ""
}

// strftime writes the time of the message as strftime(3) does in the C locale.
// An unknown conversion stays as it is.
func (m *Machine) strftime(format []byte) Value {
	from := len(m.arena)
	m.arena = appendTime(m.arena, m.Now(), format)
	return Text(m.arena[from:len(m.arena):len(m.arena)])
}

func appendTime(b []byte, t time.Time, format []byte) []byte {
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b = append(b, format[i])
			continue
		}
		i++
		switch c := format[i]; c {
		case 'C':
			b = pad(b, t.Year()/100, 2)
		case 'g':
			y, _ := t.ISOWeek()
			b = pad(b, y%100, 2)
		case 'G':
			y, _ := t.ISOWeek()
			b = pad(b, y, 4)
		case 'j':
			b = pad(b, t.YearDay(), 3)
		case 'k':
			b = space(b, t.Hour())
		case 'l':
			b = space(b, (t.Hour()+11)%12+1)
		case 'n':
			b = append(b, '\n')
		case 't':
			b = append(b, '\t')
		case 's':
			b = strconv.AppendInt(b, t.Unix(), 10)
		case 'u':
			b = pad(b, (int(t.Weekday())+6)%7+1, 1)
		case 'w':
			b = pad(b, int(t.Weekday()), 1)
		case 'U':
			b = pad(b, (t.YearDay()+6-int(t.Weekday()))/7, 2)
		case 'W':
			b = pad(b, (t.YearDay()+6-(int(t.Weekday())+6)%7)/7, 2)
		case 'V':
			_, w := t.ISOWeek()
			b = pad(b, w, 2)
		case '%':
			b = append(b, '%')
		default:
			layout := timeLayouts[c]
			if layout == "" {
				b = append(b, '%', c)
				continue
			}
			b = t.AppendFormat(b, layout)
		}
	}
	return b
}

// timeLayouts are the conversions that package time has, too.
var timeLayouts = [256]string{
	'a': "Mon", 'A': "Monday", 'b': "Jan", 'B': "January", 'h': "Jan",
	'c': "Mon Jan _2 15:04:05 2006", 'd': "02", 'D': "01/02/06", 'e': "_2", 'F': "2006-01-02",
	'H': "15", 'I': "03", 'm': "01", 'M': "04", 'p': "PM", 'r': "03:04:05 PM", 'R': "15:04",
	'S': "05", 'T': "15:04:05", 'x': "01/02/06", 'X': "15:04:05", 'y': "06", 'Y': "2006",
	'z': "-0700", 'Z': "MST",
}

func pad(b []byte, n, width int) []byte {
	for p := 10; width > 1; width, p = width-1, p*10 {
		if n < p {
			for range width - 1 {
				b = append(b, '0')
			}
			break
		}
	}
	return strconv.AppendInt(b, int64(n), 10)
}

func space(b []byte, n int) []byte {
	if n < 10 {
		b = append(b, ' ')
	}
	return strconv.AppendInt(b, int64(n), 10)
}
