package demo

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"strconv"
	"strings"

	"golang.org/x/image/vector"
)

// canvas is a square picture that smooth-edged shapes are painted on, one over
// the other.
type canvas struct {
	image *image.RGBA
	brush vector.Rasterizer
}

func newCanvas(side int) *canvas {
	return &canvas{image: image.NewRGBA(image.Rect(0, 0, side, side))}
}

// gradient paints everything, from one colour at the top to another at the
// bottom.
func (c *canvas) gradient(top, bottom color.NRGBA) {
	bounds := c.image.Bounds()
	for y := range bounds.Dy() {
		t := float32(y) / float32(bounds.Dy())
		mix := func(a, b uint8) uint8 { return uint8(float32(a)*(1-t) + float32(b)*t) }
		line := color.NRGBA{mix(top.R, bottom.R), mix(top.G, bottom.G), mix(top.B, bottom.B), 255}
		draw.Draw(c.image, image.Rect(0, y, bounds.Dx(), y+1), image.NewUniform(line), image.Point{}, draw.Src)
	}
}

// fill paints a closed shape. The outline is in the notation of SVG paths, of
// which it knows M, L, Q and C with absolute coordinates.
func (c *canvas) fill(colour color.NRGBA, outline string) { c.paint(colour, parsePath(outline)) }

// ellipse paints an ellipse around x, y.
func (c *canvas) ellipse(colour color.NRGBA, x, y, rx, ry float32) {
	c.paint(colour, ellipsePath(x, y, rx, ry))
}

// ring paints the edge of an ellipse, of the given width, inside it.
func (c *canvas) ring(colour color.NRGBA, x, y, rx, ry, width float32) {
	// The inner edge runs the other way round, which makes a hole of it.
	c.paint(colour, append(ellipsePath(x, y, rx, ry), ellipsePath(x, y, -(rx-width), ry-width)...))
}

// step is one step of an outline: M, L, Q or C, and its points, the last of
// which is where it ends.
type step struct {
	verb   byte
	points [3][2]float32
	count  int
}

func parsePath(outline string) []step {
	var steps []step
	fields := strings.Fields(outline)
	for i := 0; i < len(fields); {
		s := step{verb: fields[i][0], count: map[byte]int{'M': 1, 'L': 1, 'Q': 2, 'C': 3}[fields[i][0]]}
		for j := range 2 * s.count {
			v, err := strconv.ParseFloat(fields[i+1+j], 32)
			if err != nil {
				panic("demo: not a path: " + outline) // the outlines are constants
			}
			s.points[j/2][j%2] = float32(v)
		}
		i += 1 + 2*s.count
		steps = append(steps, s)
	}
	return steps
}

// ellipsePath approximates an ellipse by four curves. A negative rx makes it run
// counter-clockwise.
func ellipsePath(x, y, rx, ry float32) []step {
	const k = 0.5522848 // makes a cubic curve pass for a quarter of a circle
	quarter := func(x1, y1, x2, y2, x3, y3 float32) step {
		return step{'C', [3][2]float32{{x + x1*rx, y + y1*ry}, {x + x2*rx, y + y2*ry}, {x + x3*rx, y + y3*ry}}, 3}
	}
	return []step{
		{'M', [3][2]float32{{x + rx, y}}, 1},
		quarter(1, k, k, 1, 0, 1), quarter(-k, 1, -1, k, -1, 0),
		quarter(-1, -k, -k, -1, 0, -1), quarter(k, -1, 1, -k, 1, 0),
	}
}

// paint rasterises only the part of the picture that the shape touches.
func (c *canvas) paint(colour color.NRGBA, steps []step) {
	area := bounds(steps).Intersect(c.image.Bounds())
	if area.Empty() {
		return
	}
	r := &c.brush
	r.Reset(area.Dx(), area.Dy())
	dx, dy := float32(area.Min.X), float32(area.Min.Y)
	for _, s := range steps {
		p := s.points
		for i := range p {
			p[i][0] -= dx
			p[i][1] -= dy
		}
		switch s.verb {
		case 'M':
			r.ClosePath()
			r.MoveTo(p[0][0], p[0][1])
		case 'L':
			r.LineTo(p[0][0], p[0][1])
		case 'Q':
			r.QuadTo(p[0][0], p[0][1], p[1][0], p[1][1])
		case 'C':
			r.CubeTo(p[0][0], p[0][1], p[1][0], p[1][1], p[2][0], p[2][1])
		}
	}
	r.ClosePath()
	r.Draw(c.image, area, image.NewUniform(colour), image.Point{})
}

// bounds is a rectangle that holds every point of the outline, and so the curves.
func bounds(steps []step) image.Rectangle {
	low := [2]float64{math.Inf(1), math.Inf(1)}
	high := [2]float64{math.Inf(-1), math.Inf(-1)}
	for _, s := range steps {
		for _, p := range s.points[:s.count] {
			for i, v := range p {
				low[i], high[i] = min(low[i], float64(v)), max(high[i], float64(v))
			}
		}
	}
	return image.Rect(int(math.Floor(low[0])), int(math.Floor(low[1])), int(math.Ceil(high[0])), int(math.Ceil(high[1])))
}
