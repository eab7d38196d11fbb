package storetest

import (
	"reflect"
	"time"

	"github.com/finarc/finarc/archive"
)

// This file, and archive/later_test.go, stand in for what the archive is to
// have and has not yet:
//
//   - Once it has Revisions, delete archive/later_test.go.
//   - Once it puts a post's revisions in the order in which they were captured,
//     and selections have AsOf, set Grown. The cases that wait for that are then
//     switched on in the suite, the twin and the simulation; the functions here
//     find the field by its name.
//   - Then, for good: write s.AsOf for asOf(s), set the field for WithAsOf, and
//     delete this file with every question after Grown.

// Grown says whether the archive has [archive.Selection]'s AsOf, and puts the
// revisions of a post in the order in which they were captured, even where
// they were committed in another.
const Grown = false

// asOf returns s.AsOf, and no time where there is no such field.
func asOf(s archive.Selection) time.Time {
	f := reflect.ValueOf(s).FieldByName("AsOf")
	if !f.IsValid() {
		return time.Time{}
	}
	return f.Interface().(time.Time)
}

// WithAsOf returns s with its AsOf set. There must be such a field: ask Grown.
func WithAsOf(s archive.Selection, t time.Time) archive.Selection {
	reflect.ValueOf(&s).Elem().FieldByName("AsOf").Set(reflect.ValueOf(t))
	return s
}
