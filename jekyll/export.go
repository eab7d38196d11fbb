package jekyll

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/finarc/finarc/news"
)

// ExportOptions tell what [Export] writes beside the posts, and what it needs
// to know for that.
type ExportOptions struct {
	Options
	// Categories writes what makes the folder build into a site like the mirror: the
	// configuration, layouts, home page, feed and sitemap, of which those that
	// are there already stay as they are; and a page for every category.
	Categories bool
}

// Report tells what an export did. Each post is one of these.
type Report struct {
	Written   int       `json:"written"`
	Unchanged int       `json:"unchanged"` // its file was there, byte for byte
	Refused   []Refusal `json:"refused,omitempty"`
	Pages     int       `json:"pages"` // pages and layouts written
}

// Refusal is a post that cannot be a Jekyll file.
type Refusal struct {
	ID     news.ID `json:"id"`
	Reason string  `json:"reason"`
}

// Export writes posts into _posts in the directory dir, one after the other as
// they come, and makes the folders that lack. Existing files that already say
// the same are not touched, so an export that runs twice changes nothing the
// second time. Only one export may write to a directory at a time.
//
// It stops at the first error, of posts, of the disk, or of ctx; the report
// then tells how far it came. A post that cannot be written as a file is no
// error: it is among the refused.
func Export(ctx context.Context, dir string, posts iter.Seq2[news.Revision, error], o ExportOptions) (report Report, err error) {
	top, err := openTop(dir)
	if err != nil {
		return Report{}, err
	}
	defer func() { err = errors.Join(err, top.close()) }()
	e := &exporter{options: o, top: top, categories: map[string]string{}}
	err = e.export(ctx, posts)
	return e.report, err
}

type exporter struct {
	options    ExportOptions
	top        *folder
	posts      *folder
	report     Report
	categories map[string]string // of the posts, with the tag of the first that has one
}

func (e *exporter) export(ctx context.Context, posts iter.Seq2[news.Revision, error]) error {
	if e.options.Categories {
		if err := e.skeleton(); err != nil {
			return err
		}
	}
	if err := e.allPosts(ctx, posts); err != nil {
		return err
	}
	if e.options.Categories {
		return e.categoryPages()
	}
	return nil
}

func (e *exporter) allPosts(ctx context.Context, posts iter.Seq2[news.Revision, error]) (err error) {
	if e.posts, err = e.top.sub("_posts"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.posts.close()) }()
	for rev, err := range posts {
		if err != nil {
			return fmt.Errorf("export posts: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("export posts: %w", err)
		}
		if err := e.post(&rev); err != nil {
			return err
		}
	}
	return nil
}

// post writes one post, or refuses it.
func (e *exporter) post(rev *news.Revision) error {
	data, err := Marshal(rev, e.options.Options)
	if err != nil {
		e.report.Refused = append(e.report.Refused, Refusal{ID: rev.ID, Reason: err.Error()})
		return nil
	}
	name, err := e.name(rev)
	if err != nil {
		return err
	}
	changed, err := e.posts.put(name, data)
	if err != nil {
		return err
	}
	if changed {
		e.report.Written++
	} else {
		e.report.Unchanged++
	}
	if e.categories[rev.Category] == "" {
		e.categories[rev.Category] = rev.Tag
	}
	return nil
}

// name returns the name of the file of a post that Marshal took. An infoCode
// in it belongs to one post only; any other slug may be taken by another post,
// and then the ID tells them apart.
func (e *exporter) name(rev *news.Revision) (string, error) {
	name, err := FileName(rev)
	if err != nil {
		return "", err
	}
	if code, ok := news.FindInfoCode(name[len("2021-12-22-"):]); ok && code.ID() == rev.ID {
		return name, nil
	}
	other := distinct(rev.Day(), rev)
	if used, err := e.posts.exists(other); used || err != nil {
		return other, err
	}
	if taken, err := e.taken(name, rev.ID); !taken || err != nil {
		return name, err
	}
	return other, nil
}

// taken reports whether the file holds a post that says it is another.
func (e *exporter) taken(name string, id news.ID) (bool, error) {
	if there, err := e.posts.exists(name); !there || err != nil {
		return false, err
	}
	data, err := e.posts.root.ReadFile(name)
	if err != nil {
		return false, fmt.Errorf("read post: %w", err)
	}
	_, after, ok := bytes.Cut(data, []byte("\n"+postIDKey+": "))
	line, _, _ := bytes.Cut(after, []byte("\n"))
	return ok && string(line) != quoted(string(id)), nil
}
