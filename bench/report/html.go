package report

import (
	"bytes"
	_ "embed"
	"html/template"
	"io"
	"os"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

// pageGroup is a chapter of the page.
type pageGroup struct {
	Name  string
	Curve template.HTML
	Loads []pageLoad
}

type pageLoad struct {
	Measure Measure
	Bars    template.HTML
	Table   table
}

// WriteHTML writes the report as one page that loads nothing.
func (r *Report) WriteHTML(w io.Writer) error {
	data := struct {
		*Report
		Reach   []Reached
		Groups  []pageGroup
		Remarks []string
	}{Report: r, Reach: r.Reach(), Remarks: r.remarks()}
	for _, m := range r.Measures {
		t := r.table(m)
		if len(t.Rows) == 0 {
			continue
		}
		if n := len(data.Groups); n == 0 || data.Groups[n-1].Name != m.Group {
			curve, err := r.curve(m.Group)
			if err != nil {
				return err
			}
			data.Groups = append(data.Groups, pageGroup{Name: m.Group, Curve: template.HTML(curve)})
		}
		bars, err := r.bars(m)
		if err != nil {
			return err
		}
		g := &data.Groups[len(data.Groups)-1]
		g.Loads = append(g.Loads, pageLoad{m, template.HTML(bars), t})
	}
	return page.Execute(w, data)
}

// SaveHTML writes the page to a file.
func (r *Report) SaveHTML(file string) error {
	var b bytes.Buffer
	if err := r.WriteHTML(&b); err != nil {
		return err
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}
