package dataset

import (
	"strings"
	"time"

	"github.com/finarc/finarc/news"
)

// Row is a revision of a post as every format has it. What is not known is zero,
// which is written as null. All text is valid UTF-8.
//
// The tags are those of the Parquet columns. Those columns have dictionaries in
// which a value comes again within a row group.
type Row struct {
	ID         string    `parquet:"id,delta"`
	InfoCode   string    `parquet:"info_code,optional,delta"`
	Revision   int32     `parquet:"revision"`
	Title      string    `parquet:"title,optional"`
	Published  time.Time `parquet:"published,optional,timestamp(millisecond),delta"`
	FirstSeen  time.Time `parquet:"first_seen,timestamp(millisecond),delta"`
	Fetched    time.Time `parquet:"fetched,timestamp(millisecond),delta"`
	Mode       string    `parquet:"mode,dict"`
	TradableAt time.Time `parquet:"tradable_at,optional,timestamp(millisecond),delta"`
	Categories []string  `parquet:"categories,list" parquet-element:",dict"`
	Tags       []string  `parquet:"tags,list" parquet-element:",dict"`
	Outlet     string    `parquet:"outlet,optional,dict"`
	Source     string    `parquet:"source,optional,dict"`
	Digest     string    `parquet:"digest,optional"`
	Text       string    `parquet:"text,optional"`
	HTML       string    `parquet:"html,optional"`
	Securities []Mention `parquet:"securities,list"`
	Boards     []Mention `parquet:"boards,list"`
	Related    []string  `parquet:"related,list"`
	Story      string    `parquet:"story_id,optional,dict"`
	URL        string    `parquet:"url"`
	SHA256     string    `parquet:"sha256,optional"`
}

// Mention is a security or board that a post marks up.
type Mention struct {
	Market int32  `json:"market" parquet:"market,dict"`
	Code   string `json:"code" parquet:"code,dict"`
	Name   string `json:"name" parquet:"name,dict"` // "" where the page tells none
	Count  int32  `json:"count" parquet:"count,dict"`
}

// newRow returns the row of a revision that was read with its body.
func (o *Options) newRow(rev *news.Revision) Row {
	row := Row{
		ID: string(rev.ID), InfoCode: string(rev.InfoCode), Revision: int32(rev.Number), Title: valid(rev.Title),
		Published: rev.Published, FirstSeen: rev.FirstSeen, Fetched: rev.Fetched, Mode: string(rev.Mode),
		Categories: valids(rev.Categories()), Tags: valids(rev.Tags()), Outlet: valid(rev.Outlet), Source: valid(rev.Source),
		Digest: valid(rev.Digest), Text: valid(o.Text(rev.Body)), Securities: mentions(rev.Securities), Boards: mentions(rev.Boards),
		Story: rev.Story, URL: valid(rev.URL), SHA256: rev.SHA256,
	}
	row.TradableAt, _ = o.TradableAt(&rev.Post)
	if o.HTML {
		row.HTML = valid(rev.Body)
	}
	for _, code := range rev.Related {
		row.Related = append(row.Related, string(code))
	}
	return row
}

// valid returns text with a replacement character for what is no UTF-8 in it.
func valid(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

func valids(list []string) []string {
	for i := range list {
		list[i] = valid(list[i])
	}
	return list
}

func mentions(list []news.Mention) []Mention {
	var found []Mention
	for _, m := range list {
		found = append(found, Mention{Market: int32(m.Market), Code: valid(m.Code), Name: valid(m.Name), Count: int32(m.Count)})
	}
	return found
}

// size is about how many bytes a row takes in memory.
func (r *Row) size() int {
	const fixed = 512
	return fixed + len(r.Title) + len(r.Digest) + len(r.Text) + len(r.HTML) + 64*(len(r.Securities)+len(r.Boards)+len(r.Related))
}
