// Package dataset writes posts as data sets: a row a post, with the same fields in
// JSON Lines, CSV and Parquet, as a stream or as a folder with a descriptor beside
// the files (Data Package, https://specs.frictionlessdata.io/). It takes rows as
// they come, so the memory it needs does not grow with their number.
package dataset

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/finarc/finarc/news"
)

// Format is how rows are written. It is also what the names of files end with.
type Format string

// The formats.
const (
	JSONLines Format = "jsonl"
	CSV       Format = "csv"
	Parquet   Format = "parquet"
)

// Options tell what is written, and what it takes to know it.
type Options struct {
	Format  Format
	HTML    bool // also the article's HTML
	SafeCSV bool // CSV has nothing that a spreadsheet takes for a formula
	Months  bool // a folder has a file for each month

	// Text returns the plain text of an article's HTML.
	Text func(html string) string
	// TradableAt tells when a post could first be traded on, if that is known.
	TradableAt func(*news.Post) (time.Time, bool)

	// What the descriptor tells of where the rows come from.
	Created   time.Time
	Version   string // of the program
	Selection string // in words
	// After and UpTo are places in the change sequence of the archive: the rows are
	// of what came in after the one, up to the other; 0: from the first, to the last.
	After, UpTo uint64
}

// writer writes rows in one format.
type writer interface {
	write(*Row) error
	close() error // what is left; what it writes to stays open
}

func (o *Options) newWriter(to io.Writer) (writer, error) {
	switch o.Format {
	case JSONLines:
		return newJSONLines(to, o), nil
	case CSV:
		return newCommaSeparated(to, o), nil
	case Parquet:
		return newParquetFile(to, o)
	}
	return nil, fmt.Errorf("there is no format %q", o.Format)
}

// bufferSize is that of what is written to files and streams, in bytes.
const bufferSize = 64 << 10

// Stream writes the rows of posts, which must come with their bodies, to a stream,
// and returns how many it wrote. It stops at the first error of posts, of to or of
// ctx.
func Stream(ctx context.Context, to io.Writer, posts iter.Seq2[news.Revision, error], o Options) (int, error) {
	out := bufio.NewWriterSize(to, bufferSize)
	w, err := o.newWriter(out)
	if err != nil {
		return 0, err
	}
	rows := 0
	for rev, err := range posts {
		if err := cmp.Or(err, ctx.Err()); err != nil {
			return rows, err
		}
		row := o.newRow(&rev)
		if err := w.write(&row); err != nil {
			return rows, err
		}
		rows++
	}
	if err := w.close(); err != nil {
		return rows, err
	}
	return rows, out.Flush()
}
