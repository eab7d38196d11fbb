// Package warc writes what a mirror answered as WARC files (WARC 1.1, ISO
// 28500:2017, whose clauses the comments name; its text is at
// https://iipc.github.io/warc-specifications/), with a CDXJ beside each, and as
// WACZ 1.1.1 (https://specs.webrecorder.net/wacz/1.1.1/). It reads WARC files by
// other crawlers, of this and earlier versions, and imports what they hold of the
// mirrors' posts.
//
// In what is written, what was not kept is not invented:
//
//   - There are no request records: of requests nothing was kept. So there are no
//     addresses of servers either (5.10).
//   - Bodies are as they were after transfer and content decoding, and so are the
//     headers: Content-Encoding and Transfer-Encoding are left out, and so is a
//     Content-Length that is not the body's.
//   - A capture whose body is that of an earlier one of its post is a revisit with
//     its own headers (6.7.2).
//   - When a page was met again as it was, a revisit tells the last answer that said
//     so: 304 (6.7.3), or the same bytes (6.7.2). Of the answers before that one
//     nothing was kept.
//   - Where nothing was kept of the last one either, since the article came within
//     other bytes, or since the archive was written by a program that did not keep it,
//     a metadata record tells when that was.
//   - Files that were imported are resource records (6.4): no server answered.
//
// Record IDs are made of what the records hold, so the same capture has the same
// record in each export. What tells of the export itself, warcinfo and conversion,
// has its time.
package warc

import "time"

// Options tell what is written, and what it takes to know it.
type Options struct {
	// MaxSize bounds the size of a WARC file, in bytes; Annex C recommends 10^9. Only
	// one that a single capture makes larger is larger.
	MaxSize int64
	// Text returns the plain text of an article's HTML. If it is not nil, there is
	// a conversion record (6.8) with it beside each capture, and pages have it.
	Text func(html string) string

	// What the files tell of themselves.
	Created   time.Time
	Version   string // of the program
	Selection string // in words
	// After and UpTo are places in the change sequence of the archive: the captures
	// are of what came in after the one, up to the other; 0: from the first, to the
	// last.
	After, UpTo uint64
}

// Report tells what an export wrote.
type Report struct {
	Out   string `json:"out"`
	Posts int    `json:"posts"`
	// How many records there are of each type, warcinfo aside.
	Responses   int `json:"responses"`
	Revisits    int `json:"revisits"`
	Rechecks    int `json:"rechecks"` // of the revisits, those that are no captures, but tell that one was met again as it was
	Resources   int `json:"resources"`
	Metadata    int `json:"metadata"`
	Conversions int `json:"conversions"`
	// Lost counts captures that damage of the archive took.
	Lost  int          `json:"lost"`
	Bytes int64        `json:"bytes"` // of all WARC files, or of the WACZ
	Files []FileReport `json:"files"`
}

// Captures counts the captures that were written.
func (r *Report) Captures() int { return r.Responses + r.Revisits - r.Rechecks + r.Resources }

// FileReport tells of a WARC file that was written.
type FileReport struct {
	Path    string `json:"path"` // within the folder or WACZ, with slashes
	Records int    `json:"records"`
	Bytes   int64  `json:"bytes"`
	SHA256  string `json:"sha256"`
}
