package account

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"

	"parley"
)

// A device token or invitation code is 256 random bits in unpadded base64url, 43
// characters. Only its SHA-256 is stored: random bits need no slow hash.
const (
	codeBytes  = 32
	codeLength = 43
)

// newCode makes a token or code and the hash to store.
func newCode() (parley.Secret, [32]byte) {
	raw := make([]byte, codeBytes)
	rand.Read(raw) // never fails: crypto/rand stops the program instead
	return parley.Secret(base64.RawURLEncoding.EncodeToString(raw)), sha256.Sum256(raw)
}

// hashCode returns the stored form of a token or code; false when it cannot be
// one. Exactly one spelling of the bits is accepted.
func hashCode(code parley.Secret) ([32]byte, bool) {
	if len(code) != codeLength {
		return [32]byte{}, false
	}
	var raw [codeBytes + 1]byte
	n, err := base64.RawURLEncoding.Strict().Decode(raw[:], []byte(code))
	if err != nil || n != codeBytes {
		return [32]byte{}, false
	}
	return sha256.Sum256(raw[:n]), true
}

// newHistoryKey makes a key for the history on a device.
func newHistoryKey() []byte {
	key := make([]byte, 32)
	rand.Read(key)
	return key
}
