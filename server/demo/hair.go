package demo

import "image/color"

// drawHairBehind paints what of the hair is behind the neck and the shoulders.
func drawHairBehind(c *canvas, style hairStyle, hair color.NRGBA) {
	back := shade(hair, 0.8)
	switch style {
	case bob:
		c.fill(back, "M 84 150 C 76 40 244 40 236 150 Q 242 206 214 222 L 106 222 Q 78 206 84 150")
	case long:
		c.fill(back, "M 82 150 C 72 34 248 34 238 150 Q 246 230 240 292 L 80 292 Q 74 230 82 150")
	case waves:
		c.fill(back, "M 82 150 C 72 36 248 36 238 150 Q 262 180 240 206 Q 256 236 228 254 L 92 254 Q 64 236 80 206 Q 58 180 82 150")
	case bun:
		c.ellipse(back, 160, 52, 32, 28)
		c.ellipse(shade(hair, 1.12), 154, 46, 17, 13)
	case ponytail:
		c.fill(back, "M 196 76 C 280 70 270 170 256 232 Q 236 250 232 214 Q 240 140 204 110")
	case curls:
		for _, at := range [][3]float32{{96, 96, 34}, {84, 140, 32}, {92, 184, 30}, {224, 96, 34}, {236, 140, 32}, {228, 184, 30}, {124, 64, 34}, {160, 54, 36}, {196, 64, 34}} {
			c.ellipse(back, at[0], at[1], at[2], at[2])
		}
	case scarf:
		c.fill(back, "M 80 150 C 70 30 250 30 240 150 Q 248 214 262 262 Q 160 322 58 262 Q 72 214 80 150")
	}
}

// drawHairFront paints what of the hair is over the forehead and the temples.
func drawHairFront(c *canvas, style hairStyle, hair color.NRGBA) {
	shine := shade(hair, 1.14)
	switch style {
	case short:
		c.fill(hair, "M 97 140 C 88 48 232 48 223 140 Q 216 108 202 100 Q 160 88 118 100 Q 104 108 97 140")
	case side:
		c.fill(hair, "M 97 142 C 84 44 236 40 223 142 Q 220 112 206 104 Q 150 104 122 92 Q 106 108 97 142")
		c.fill(shine, "M 122 90 Q 150 66 204 84 Q 212 92 208 102 Q 160 104 122 90")
	case quiff:
		c.fill(hair, "M 97 140 Q 92 92 112 82 Q 118 38 190 46 Q 230 56 220 92 Q 226 110 223 140 Q 216 112 206 104 Q 160 100 118 104 Q 104 112 97 140")
		c.fill(shine, "M 124 82 Q 140 52 196 60 Q 166 62 150 90")
	case crop:
		c.fill(alpha(hair, 225), "M 100 132 C 96 56 224 56 220 132 Q 212 98 196 94 Q 160 86 124 94 Q 108 98 100 132")
	case bald:
		c.fill(hair, "M 99 156 Q 94 132 102 112 Q 110 132 106 156")
		c.fill(hair, "M 221 156 Q 226 132 218 112 Q 210 132 214 156")
		c.fill(alpha(rgb(0xffffff), 60), "M 132 88 Q 158 70 186 84 Q 160 78 132 88")
	case bob, waves:
		c.fill(hair, "M 92 178 C 76 24 244 24 228 178 Q 222 128 206 106 Q 190 116 146 96 Q 112 112 92 178")
		c.fill(shine, "M 112 104 Q 132 66 196 74 Q 150 76 126 108")
	case long:
		c.fill(hair, "M 90 214 C 70 10 250 10 230 214 Q 226 132 208 112 Q 180 104 162 82 Q 142 104 112 112 Q 94 132 90 214")
		c.fill(shine, "M 112 108 Q 124 80 156 74 Q 136 90 122 110")
	case bun, ponytail:
		c.fill(hair, "M 97 146 C 84 46 236 46 223 146 Q 218 112 196 98 Q 160 82 124 98 Q 102 112 97 146")
		c.fill(shine, "M 116 96 Q 136 68 184 76 Q 144 76 126 98")
	case curls:
		for _, at := range [][3]float32{{112, 100, 20}, {134, 84, 22}, {160, 78, 23}, {186, 84, 22}, {208, 100, 20}, {101, 122, 14}, {219, 122, 14}} {
			c.ellipse(hair, at[0], at[1], at[2], at[2])
		}
		for _, at := range [][2]float32{{130, 78}, {158, 71}, {184, 79}} {
			c.ellipse(shine, at[0], at[1], 8, 6)
		}
	case scarf:
		drawScarf(c, hair)
	case turban:
		drawTurban(c, hair)
	}
}

func drawScarf(c *canvas, cloth color.NRGBA) {
	// Two outlines running in opposite directions: the face looks out of the hole.
	c.fill(cloth, "M 84 150 C 74 34 246 34 236 150 Q 240 212 214 244 Q 160 274 106 244 Q 80 212 84 150 "+
		"M 108 144 Q 108 196 160 216 Q 212 196 212 144 Q 206 98 160 96 Q 114 98 108 144")
	c.fill(shade(cloth, 0.86), "M 110 238 Q 160 262 210 238 Q 190 282 228 308 L 96 308 Q 128 282 110 238")
	c.fill(shade(cloth, 1.2), "M 106 100 Q 130 62 190 68 Q 140 74 114 106")
}

func drawTurban(c *canvas, cloth color.NRGBA) {
	c.fill(cloth, "M 92 122 C 70 20 250 20 228 122 Q 196 92 160 112 Q 124 92 92 122")
	c.fill(shade(cloth, 1.18), "M 94 116 Q 112 70 168 66 Q 128 88 160 112 Q 124 92 94 116")
	c.fill(shade(cloth, 0.84), "M 226 116 Q 216 62 150 44 Q 196 78 160 112 Q 196 92 226 116")
}
