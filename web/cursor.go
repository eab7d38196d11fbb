package web

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/finarc/finarc/archive"
)

// The cursors of the API name a place, not a number of steps, so that what is
// archived meanwhile moves nothing. They are opaque to who uses them: a letter for
// what is listed and the place, in base64.
const (
	cursorPosts      = 'p'
	cursorRuns       = 'r'
	cursorCategories = 'c'
)

// sealCursor returns the cursor of a place.
func sealCursor(kind byte, place string) string {
	return base64.RawURLEncoding.EncodeToString(append([]byte{kind}, place...))
}

// openCursor returns the place that a cursor of a kind names; "" for no cursor.
func openCursor(kind byte, cursor string) (string, error) {
	if cursor == "" {
		return "", nil
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(text) < 2 || text[0] != kind {
		return "", fmt.Errorf("cursor=%q is none that this list has given", cursor)
	}
	return string(text[1:]), nil
}

// position reads a cursor of posts.
func (p *params) position() archive.Position {
	text := p.text("cursor")
	at, err := openPosition(text)
	if err != nil && p.err == nil {
		p.err = err
	}
	return at
}

func openPosition(cursor string) (archive.Position, error) {
	var at archive.Position
	place, err := openCursor(cursorPosts, cursor)
	if err != nil || place == "" {
		return at, err
	}
	when, seq, _ := strings.Cut(place, ".")
	if at.When, err = strconv.ParseInt(when, 10, 64); err == nil {
		at.Seq, err = strconv.ParseUint(seq, 10, 64)
	}
	if err != nil || sealPosition(at) != cursor {
		return archive.Position{}, fmt.Errorf("cursor=%q is none that this list has given", cursor)
	}
	return at, nil
}

// sealPosition returns the cursor to what lies behind a post.
func sealPosition(at archive.Position) string {
	return sealCursor(cursorPosts, fmt.Sprintf("%d.%d", at.When, at.Seq))
}

// runNumber reads a cursor of runs: the number of the last that was listed; 0 for
// none.
func (p *params) runNumber() uint64 {
	text := p.text("cursor")
	place, err := openCursor(cursorRuns, text)
	if err == nil && place == "" {
		return 0
	}
	n, err2 := strconv.ParseUint(place, 10, 64)
	if err != nil || err2 != nil || n == 0 {
		p.wrong("cursor", text, "one that this list has given")
	}
	return n
}

// category reads a cursor of categories: the name of the last that was listed.
func (p *params) category() string {
	text := p.text("cursor")
	place, err := openCursor(cursorCategories, text)
	if err != nil && p.err == nil {
		p.err = err
	}
	return place
}
