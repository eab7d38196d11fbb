package main

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/finarc/finarc/search"
	"github.com/finarc/finarc/web"
)

func TestParted(t *testing.T) {
	for _, c := range []struct {
		p    search.Passage
		want []web.Passage
	}{
		{search.Passage{}, nil},
		{search.Passage{Text: "阿里云"}, []web.Passage{{Text: "阿里云"}}},
		{search.Passage{Text: "阿里云与云", Marks: [][2]int{{0, 2}, {4, 5}}}, []web.Passage{{Text: "阿里", Marked: true}, {Text: "云与"}, {Text: "云", Marked: true}}},
		{search.Passage{Text: "阿里云", Marks: [][2]int{{0, 1}, {1, 3}}}, []web.Passage{{Text: "阿", Marked: true}, {Text: "里云", Marked: true}}},
	} {
		if got := parted(c.p); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%+v: got %+v, want %+v", c.p, got, c.want)
		}
	}
}

func TestWebError(t *testing.T) {
	other := errors.New("other")
	for _, c := range []struct{ err, want error }{
		{&search.QueryError{}, web.ErrQuery}, {fmt.Errorf("x: %w", search.ErrCursor), web.ErrQuery},
		{search.ErrNoIndex, web.ErrNoIndex}, {search.ErrStale, web.ErrNoIndex}, {search.ErrDamaged, web.ErrNoIndex}, {other, other},
	} {
		if got := webError(c.err); !errors.Is(got, c.want) || !errors.Is(got, c.err) {
			t.Errorf("%v: got %v", c.err, got)
		}
	}
}
