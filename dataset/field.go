package dataset

import (
	"time"

	"github.com/finarc/finarc/news"
)

// field is one field of every row: how Table Schema
// (https://specs.frictionlessdata.io/table-schema/) describes it, and its value.
type field struct {
	Name        string `json:"name"`
	Type        string `json:"type"`
	Format      string `json:"format,omitempty"`
	Unit        string `json:"unit,omitempty"` // not of the standard, which leaves room for more
	Description string `json:"description"`
	Constraints rules  `json:"constraints,omitzero"`

	// value returns what JSON has: nil, a string, an int32, a []string or a
	// []Mention. Lists are never nil.
	value func(*Row) any
}

// rules are what holds of all values of a field.
type rules struct {
	Required bool     `json:"required,omitempty"`
	Enum     []string `json:"enum,omitempty"`
}

// Layouts of times: RFC 3339 in Shanghai time, as far as the archive knows them.
const (
	layoutSecond = "2006-01-02T15:04:05-07:00"
	layoutMilli  = "2006-01-02T15:04:05.000-07:00"
)

const unitSecond, unitMilli = "second", "millisecond"

// fieldHTML is the field that is there on request only.
const fieldHTML = "html"

var always = rules{Required: true}

// fields are all fields, in order. README.md has them in a table.
var fields = []field{
	{Name: "id", Type: "string", Constraints: always, Description: "identity of the post: the 18 digits of its infoCode, or, without one, day, hyphen and a hash of its address",
		value: func(r *Row) any { return r.ID }},
	{Name: "info_code", Type: "string", Description: "infoCode, as fully spelled as the page has it",
		value: func(r *Row) any { return known(r.InfoCode) }},
	{Name: "revision", Type: "integer", Constraints: always, Description: "number of the revision; 1 is the first that the archive knows of",
		value: func(r *Row) any { return r.Revision }},
	{Name: "title", Type: "string", Description: "title, plain text",
		value: func(r *Row) any { return known(r.Title) }},
	{Name: "published", Type: "datetime", Format: "any", Unit: unitSecond, Description: "when it was published, as the page says; midnight where only the day is known",
		value: func(r *Row) any { return moment(r.Published, layoutSecond) }},
	{Name: "first_seen", Type: "datetime", Format: "any", Unit: unitMilli, Constraints: always, Description: "when the archive first had the post",
		value: func(r *Row) any { return moment(r.FirstSeen, layoutMilli) }},
	{Name: "fetched", Type: "datetime", Format: "any", Unit: unitMilli, Constraints: always, Description: "when this revision was captured",
		value: func(r *Row) any { return moment(r.Fetched, layoutMilli) }},
	{Name: "mode", Type: "string", Constraints: rules{Required: true, Enum: []string{string(news.ModeLive), string(news.ModeBackfill), string(news.ModeImport)}},
		Description: "how it came in: live, by a crawl of what a mirror shows now; backfill or import, later",
		value:       func(r *Row) any { return r.Mode }},
	{Name: "tradable_at", Type: "datetime", Format: "any", Unit: unitSecond, Description: "first moment at which a reader could have traded on it in Shanghai and Shenzhen, where the calendar knows",
		value: func(r *Row) any { return moment(r.TradableAt, layoutSecond) }},
	{Name: "categories", Type: "array", Constraints: always, Description: "categories: list of strings",
		value: func(r *Row) any { return list(r.Categories) }},
	{Name: "tags", Type: "array", Constraints: always, Description: "tags: list of strings",
		value: func(r *Row) any { return list(r.Tags) }},
	{Name: "outlet", Type: "string", Description: "outlet that carries the post",
		value: func(r *Row) any { return known(r.Outlet) }},
	{Name: "source", Type: "string", Description: "whom the article itself names as its source",
		value: func(r *Row) any { return known(r.Source) }},
	{Name: "digest", Type: "string", Description: "summary, plain text, where the page has one",
		value: func(r *Row) any { return known(r.Digest) }},
	{Name: "text", Type: "string", Description: "article, plain text, a line a paragraph",
		value: func(r *Row) any { return known(r.Text) }},
	{Name: fieldHTML, Type: "string", Description: "article, HTML as the mirror sent it, in UTF-8; with --html only",
		value: func(r *Row) any { return known(r.HTML) }},
	{Name: "securities", Type: "array", Constraints: always, Description: "securities that the article marks, in order: list of objects with market (number), code, name (empty where unknown) and count (of the marked places)",
		value: func(r *Row) any { return list(r.Securities) }},
	{Name: "boards", Type: "array", Constraints: always, Description: "sector and concept boards, likewise",
		value: func(r *Row) any { return list(r.Boards) }},
	{Name: "related", Type: "array", Constraints: always, Description: "infoCodes of the posts that the article links: list of strings",
		value: func(r *Row) any { return list(r.Related) }},
	{Name: "story_id", Type: "string", Description: "infoCode of the post that ran the same story first, where more than one is known to run it",
		value: func(r *Row) any { return known(r.Story) }},
	{Name: "url", Type: "string", Constraints: always, Description: "address of the page",
		value: func(r *Row) any { return r.URL }},
	{Name: "sha256", Type: "string", Description: "SHA-256 of the page's bytes, in hexadecimal; null where damage of the archive took them, and text with them",
		value: func(r *Row) any { return known(r.SHA256) }},
}

// chosen returns the fields that an export has.
func (o *Options) chosen() []field {
	var list []field
	for _, f := range fields {
		if f.Name != fieldHTML || o.HTML {
			list = append(list, f)
		}
	}
	return list
}

// known returns text, or nil where there is none.
func known(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// moment formats a time, nil for none.
func moment(t time.Time, layout string) any {
	if t.IsZero() {
		return nil
	}
	return t.In(news.Shanghai).Format(layout)
}

func list[T any](values []T) []T { return append([]T{}, values...) }
