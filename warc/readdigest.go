package warc

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base32"
	"encoding/hex"
	"strings"
)

// fits tells whether a labelled digest (ISO 28500:2017, 5.8 and 5.9) is that of some
// data; known is false where there is no digest, or one that is not understood.
// Writers spell the algorithm with and without hyphen, and the value in Base32,
// as the examples of the standard, or hexadecimal.
func fits(digest string, data []byte) (fit, known bool) {
	name, value, _ := strings.Cut(strings.TrimSpace(digest), ":")
	var sum []byte
	switch strings.ReplaceAll(strings.ToLower(name), "-", "") {
	case "sha1":
		of := sha1.Sum(data)
		sum = of[:]
	case "sha256":
		of := sha256.Sum256(data)
		sum = of[:]
	case "sha512":
		of := sha512.Sum512(data)
		sum = of[:]
	case "md5":
		of := md5.Sum(data)
		sum = of[:]
	default:
		return false, false
	}
	want, err := hex.DecodeString(value)
	if err != nil || len(want) != len(sum) {
		value = strings.TrimRight(strings.ToUpper(value), "=")
		want, err = base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(value)
	}
	if err != nil || len(want) != len(sum) {
		return false, false
	}
	return bytes.Equal(want, sum), true
}
