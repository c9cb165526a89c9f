package dashboard

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
)

// variables are what Grafana puts into an expression before Prometheus sees it.
var variables = strings.NewReplacer("$__rate_interval", "1m", "$__interval", "1m", "$__range", "1h", "$instance", ".+")

// scraped are the labels that Prometheus adds to what it is told.
var scraped = []string{"instance", "job"}

// check tells what is wrong with an expression: its grammar, metrics and labels
// that are not exposed, values that a label does not have, counters that are
// shown as they are and gauges that are taken for counters. It gives the labels
// that the result has.
func (x exposed) check(text string) (result set, err error) {
	expr, err := parser.ParseExpr(variables.Replace(text))
	if err != nil {
		return nil, err
	}
	c := checker{exposed: x}
	result = c.labels(expr)
	parser.Inspect(expr, c.visit)
	return result, errors.Join(c.wrong...)
}

type checker struct {
	exposed
	wrong []error
}

func (c *checker) fault(format string, args ...any) {
	c.wrong = append(c.wrong, fmt.Errorf(format, args...))
}

// visit looks at one node of an expression.
func (c *checker) visit(node parser.Node, path []parser.Node) error {
	switch n := node.(type) {
	case *parser.VectorSelector:
		c.selector(n, path)
	case *parser.AggregateExpr:
		there := c.labels(n.Expr)
		for _, l := range n.Grouping {
			if !there[l] {
				c.fault("%s groups by %q, which is not there", n, l)
			}
		}
	case *parser.Call:
		if n.Func.Name == "histogram_quantile" && !c.labels(n.Args[1])["le"] {
			c.fault("%s has no buckets", n)
		}
	}
	return nil
}

// selector looks at a metric and its matchers.
func (c *checker) selector(n *parser.VectorSelector, path []parser.Node) {
	m, ok := c.exposed[n.Name]
	if !ok {
		c.fault("there is no metric %q", n.Name)
		return
	}
	for _, l := range n.LabelMatchers {
		if l.Name == model.MetricNameLabel || slices.Contains(scraped, l.Name) {
			continue
		}
		values, ok := m.labels[l.Name]
		if !ok {
			c.fault("%s has no label %q", n.Name, l.Name)
			continue
		}
		if !slices.ContainsFunc(slices.Collect(maps.Keys(values)), l.Matches) {
			c.fault("%s: no value of %s is %s", n.Name, l.Name, l)
		}
	}
	if rated := inRate(path); rated != m.counter {
		c.fault("%s: counter %v, in rate() %v", n.Name, m.counter, rated)
	}
}

// inRate tells whether a selector is the argument of a function of counters.
func inRate(path []parser.Node) bool {
	for _, n := range path {
		if call, ok := n.(*parser.Call); ok && slices.Contains([]string{"rate", "irate", "increase", "resets"}, call.Func.Name) {
			return true
		}
	}
	return false
}

// set is a set of labels.
type set map[string]bool

// labels are those of a node's result.
func (c *checker) labels(node parser.Node) set {
	all := set{}
	switch n := node.(type) {
	case *parser.VectorSelector:
		for _, l := range scraped {
			all[l] = true
		}
		for l := range c.exposed[n.Name].labels {
			all[l] = true
		}
	case *parser.AggregateExpr:
		if n.Without {
			all = c.labels(n.Expr)
		}
		for _, l := range n.Grouping {
			all[l] = !n.Without
		}
	case *parser.BinaryExpr:
		if all = c.labels(n.LHS); len(all) == 0 {
			all = c.labels(n.RHS)
		}
	default:
		for child := range parser.ChildrenIter(node) {
			maps.Copy(all, c.labels(child))
		}
		if call, ok := node.(*parser.Call); ok && call.Func.Name == "histogram_quantile" {
			delete(all, "le")
		}
	}
	return all
}
