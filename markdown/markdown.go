// Package markdown writes posts as Markdown files, one a post, for whoever reads,
// edits or indexes text: with the front matter of Jekyll files, and the body, which
// is HTML, as clean Markdown (CommonMark, with the tables and the strikethrough of
// GitHub's).
package markdown

import (
	"bytes"
	"context"
	"fmt"
	"iter"

	"github.com/JohannesKaufmann/html-to-markdown/v2/converter"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/base"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/commonmark"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/strikethrough"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/table"

	"github.com/finarc/finarc/article"
	"github.com/finarc/finarc/jekyll"
	"github.com/finarc/finarc/news"
)

// Report tells what an export did. Each post is one of these.
type Report struct {
	Written   int              `json:"written"`
	Unchanged int              `json:"unchanged"` // its file was there, byte for byte
	Refused   []jekyll.Refusal `json:"refused,omitempty"`
}

// Export writes a file for each post, which must come with its body, into the
// directory dir, named as Jekyll's are. Files are whole or not there, and those that
// say the same already are not touched. Share is the address of shared pages, with
// {infoCode} in the infoCode's place, or "".
//
// It stops at the first error, of posts, of the disk, or of ctx; the report then
// tells how far it came. A post of which no day is known, or whose page was lost, is
// refused.
func Export(ctx context.Context, dir string, posts iter.Seq2[news.Revision, error], share string) (Report, error) {
	w := NewWriter(share)
	r, err := jekyll.ExportPosts(ctx, dir, posts, w.Marshal)
	return Report{Written: r.Written, Unchanged: r.Unchanged, Refused: r.Refused}, err
}

// Writer writes posts. It is safe for concurrent use.
type Writer struct {
	share string
	conv  *converter.Converter
}

// NewWriter returns a writer. Share is as for [Export].
func NewWriter(share string) *Writer {
	return &Writer{share: share, conv: converter.NewConverter(
		converter.WithEscapeMode(converter.EscapeModeDisabled), // prepare has escaped all
		converter.WithPlugins(
			base.NewBasePlugin(),
			commonmark.NewCommonmarkPlugin(commonmark.WithListEndComment(false), commonmark.WithHorizontalRule("---")),
			strikethrough.NewStrikethroughPlugin(),
			table.NewTablePlugin(
				table.WithHeaderPromotion(true),
				table.WithNewlineBehavior(table.NewlineBehaviorPreserve),
				table.WithCellPaddingBehavior(table.CellPaddingBehaviorMinimal),
			),
		),
	)}
}

// Marshal returns the file of a post: front matter, text, and a link to where it is
// from. The errors are [jekyll.ErrNoDay], and that the page was lost.
func (w *Writer) Marshal(rev *news.Revision) ([]byte, error) {
	if rev.Lost {
		return nil, fmt.Errorf("post %s: its page was lost, and with it the text", rev.ID)
	}
	if rev.Day() == 0 {
		return nil, fmt.Errorf("post %s: %w", rev.ID, jekyll.ErrNoDay)
	}
	text, err := w.Convert(rev.Body, rev.URL)
	if err != nil {
		return nil, fmt.Errorf("post %s: %w", rev.ID, err)
	}
	var b bytes.Buffer
	b.Write(jekyll.FrontMatter(rev, text))
	b.WriteString(text)
	if link := article.Link(&rev.Post, rev.URL, w.share); link != "" {
		if text != "" {
			b.WriteByte('\n')
		}
		b.WriteString("[原文](" + destination(link) + ")\n")
	}
	return b.Bytes(), nil
}

// Convert returns the HTML of a body as Markdown, which ends with a line feed unless
// there is none. Base is the address of the page that it is from.
func (w *Writer) Convert(body, base string) (string, error) {
	root := article.Parse(body, article.Options{Base: base})
	prepare(root)
	text, err := w.conv.ConvertNode(root)
	if err != nil {
		return "", fmt.Errorf("write Markdown: %w", err)
	}
	if text = bytes.TrimSpace(text); len(text) == 0 {
		return "", nil
	}
	return string(text) + "\n", nil
}
