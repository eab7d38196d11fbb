package jekyll

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/finarc/finarc/durable"
	"github.com/finarc/finarc/intake"
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
	// Mended tells of the posts, written or there, whose imported files had faults.
	Mended []Mending `json:"mended,omitempty"`
	Pages  int       `json:"pages"` // pages and layouts written
}

// Refusal is a post that cannot be a Jekyll file.
type Refusal struct {
	ID     news.ID `json:"id"`
	Reason string  `json:"reason"`
}

// Mending is what was wrong with an imported file that was mended.
type Mending struct {
	ID     news.ID  `json:"id"`
	From   string   `json:"from"`   // the name of the file
	File   string   `json:"file"`   // and what it is called now
	Faults []string `json:"faults"` // see the Fault constants
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
	top, err := durable.OpenFolder(dir)
	if err != nil {
		return Report{}, err
	}
	e := newExporter(func(rev *news.Revision) ([]byte, []string, error) { return marshal(rev, o.Options) })
	e.options, e.top = o, top
	err = errors.Join(e.export(ctx, posts), e.closePages(top))
	return e.report, err
}

// ExportPosts writes a file for each post into the directory dir itself, as
// [Export] does, with names from [FileName], and what marshal makes of it. A post of which
// marshal makes an error is refused.
func ExportPosts(ctx context.Context, dir string, posts iter.Seq2[news.Revision, error], marshal func(*news.Revision) ([]byte, error)) (Report, error) {
	to, err := durable.OpenFolder(dir)
	if err != nil {
		return Report{}, err
	}
	e := newExporter(func(rev *news.Revision) ([]byte, []string, error) {
		data, err := marshal(rev)
		return data, nil, err
	})
	err = e.allPosts(ctx, to, posts)
	return e.report, err
}

type exporter struct {
	// marshal makes a post's file, and tells what was mended for it.
	marshal    func(*news.Revision) (data []byte, mended []string, err error)
	options    ExportOptions
	top        *durable.Folder
	posts      *durable.Folder
	report     Report
	categories map[string]string  // of the posts, with the tag of the first that has one
	named      map[string]news.ID // whose file names are that do not tell it
}

func newExporter(marshal func(*news.Revision) ([]byte, []string, error)) *exporter {
	return &exporter{marshal: marshal, categories: map[string]string{}, named: map[string]news.ID{}}
}

func (e *exporter) export(ctx context.Context, posts iter.Seq2[news.Revision, error]) error {
	if e.options.Categories {
		if err := e.skeleton(); err != nil {
			return err
		}
	}
	to, err := e.top.Sub("_posts")
	if err != nil {
		return err
	}
	if err := e.allPosts(ctx, to, posts); err != nil {
		return err
	}
	if e.options.Categories {
		return e.categoryPages()
	}
	return nil
}

// closePages closes a folder that holds pages of the site.
func (e *exporter) closePages(f *durable.Folder) error {
	err := f.Close()
	e.report.Pages += f.Changed()
	return err
}

// allPosts writes the files of posts into a folder, and closes it.
func (e *exporter) allPosts(ctx context.Context, to *durable.Folder, posts iter.Seq2[news.Revision, error]) (err error) {
	e.posts = to
	defer func() {
		err = errors.Join(err, e.posts.Close())
		e.report.Written = e.posts.Changed()
	}()
	for f, err := range intake.Ahead(e.files(ctx, posts), 64) {
		if err != nil {
			return fmt.Errorf("export posts: %w", err)
		}
		if err := e.post(&f); err != nil {
			return err
		}
	}
	return nil
}

// file is a post's file, or why there can be none.
type file struct {
	rev     news.Revision
	data    []byte
	mended  []string
	refused error
}

// files makes the files of posts.
func (e *exporter) files(ctx context.Context, posts iter.Seq2[news.Revision, error]) iter.Seq2[file, error] {
	return func(yield func(file, error) bool) {
		for rev, err := range posts {
			if err = cmp.Or(err, ctx.Err()); err != nil {
				yield(file{}, err)
				return
			}
			f := file{rev: rev}
			f.data, f.mended, f.refused = e.marshal(&rev)
			if !yield(f, nil) {
				return
			}
		}
	}
}

// post writes the file of one post, or tells why there is none.
func (e *exporter) post(f *file) error {
	if f.refused != nil {
		e.report.Refused = append(e.report.Refused, Refusal{ID: f.rev.ID, Reason: f.refused.Error()})
		return nil
	}
	name, err := e.name(&f.rev)
	if err != nil {
		return err
	}
	same, err := e.posts.Put(name, f.data)
	if err != nil {
		return err
	}
	if same {
		e.report.Unchanged++
	}
	if len(f.mended) > 0 {
		e.report.Mended = append(e.report.Mended, Mending{ID: f.rev.ID, From: nameOf(f.rev.URL), File: name, Faults: f.mended})
	}
	if e.categories[f.rev.Category] == "" {
		e.categories[f.rev.Category] = f.rev.Tag
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
	if used, err := e.posts.Exists(other); used || err != nil {
		return other, err
	}
	taken, err := e.taken(name, rev.ID)
	if err != nil {
		return "", err
	}
	if taken {
		return other, nil
	}
	e.named[name] = rev.ID
	return name, nil
}

// taken reports whether the file holds a post that says it is another, or was
// another's in this export.
func (e *exporter) taken(name string, id news.ID) (bool, error) {
	if holder, named := e.named[name]; named {
		return holder != id, nil
	}
	if there, err := e.posts.Exists(name); !there || err != nil {
		return false, err
	}
	data, err := e.posts.Read(name)
	if err != nil {
		return false, fmt.Errorf("read post: %w", err)
	}
	_, after, ok := bytes.Cut(data, []byte("\n"+postIDKey+": "))
	line, _, _ := bytes.Cut(after, []byte("\n"))
	return ok && string(line) != quoted(string(id)), nil
}
