package search

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"
)

// version is that of the index's form: one of another is made anew. It rises with
// every change of what the terms of a post are.
const version = 2

// A generation is a folder with a number for a name and a database within. The one
// with the highest number counts. A database is not replaced under its name, since
// other processes may have it open, and its log beside it.
const databaseFile = "index.sqlite"

func (x *Index) file(generation string) string {
	return filepath.Join(x.dir, generation, databaseFile)
}

// generations returns the names of all generations, the newest last.
func (x *Index) generations() ([]string, error) {
	entries, err := os.ReadDir(x.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("search index: %w", err)
	}
	var names []string
	for _, e := range entries {
		if _, err := strconv.ParseUint(e.Name(), 10, 32); err == nil && e.IsDir() && len(e.Name()) == len(generationName(0)) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

func generationName(n uint64) string { return fmt.Sprintf("%08d", n) }

// newest returns the newest generation, or [ErrNoIndex].
func (x *Index) newest() (string, error) {
	names, err := x.generations()
	if err != nil {
		return "", err
	}
	if len(names) == 0 {
		return "", fmt.Errorf("%s: %w", x.dir, ErrNoIndex)
	}
	return names[len(names)-1], nil
}

// schema: blocks tell from when to when the posts are published of which the numbers
// share their higher bits.
const schema = `
CREATE TABLE about (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE posts (number INTEGER PRIMARY KEY, at INTEGER NOT NULL, id NOT NULL UNIQUE);
CREATE TABLE blocks (block INTEGER PRIMARY KEY, low INTEGER NOT NULL, high INTEGER NOT NULL);
CREATE VIRTUAL TABLE terms USING fts5(words, content='', columnsize=0, detail=none,
	tokenize="ascii tokenchars '$%&+,-./:<=>^` + "`" + `|~'");
`

// What lets the engine gather 8 MiB of terms at a time, without merging them; and
// what merges them all, and brings its settings back to what is good for small
// portions.
const (
	gather = `
INSERT INTO terms (terms, rank) VALUES ('hashsize', 8388608), ('automerge', 0), ('crisismerge', 1999);
`
	finish = `
INSERT INTO terms (terms) VALUES ('optimize');
INSERT INTO terms (terms, rank) VALUES ('hashsize', 1048576), ('automerge', 4), ('crisismerge', 16);
`
)

// Settings of a database that others read meanwhile: a write-ahead log, which a
// power failure may cost its last commits and nothing else; and of one that nobody
// knows yet.
var (
	shared  = url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(wal)", "synchronous(normal)"}, "_txlock": {"immediate"}, "mode": {"rw"}}
	private = url.Values{"_pragma": {"journal_mode(off)", "synchronous(off)", "locking_mode(exclusive)", "cache_size(-65536)"}}
)

func connect(file string, settings url.Values) (*sql.DB, error) {
	path, err := filepath.Abs(file)
	if err != nil {
		return nil, fmt.Errorf("search index: %w", err)
	}
	u := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: settings.Encode()}
	return sql.Open("sqlite", u.String())
}

// openDB opens the database of a generation for use beside others.
func openDB(ctx context.Context, file string) (*sql.DB, error) {
	db, err := connect(file, shared)
	if err != nil {
		return nil, err
	}
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// damage tells a database that is broken, or not there, from what else can go
// wrong.
func (x *Index) damage(err error) error {
	var failed *sqlite.Error
	if !errors.As(err, &failed) {
		return err
	}
	switch failed.Code() & 0xff {
	case sqlitelib.SQLITE_CORRUPT, sqlitelib.SQLITE_NOTADB, sqlitelib.SQLITE_CANTOPEN, sqlitelib.SQLITE_ERROR, sqlitelib.SQLITE_MISMATCH:
		return fmt.Errorf("%s: %w: %w", x.dir, ErrDamaged, err)
	}
	return fmt.Errorf("search index %s: %w", x.dir, err)
}

// standing is how far an index has come.
type standing struct {
	seq    uint64 // of the last change that is in it
	mark   string // the archive's, of then
	number int64  // of the last post
}

type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// standingOf reads how far an index has come. It fails with ErrStale where it is of
// another form.
func standingOf(ctx context.Context, q queryer) (standing, error) {
	var s standing
	var form int
	row := q.QueryRowContext(ctx, `SELECT (SELECT value FROM about WHERE key = 'version'), (SELECT value FROM about WHERE key = 'seq'),
		(SELECT value FROM about WHERE key = 'mark'), (SELECT value FROM about WHERE key = 'number')`)
	if err := row.Scan(&form, &s.seq, &s.mark, &s.number); err != nil {
		return s, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if form != version {
		return s, fmt.Errorf("form %d, want %d: %w", form, version, ErrStale)
	}
	return s, nil
}

// keep notes how far an index has come.
func (s *standing) keep(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO about VALUES ('version', ?), ('seq', ?), ('mark', ?), ('number', ?)`,
		version, s.seq, s.mark, s.number)
	return err
}
