package storetest

import (
	"reflect"
	"time"

	"github.com/finarc/finarc/archive"
)

// This file stands in for what the archive is to have and has not yet. Once it
// has: set Grown, delete the functions below, write s.AsOf for asOf(s) and an
// AsOf: for WithAsOf, and delete archive/later_test.go.

// Grown says whether the archive has [archive.Selection]'s AsOf, and puts the
// revisions of a post in the order in which they were captured, even where
// they were committed in another.
const Grown = false

// asOf returns s.AsOf.
func asOf(s archive.Selection) time.Time {
	f := reflect.ValueOf(s).FieldByName("AsOf")
	if !f.IsValid() {
		return time.Time{}
	}
	return f.Interface().(time.Time)
}

// WithAsOf returns s with its AsOf set.
func WithAsOf(s archive.Selection, t time.Time) archive.Selection {
	reflect.ValueOf(&s).Elem().FieldByName("AsOf").Set(reflect.ValueOf(t))
	return s
}
