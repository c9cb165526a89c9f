package system

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Metric reads one of our engine's Prometheus metrics, of those without labels.
func (i *Instance) Metric(ctx context.Context, name string) (float64, error) {
	if i.Setup.Metrics == "" {
		return 0, errors.New("system: started without metrics")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+i.Setup.Metrics+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	token, err := os.ReadFile(filepath.Join(i.Setup.Dir, "http_token"))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, fmt.Errorf("system: no metric %s (HTTP %s)", name, resp.Status)
}
