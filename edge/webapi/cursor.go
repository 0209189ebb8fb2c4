package webapi

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"

	"parley"
)

// errForeignCursor says that a cursor was not made by this log in this epoch.
var errForeignCursor = errors.New("cursor of another epoch, or none")

// cursorLength is the length of a sealed cursor on the wire.
const cursorLength = 22

// Cursors says how positions are sealed.
type Cursors struct {
	Epoch uint64   // of the log; another one with every restore
	Key   [16]byte // random, made with the database
}

// sealer turns positions into cursors and back. A cursor is one AES-128 block of
// epoch and position: a client can neither read a position nor make one up,
// since a block that it invents decrypts to another epoch.
type sealer struct {
	block cipher.Block
	epoch uint64
}

func newSealer(c Cursors) (*sealer, error) {
	block, err := aes.NewCipher(c.Key[:])
	if err != nil {
		return nil, fmt.Errorf("making the cipher for cursors: %w", err)
	}
	return &sealer{block: block, epoch: c.Epoch}, nil
}

// seal gives the cursor of a position.
func (s *sealer) seal(pos parley.Pos) string {
	return string(s.appendSealed(make([]byte, 0, cursorLength), pos))
}

// appendSealed appends the cursor of a position.
func (s *sealer) appendSealed(to []byte, pos parley.Pos) []byte {
	var block [aes.BlockSize]byte
	binary.BigEndian.PutUint64(block[:8], s.epoch)
	binary.BigEndian.PutUint64(block[8:], uint64(pos))
	s.block.Encrypt(block[:], block[:])
	return base64.RawURLEncoding.AppendEncode(to, block[:])
}

// open gives the position of a cursor, or errForeignCursor.
func (s *sealer) open(cursor string) (parley.Pos, error) {
	var block [aes.BlockSize + 2]byte // room for what a padded form would decode to
	if len(cursor) != cursorLength {
		return 0, errForeignCursor
	}
	n, err := base64.RawURLEncoding.Strict().Decode(block[:], []byte(cursor))
	if err != nil || n != aes.BlockSize {
		return 0, errForeignCursor
	}
	s.block.Decrypt(block[:aes.BlockSize], block[:aes.BlockSize])
	pos := parley.Pos(binary.BigEndian.Uint64(block[8:aes.BlockSize]))
	if binary.BigEndian.Uint64(block[:8]) != s.epoch || pos < 0 {
		return 0, errForeignCursor
	}
	return pos, nil
}

// epochName is the epoch on the wire. It is compared for equality only.
func (s *sealer) epochName() string { return strconv.FormatUint(s.epoch, 16) }
