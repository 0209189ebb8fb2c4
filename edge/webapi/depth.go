package webapi

// tooDeep reports whether objects and arrays are nested more than limit levels.
// It reads the text once, allocates nothing, and judges nothing else: what is
// not JSON is found out by whoever decodes it. It comes first because a decoder
// builds what it reads.
func tooDeep(text []byte, limit int) bool {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++ // whatever comes next does not end the string
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > limit {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
