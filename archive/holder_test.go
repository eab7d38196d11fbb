package archive

import (
	"strings"
	"testing"
	"time"
)

func TestHeldBy(t *testing.T) {
	h := Holder{PID: 4711, Command: "finarc export\n jekyll  --out x", Since: time.Date(2026, 1, 1, 19, 4, 5, 0, time.UTC)}
	const first = "pid 4711 (finarc export jekyll --out x) since 2026-01-02 03:04:05"
	for _, tt := range []struct {
		holders []Holder
		want    string
	}{
		{nil, ""},
		{[]Holder{h}, first},
		{[]Holder{h, {PID: 1}}, first + " and 1 more process"},
		{[]Holder{h, {PID: 1}, {PID: 2}}, first + " and 2 more processes"},
	} {
		if got := heldBy(tt.holders); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

func TestLongCommandIsCut(t *testing.T) {
	if got := oneLine(strings.Repeat("新", 500)); got != strings.Repeat("新", longestCommand-1)+"…" {
		t.Error(got)
	}
}

func TestHolderThatCannotBeTold(t *testing.T) {
	if got := (Holder{}).String(); got != "another process" {
		t.Error(got)
	}
}
