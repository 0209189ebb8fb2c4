package place

import (
	"bufio"
	"bytes"
	"context"
	"strconv"
	"strings"
)

// Figures reads the plain figures of a server's /metrics, by name: those without
// labels.
func Figures(ctx context.Context, addr string) (map[string]float64, error) {
	text, err := get(ctx, "http://"+addr+"/metrics")
	if err != nil {
		return nil, err
	}
	return parseFigures(text), nil
}

// parseFigures reads the text form of Prometheus.
func parseFigures(text []byte) map[string]float64 {
	found := map[string]float64{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		name, value, ok := strings.Cut(lines.Text(), " ")
		if !ok || strings.HasPrefix(name, "#") || strings.Contains(name, "{") {
			continue
		}
		if n, err := strconv.ParseFloat(value, 64); err == nil {
			found[name] = n
		}
	}
	return found
}
