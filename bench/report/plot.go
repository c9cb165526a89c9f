package report

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// colours are by role: ours stands out, in both of its make-ups.
var colours = map[string]color.Color{
	"ours": color.RGBA{0x1f, 0x77, 0xb4, 0xff}, "sip": color.RGBA{0xd6, 0x8a, 0x2a, 0xff},
	"relay": color.RGBA{0x7f, 0x7f, 0x7f, 0xff}, "baseline": color.RGBA{0x9a, 0xb8, 0x6a, 0xff},
}

const plotWidth = 15 * vg.Centimeter

// bars is the main metric of a load as SVG: a bar a system, with the range of its runs. It is "" when there is nothing
// to show.
func (r *Report) bars(m Measure) (string, error) {
	metric := MetricOf(m.Main)
	p := plot.New()
	var names []string
	for i := len(r.Systems) - 1; i >= 0; i-- { // the first one goes on top
		res := r.Find(m.Name, r.Systems[i].Name)
		if res == nil {
			continue
		}
		s, ok := res.Stat(m.Main)
		if !ok {
			continue
		}
		bar, err := plotter.NewBarChart(plotter.Values{s.Median}, 12)
		if err != nil {
			return "", err
		}
		bar.Horizontal, bar.XMin = true, float64(len(names))
		bar.Color, bar.LineStyle.Width = colours[r.Systems[i].Role], 0
		p.Add(bar)
		if s.Runs > 1 {
			spread, err := plotter.NewXErrorBars(span{s, float64(len(names))})
			if err != nil {
				return "", err
			}
			p.Add(spread)
		}
		label, err := plotter.NewLabels(plotter.XYLabels{
			XYs: []plotter.XY{{X: s.Greatest, Y: float64(len(names))}}, Labels: []string{" " + metric.Format(s.Median)},
		})
		if err != nil {
			return "", err
		}
		label.Offset.X = 3
		label.TextStyle[0].YAlign = draw.YCenter
		p.Add(label)
		names = append(names, res.Label())
	}
	if len(names) == 0 {
		return "", nil
	}
	p.NominalY(names...)
	p.Y.Padding = vg.Points(10) // a browser's letters may be wider
	p.Y.Tick.Label.Font.Size = vg.Points(9)
	p.X.Min, p.X.Max = 0, p.X.Max*1.2 // room for the labels
	p.X.Label.Text = axis(metric, m)
	return svg(p, vg.Length(len(names)+2)*0.75*vg.Centimeter)
}

// span is a median and its range for error bars.
type span struct {
	Stat
	y float64
}

func (s span) Len() int                       { return 1 }
func (s span) XY(int) (x, y float64)          { return s.Median, s.y }
func (s span) XError(int) (low, high float64) { return s.Median - s.Least, s.Greatest - s.Median }

// curve is a metric over the number of connections, for loads whose names end in it: a line a system.
func (r *Report) curve(group string) (string, error) {
	p := plot.New()
	var metric Metric
	var of Measure
	lines := 0
	for _, s := range r.Systems {
		var points plotter.XYs
		for _, m := range r.Measures {
			n, err := strconv.Atoi(m.Name[strings.LastIndexByte(m.Name, '-')+1:])
			res := r.Find(m.Name, s.Name)
			if m.Group != group || err != nil || res == nil {
				continue
			}
			if stat, ok := res.Stat(m.Main); ok {
				metric, of = MetricOf(m.Main), m
				points = append(points, plotter.XY{X: float64(n), Y: stat.Median})
			}
		}
		if len(points) < 2 {
			continue
		}
		slices.SortFunc(points, func(a, b plotter.XY) int { return int(a.X - b.X) })
		line, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return "", err
		}
		line.Color, dots.Color = colours[s.Role], colours[s.Role]
		line.Width = vg.Points(1.5)
		if lines%2 == 1 {
			line.Dashes = []vg.Length{vg.Points(5), vg.Points(2)}
		}
		p.Add(line, dots)
		p.Legend.Add(s.Name, line, dots)
		lines++
	}
	if lines == 0 {
		return "", nil
	}
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.TickerFunc(connectionTicks)
	p.X.Label.Text, p.Y.Label.Text = "connections", axis(metric, of)
	p.Y.Min, p.Y.Max = 0, p.Y.Max*1.3
	p.Legend.Top = true
	return svg(p, 8*vg.Centimeter)
}

// connectionTicks are at 1, 10, 100 and so on, and at the ends.
func connectionTicks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for v := 1.0; v <= high*1.001; v *= 10 {
		if v >= low*0.999 {
			ticks = append(ticks, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'f', 0, 64)})
		}
	}
	if math.Log10(high) != math.Trunc(math.Log10(high)) {
		ticks = append(ticks, plot.Tick{Value: high, Label: strconv.FormatFloat(high, 'f', 0, 64)})
	}
	return ticks
}

func axis(metric Metric, m Measure) string {
	title := metric.Title
	if metric.Name == CPU {
		title = "CPU a " + m.Unit
	}
	if metric.Unit == "" {
		return title
	}
	return fmt.Sprintf("%s, %s", title, metric.Unit)
}

// svg draws for a page: without a background, which is the page's.
func svg(p *plot.Plot, height vg.Length) (string, error) {
	p.BackgroundColor = color.Transparent
	canvas := vgsvg.New(plotWidth, height)
	p.Draw(draw.New(canvas))
	var out bytes.Buffer
	if _, err := canvas.WriteTo(&out); err != nil {
		return "", err
	}
	_, drawing, ok := strings.Cut(out.String(), "<svg")
	if !ok {
		return "", fmt.Errorf("report: no svg element in what was drawn")
	}
	return "<svg" + drawing, nil
}
