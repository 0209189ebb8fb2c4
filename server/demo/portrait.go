package demo

import (
	"bytes"
	"fmt"
	"image/color"
	"image/jpeg"
)

// side of a portrait, in pixels and in the units of the drawing.
const portraitSide = 320

type skin uint8

const (
	fair skin = iota
	light
	olive
	brownSkin
	dark
	deep
)

type hairStyle uint8

const (
	short hairStyle = iota
	side
	quiff
	crop
	bald
	bob
	long
	bun
	ponytail
	waves
	curls
	scarf
	turban
)

type tint uint8

// Colours of hair, and of the scarf and the turban.
const (
	black tint = iota
	brown
	auburn
	ginger
	blond
	grey
	white
	teal
	amber
)

type clothes uint8

const (
	crew clothes = iota
	vneck
	shirt
	blazer
)

type extras uint8

const (
	glasses extras = 1 << iota
	beard
	stubble
	freckles

	plain extras = 0
)

// look is what somebody looks like.
type look struct {
	skin    skin
	hair    hairStyle
	tint    tint
	clothes clothes
	extras  extras
}

func rgb(hex uint32) color.NRGBA {
	return color.NRGBA{uint8(hex >> 16), uint8(hex >> 8), uint8(hex), 255}
}

// shade moves a colour towards black (below 1) or white (above 1).
func shade(c color.NRGBA, by float32) color.NRGBA {
	move := func(v uint8) uint8 {
		if by <= 1 {
			return uint8(float32(v) * by)
		}
		return uint8(float32(v) + (255-float32(v))*(by-1))
	}
	return color.NRGBA{move(c.R), move(c.G), move(c.B), c.A}
}

func alpha(c color.NRGBA, a uint8) color.NRGBA {
	c.A = a
	return c
}

var (
	skins       = [...]color.NRGBA{rgb(0xf6d3bd), rgb(0xeebf9f), rgb(0xd9a27b), rgb(0xb97f56), rgb(0x8a5a3c), rgb(0x6a4230)}
	tints       = [...]color.NRGBA{rgb(0x2a2326), rgb(0x5b3a29), rgb(0x8a3f24), rgb(0xc05f2c), rgb(0xdfb566), rgb(0x8d8f94), rgb(0xdcdde0), rgb(0x2f7f86), rgb(0xd08a1d)}
	backgrounds = [...]color.NRGBA{rgb(0x8fb8d8), rgb(0xf2b28c), rgb(0x9cc5a1), rgb(0xc8a8d6), rgb(0xe9c46a), rgb(0x8ecac6), rgb(0xe5989b), rgb(0xa9b4c2)}
	garments    = [...]color.NRGBA{rgb(0x2f4858), rgb(0x7a3b4a), rgb(0x33658a), rgb(0x4f6d3a), rgb(0x6b4e71), rgb(0xb5533c), rgb(0x3a5a55)}
)

// Portrait draws the member with this index, as JPEG. The same member always
// looks the same.
func Portrait(index int) ([]byte, error) {
	c := newCanvas(portraitSide)
	drawPortrait(c, Members[index].look, backgrounds[index%len(backgrounds)], garments[index*3%len(garments)])
	var b bytes.Buffer
	if err := jpeg.Encode(&b, c.image, &jpeg.Options{Quality: 82}); err != nil {
		return nil, fmt.Errorf("drawing a portrait: %w", err)
	}
	return b.Bytes(), nil
}

func drawPortrait(c *canvas, l look, background, garment color.NRGBA) {
	face, hair := skins[l.skin], tints[l.tint]
	c.gradient(shade(background, 1.25), shade(background, 0.9))
	c.ellipse(alpha(shade(background, 1.5), 120), 160, 150, 128, 128)
	drawHairBehind(c, l.hair, hair)
	drawBody(c, l.clothes, garment, face)
	drawHead(c, face)
	if l.extras&freckles != 0 {
		for _, at := range [][2]float32{{126, 166}, {134, 171}, {142, 165}, {178, 165}, {186, 171}, {194, 166}} {
			c.ellipse(alpha(shade(face, 0.7), 150), at[0], at[1], 2, 2)
		}
	}
	drawBeard(c, l, face, hair)
	drawFeatures(c, face, browColour(l))
	drawHairFront(c, l.hair, hair)
	if l.extras&glasses != 0 {
		drawGlasses(c, rgb(0x2b2b33))
	}
}

func browColour(l look) color.NRGBA {
	if l.hair == scarf || l.hair == turban {
		return tints[black]
	}
	return shade(tints[l.tint], 0.75)
}

func drawBody(c *canvas, style clothes, garment, face color.NRGBA) {
	c.fill(garment, "M 18 322 Q 22 268 88 250 Q 128 240 134 222 L 186 222 Q 192 240 232 250 Q 298 268 302 322")
	c.fill(shade(face, 0.84), "M 134 190 L 186 190 L 186 232 Q 184 258 160 260 Q 136 258 134 232") // neck, in the shadow of the chin
	switch style {
	case vneck:
		c.fill(face, "M 134 236 Q 160 262 186 236 L 160 292")
		c.fill(shade(garment, 1.2), "M 126 240 L 135 236 L 160 290 L 160 304")
		c.fill(shade(garment, 1.2), "M 194 240 L 185 236 L 160 290 L 160 304")
	case shirt:
		c.fill(shade(garment, 1.35), "M 126 232 L 138 228 L 160 262 L 138 284")
		c.fill(shade(garment, 1.35), "M 194 232 L 182 228 L 160 262 L 182 284")
		c.fill(shade(garment, 0.8), "M 158 262 L 162 262 L 162 322 L 158 322")
	case blazer:
		c.fill(rgb(0xf4f4f2), "M 134 234 Q 160 264 186 234 L 200 322 L 120 322")
		c.fill(shade(garment, 0.82), "M 128 238 L 152 322 L 96 322 L 104 262")
		c.fill(shade(garment, 0.82), "M 192 238 L 168 322 L 224 322 L 216 262")
	default:
		c.fill(shade(garment, 1.2), "M 126 236 Q 160 282 194 236 L 202 242 Q 160 300 118 242")
	}
}

func drawHead(c *canvas, face color.NRGBA) {
	c.ellipse(shade(face, 0.9), 101, 150, 11, 17)
	c.ellipse(shade(face, 0.9), 219, 150, 11, 17)
	c.fill(face, "M 102 130 C 100 60 220 60 218 130 C 220 182 192 218 160 218 C 128 218 100 182 102 130")
}

func drawFeatures(c *canvas, face, brow color.NRGBA) {
	c.ellipse(alpha(rgb(0xe0685a), 46), 124, 172, 13, 9)
	c.ellipse(alpha(rgb(0xe0685a), 46), 196, 172, 13, 9)
	for _, x := range []float32{137, 183} {
		c.ellipse(rgb(0xfdfdfd), x, 148, 9.5, 7.5)
		c.ellipse(rgb(0x33262a), x, 148.5, 5.6, 5.8)
		c.ellipse(rgb(0xffffff), x+2, 146.5, 1.7, 1.7)
	}
	c.fill(brow, "M 122 131 Q 136 121 151 129 L 150 133 Q 136 127 123 135")
	c.fill(brow, "M 198 131 Q 184 121 169 129 L 170 133 Q 184 127 197 135")
	c.fill(alpha(shade(face, 0.7), 190), "M 151 172 Q 160 181 169 172 Q 160 176 151 172")
	c.fill(rgb(0x9c3f3f), "M 139 188 Q 160 196 181 188 Q 160 216 139 188")
	c.fill(rgb(0xffffff), "M 145 191 Q 160 196 175 191 Q 160 203 145 191")
}

func drawBeard(c *canvas, l look, face, hair color.NRGBA) {
	colour := shade(hair, 0.95)
	switch {
	case l.hair == turban:
		colour = tints[black]
	case l.extras&stubble != 0:
		colour = alpha(shade(face, 0.55), 90)
	}
	if l.extras&(beard|stubble) == 0 {
		return
	}
	c.fill(colour, "M 102 146 Q 116 176 138 180 Q 160 172 182 180 Q 204 176 218 146 C 222 194 190 228 160 228 C 130 228 98 194 102 146")
}

func drawGlasses(c *canvas, frame color.NRGBA) {
	for _, x := range []float32{137, 183} {
		c.ellipse(alpha(rgb(0xffffff), 40), x, 149, 18, 16)
		c.ring(frame, x, 149, 19, 17, 3)
	}
	c.fill(frame, "M 155 147 Q 160 142 165 147 L 165 150 Q 160 145 155 150")
	c.fill(frame, "M 118 146 L 103 143 L 103 146 L 118 149")
	c.fill(frame, "M 202 146 L 217 143 L 217 146 L 202 149")
}
